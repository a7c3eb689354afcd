#!/bin/sh
# build.sh [DIR]: makes the executable and a link per program in DIR (default: bin), and keeps them if they pass try.js.
# RUNTIME and NODE: see compile.sh.
set -eu
out=$(cd "${1:-$(dirname "$0")/../bin}" && pwd)
cd "$(dirname "$0")/.."
mkdir -p build
new=$(mktemp -d build/new.XXXXXX)
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"

scripts/compile.sh "$new/qmail-mysql"
# The executable has the name of one of its programs, which needs no link.
programs=$(scripts/programs.sh | grep -vx qmail-mysql)
for program in $programs; do ln -s qmail-mysql "$new/$program"; done
# Replaces the old programs only if the new ones work.
cmp -s "$new/qmail-mysql" "$out/qmail-mysql" || node scripts/try.js "$new" "$(scripts/find-bun.sh)"
mv "$new/qmail-mysql" "$out/qmail-mysql"
find "$out" -type l -lname qmail-mysql -delete
for program in $programs; do ln -s qmail-mysql "$out/$program"; done
