#!/bin/sh
# instructions.sh BASE OTHER: compares two directories of built programs (bin/): million instructions in user mode of
# qmail-getpw and checkpassword on SQLite and through qmail-sqld, and the difference in percent. They are the median of
# RUNS, counted by callgrind, since perf needs counters that not every machine has. checkpassword is given a program that
# does not exist to run, since callgrind counts to the end of a process and not to its exec. Root only. Needs valgrind.
set -eu
[ $# = 2 ] || { echo "usage: instructions.sh base other" >&2 && exit 100; }
base=$(realpath "$1") other=$(realpath "$2")
cd "$(dirname "$0")/.."
runs=${RUNS:-5}
uid=64800
dir=$(mktemp -d)
sqld=
trap 'kill $sqld 2>/dev/null; wait; rm -rf "$dir"' EXIT
chmod 755 "$dir"
bench/c/compile.sh build/bench
mkdir -p "$dir/home" "$dir/file/control" "$dir/sqld/control" "$dir/run"
chown $uid "$dir/home"
sqlite3 "$dir/mail.db" <sql/sqlite/schema.sql >/dev/null
sqlite3 "$dir/mail.db" "INSERT INTO mailbox (username, uid, gid, home, password, password_type)
	VALUES ('user', $uid, $uid, '$dir/home', 'correct horse', 'Password')"
printf 'user\0correct horse\0\0' >"$dir/login"
for home in file sqld; do printf 'driver sqlite\ndb %s\n' "$dir/mail.db" >"$dir/$home/control/sqlserver"; done
echo "$dir/run/socket" >"$dir/sqld/control/sqld"
chown -R 64900 "$dir/run" "$dir/sqld/control/sqlserver" "$dir/mail.db"
QMAIL_HOME=$dir/sqld setpriv --reuid 64900 --regid 64900 --clear-groups "$other/qmail-sqld" &
sqld=$!
until [ -S "$dir/run/socket" ]; do
	kill -0 $sqld
	sleep 0.1
done

count() { # BIN PROGRAM HOME
	operand=user
	[ "$2" = qmail-getpw ] || operand=/nonexistent
	for _ in $(seq "$runs"); do
		QMAIL_HOME=$dir/$3 build/bench/fd3 "$dir/login" "$(command -v valgrind)" --tool=callgrind \
			--callgrind-out-file=/dev/null --log-file="$dir/log" "$1/$2" $operand >"$dir/out" 2>&1 || [ $? = 111 ]
		sed -n 's/.*Collected : //p' "$dir/log"
	done | sort -n | sed -n "$((runs / 2 + 1))p"
}
for program in qmail-getpw checkpassword; do
	for home in file sqld; do
		a=$(count "$base" $program $home)
		b=$(count "$other" $program $home)
		awk -v p="$program, $home" -v a="$a" -v b="$b" 'BEGIN { printf "%-20s %7.3f %7.3f  %+.2f %%\n", p, a / 1e6, b / 1e6, (b / a - 1) * 100 }'
	done
done
