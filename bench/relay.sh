#!/bin/sh
# Connections per second at 1, 10 and 40 at a time, each running one program: tcpserver without rules, tcpserver
# with a C program that asks MariaDB for each, tcpserver-sql -S on the same table. Then one long run of the
# last, for its memory. relay.sh [SECONDS [CONNECTIONS]]
# A line of JSON each goes to RESULTS, when it is set.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-5}
count=${2:-100000}
dir=$(mktemp -d)
pids=
stop() {
	for pid in $pids; do kill "$pid" 2>/dev/null || :; done
	wait
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' HUP INT PIPE TERM
PATH=$PATH:/usr/sbin

cc -O2 -pthread -o "$dir/tcpload" bench/tcpload.c bench/load.c
cc -O2 -o "$dir/relay-check" bench/relay-check.c -lmariadb

mariadb-install-db --no-defaults --datadir="$dir/data" --auth-root-authentication-method=normal \
	--user="$(id -un)" >"$dir/log" 2>&1
mariadbd --no-defaults --user="$(id -un)" --datadir="$dir/data" --socket="$dir/sock" --skip-networking \
	>>"$dir/log" 2>&1 &
pids="$pids $!"
sql() { mariadb --no-defaults -uroot -S "$dir/sock" "$@"; }
until sql -e 'select 1' >/dev/null 2>&1; do sleep 0.1; done
sql -e "CREATE DATABASE mail; CREATE USER relay@localhost IDENTIFIED BY 'secret'; GRANT SELECT ON mail.* TO relay@localhost"
sql mail <sql/mysql/schema.sql
# 127.0.0.1 is not in the window: every connection is a question, none is answered from memory.
sql mail -e "INSERT INTO relay (ip_addr, timestamp) SELECT CONCAT('10.', seq DIV 250, '.', seq MOD 250, '.1'), UNIX_TIMESTAMP() FROM seq_1_to_10000"
mkdir -p "$dir/qmail/control"
printf 'server %s\nuser relay\npass secret\ndatabase mail\n' "$dir/sock" >"$dir/qmail/control/sql"
QMAIL_HOME=$dir/qmail
export QMAIL_HOME

serve() { # NAME COMMAND...: its port is in $port
	name=$1
	shift
	"$@" >"$dir/port.$name" 2>>"$dir/log" &
	pids="$pids $!"
	server=$!
	until [ -s "$dir/port.$name" ]; do sleep 0.1; done
	port=$(cat "$dir/port.$name")
	sleep 1
}
serve c tcpserver -1 -HRl0 -c 100 -b 100 127.0.0.1 0 \
	"$dir/relay-check" "$dir/sock" relay secret mail /bin/echo 220
c=$port
serve stock tcpserver -1 -HRl0 -c 100 -b 100 127.0.0.1 0 /bin/echo 220
stock=$port
serve sql bin/tcpserver-sql -1 -S -HRl0 -c 100 -b 100 127.0.0.1 0 /bin/echo 220
ours=$port
rate() { "$dir/tcpload" "$1" "$2" "$seconds" | sed 's:/s.*::'; }
echo "connections/s      tcpserver   with C lookup   tcpserver-sql -S   ratio to tcpserver"
for clients in 1 10 40; do
	a=$(rate "$stock" $clients)
	b=$(rate "$c" $clients)
	d=$(rate "$ours" $clients)
	a2=$(rate "$stock" $clients) # the machine's mood changes: ours stands between two runs of the other
	awk -v n=$clients -v a="$a" -v a2="$a2" -v b="$b" -v d="$d" 'BEGIN {
		printf "%2d at a time     %10d   %13d   %16d   %.2f\n", n, (a + a2) / 2, b, d, 2 * d / (a + a2) }'
	printf '{"at":%s,"tcpserver":[%s,%s],"withC":%s,"ours":%s}\n' $clients "$a" "$a2" "$b" "$d" >>"${RESULTS:-/dev/null}"
done
rss() { awk '/^VmRSS/ { print $2 " kB" }' "/proc/$server/status"; }
echo "resident memory: $(rss)"
tenth=$((count / 10))
for part in 1 2 3 4 5 6 7 8 9 10; do
	result=$("$dir/tcpload" "$ours" 20 600 $tenth)
	echo "after $((part * tenth)) more: $(rss)  $result"
	printf '{"after":%s,"kB":%s}\n' $((part * tenth)) "$(rss | sed 's/ kB//')" >>"${RESULTS:-/dev/null}"
done
