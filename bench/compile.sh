#!/bin/sh
# compile.sh DIR: the C twins, NAME-mariadb and NAME-sqlite each, and fd3.
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
