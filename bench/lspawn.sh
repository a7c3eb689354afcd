#!/bin/sh
# lspawn.sh: deliveries per second through the spawn protocol, each fsynced, with 1, 20 and 100 at a time, to one
# user and to 200: a stock qmail-lspawn with its users in /etc/passwd and with the C lookup in MariaDB
# (STOCK_QMAIL names its home), and ours over MariaDB, with a driver and through qmail-sqld. N: deliveries each.
# A line of JSON each goes to RESULTS, when it is set.
# Root only; nothing outside of this process's mount namespace changes. Needs make and `scripts/setup.sh bench`.
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" != --inside ]; then exec test/with-accounts.sh bench/lspawn.sh --inside; fi
n=${N:-3000}
users=200
status=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/lspawn-bench.XXXXXX")
chmod 755 "$dir"
bench/compile.sh build/bench

mariadb-install-db --no-defaults --user=root --datadir="$dir/data" --auth-root-authentication-method=normal >"$dir/log" 2>&1
mariadbd --no-defaults --user=root --datadir="$dir/data" --socket="$dir/sock" --skip-networking >>"$dir/log" 2>&1 &
mariadb_pid=$!
sqld=
trap 'kill $mariadb_pid $sqld 2>/dev/null; wait; rm -rf "$dir"' EXIT
until mariadb-admin --no-defaults -uroot -S "$dir/sock" ping >/dev/null 2>&1; do sleep 0.1; done
sql() { mariadb --no-defaults -uroot -S "$dir/sock" "$@"; }
sql -e "CREATE DATABASE qmail; CREATE USER qmail@localhost IDENTIFIED BY 'secret'; GRANT SELECT ON qmail.* TO qmail@localhost"
sql qmail <sql/mysql/schema.sql

# u0 ... are mailboxes, and at first system accounts as well.
mkdir -p "$dir/home"
rows=
i=0
while [ "$i" -lt "$users" ]; do
	home=$dir/home/u$i uid=$((65000 + i))
	mkdir -p "$home/Maildir/tmp" "$home/Maildir/new" "$home/Maildir/cur"
	chown -R "$uid:$uid" "$home"
	echo "u$i:x:$uid:$uid::$home:/bin/true" >>/etc/passwd
	rows="$rows${rows:+,}('u$i', $uid, $uid, '$home', '', 'Password', 'N')"
	i=$((i + 1))
done
sql qmail -e "INSERT INTO mailbox VALUES $rows"

forget() { # the system accounts; the file is a mount of its own
	grep -v '^u[0-9]*:' /etc/passwd >"$dir/passwd"
	cat "$dir/passwd" >/etc/passwd
}
queue() { # HOME: a queue with one message
	mkdir -p "$1/queue/mess/0"
	printf 'From: a@example.org\nSubject: hello\n\n%s\n' "$(head -c 3000 /dev/zero | tr '\0' x)" >"$1/queue/mess/0/1"
	chown qmailq "$1/queue/mess/0/1"
}
measure() { # WHAT PROGRAM
	for at in 1 20 100; do
		for who in 1 "$users"; do
			rates=$(build/bench/spawn-driver "$n" "$n" "$at" "$who" "$2" ./Maildir/) || status=1 rates='null null'
			rate=${rates% *} first=${rates#* }
			printf '%-44s %3s at a time %4s users %8s/s, at first %8s/s\n' "$1" "$at" "$who" "$rate" "$first"
			printf '{"what":"%s","at":%s,"users":%s,"rate":%s,"first":%s,"n":%s}\n' "$1" "$at" "$who" "$rate" "$first" "$n" \
				>>"${RESULTS:-/dev/null}"
			find "$dir/home" -path '*/new/*' -type f -delete
		done
	done
}

if [ -n "${STOCK_QMAIL:-}" ]; then
	cp -a "$STOCK_QMAIL" "$dir/stock"
	queue "$dir/stock"
	mount --bind "$dir/stock" "$STOCK_QMAIL"
	measure "stock, users in /etc/passwd" "$STOCK_QMAIL/bin/qmail-lspawn"
	forget
	mkdir -p "$STOCK_QMAIL/control"
	printf 'server %s\nlogin qmail\npassword secret\ndb qmail\n' "$dir/sock" >"$STOCK_QMAIL/control/sqlserver"
	cp build/bench/getpw-mariadb "$STOCK_QMAIL/bin/qmail-getpw"
	QMAIL_HOME=$STOCK_QMAIL measure "stock, the C lookup exec'd" "$STOCK_QMAIL/bin/qmail-lspawn"
	umount "$STOCK_QMAIL"
else
	echo "lspawn: STOCK_QMAIL is not set: nothing to compare with" >&2
	forget
fi

QMAIL_HOME=$dir/qmail
export QMAIL_HOME
mkdir -p "$QMAIL_HOME/control" "$QMAIL_HOME/users" "$QMAIL_HOME/bin"
queue "$QMAIL_HOME"
ln -s "$PWD/bin/qmail-local" "$QMAIL_HOME/bin/qmail-local"
printf 'server %s\nlogin qmail\npassword secret\ndb qmail\n' "$dir/sock" >"$QMAIL_HOME/control/sqlserver"
echo 'workers 250' >"$QMAIL_HOME/control/lspawn-settings"
measure "ours, MariaDB, 250 workers" bin/qmail-lspawn
rm "$QMAIL_HOME/control/lspawn-settings"
measure "ours, MariaDB, 120 workers" bin/qmail-lspawn

echo 'workers 250' >"$QMAIL_HOME/control/lspawn-settings"
mkdir "$dir/run"
chown 64900 "$dir/run" "$QMAIL_HOME/control/sqlserver"
chmod 600 "$QMAIL_HOME/control/sqlserver"
echo "$dir/run/socket" >"$QMAIL_HOME/control/sqld"
setpriv --reuid 64900 --regid 64900 --clear-groups bin/qmail-sqld &
sqld=$!
until [ -S "$dir/run/socket" ]; do sleep 0.1; done
measure "ours, through qmail-sqld, 250 workers" bin/qmail-lspawn
exit $status
