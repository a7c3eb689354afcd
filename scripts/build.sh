#!/bin/sh
# build.sh [DIR]: makes the executable and a link per program in DIR, bin unless told, and keeps them when they work.
# RUNTIME and NODE: compile.sh.
set -eu
out=$(cd "${1:-$(dirname "$0")/../bin}" && pwd)
cd "$(dirname "$0")/.."
mkdir -p build
new=$(mktemp -d build/new.XXXXXX)
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"

scripts/compile.sh "$new/qmail-mysql"
# The executable goes by the name of one of its programs: that one needs no link.
programs=$(scripts/programs.sh | grep -vx qmail-mysql)
for program in $programs; do ln -s qmail-mysql "$new/$program"; done
# What is kept has been tried.
cmp -s "$new/qmail-mysql" "$out/qmail-mysql" || node scripts/try.js "$new" "$(scripts/find-bun.sh)"
mv "$new/qmail-mysql" "$out/qmail-mysql"
find "$out" -type l -lname qmail-mysql -delete
for program in $programs; do ln -s qmail-mysql "$out/$program"; done
