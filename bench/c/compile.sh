#!/bin/sh
# compile.sh DIR: compiles the C programs for comparison, as NAME-mariadb and NAME-sqlite, and those that measure.
set -eu
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
if [ -e "$out/compiled" ] && [ -z "$(find . -newer "$out/compiled")" ]; then exit; fi
compile() { cc -O2 -Wall -Wextra "$@"; }
twin() { # DATABASE NAME FLAG...
	database=$1 name=$2
	shift 2
	compile -o "$out/$name-$database" "$name.c" lookup.c "$@" -Wl,--as-needed -lcrypt
}
for name in getpw checkpassword; do
	twin mariadb "$name" -lmariadb
	twin sqlite "$name" -DSQLITE -lsqlite3
done
compile -static -o "$out/fd3" fd3.c
case $(uname -m) in
x86_64) compile -static -nostdlib -fno-stack-protector -o "$out/discard-queue" discard-queue.c ;;
*) compile -static -o "$out/discard-queue" discard-queue.c ;;
esac
for name in tcpload smtpload askload execload; do compile -pthread -o "$out/$name" "$name.c" load.c; done
compile -pthread -o "$out/popload" popload.c load.c -lssl -lcrypto
for name in hostile spawn-driver; do compile -o "$out/$name" "$name.c"; done
compile -o "$out/relay-check" relay-check.c -lmariadb
compile -shared -fPIC -o "$out/slow-fsync.so" slow-fsync.c
touch "$out/compiled"
