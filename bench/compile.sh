#!/bin/sh
# compile.sh DIR: the C twins, NAME-mariadb and NAME-sqlite each, and the programs that measure.
set -eu
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
twin() { # DATABASE NAME FLAG...
	database=$1 name=$2
	shift 2
	cc -O2 -Wall -Wextra -o "$out/$name-$database" "$name.c" lookup.c "$@" -Wl,--as-needed -lcrypt
}
for name in getpw checkpassword; do
	twin mariadb "$name" -lmariadb
	twin sqlite "$name" -DSQLITE -lsqlite3
done
cc -O2 -Wall -Wextra -static -o "$out/fd3" fd3.c
for name in tcpload askload execload; do cc -O2 -Wall -Wextra -pthread -o "$out/$name" "$name.c" load.c; done
for name in hostile spawn-driver; do cc -O2 -Wall -Wextra -o "$out/$name" "$name.c"; done
