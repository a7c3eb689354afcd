#!/bin/sh
# A million virtual rows, hosts and mailboxes: rebuild-cdb compared with a shell pipeline of the database's own
# client and `cdb -c`. Both write the same bytes to the disk. ROWS and RUNS set the size and the number of runs.
# Each result is a line of JSON in RESULTS, if set.
set -eu
cd "$(dirname "$0")/../.."
rows=${ROWS:-1000000} runs=${RUNS:-2}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/control" "$dir/users"
db=$dir/mail.db
printf 'driver sqlite\ndb %s\ntimeout 60\n' "$db" >"$dir/control/sqlserver"
echo localhost >"$dir/control/rcpthosts"
all="WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < $rows)"
{
	cat sql/sqlite/schema.sql
	echo "$all INSERT INTO mailbox (username, uid, gid, home) SELECT 'user' || i, 1000, 1000, '/home/vmail/user' || i FROM c;"
	echo "$all INSERT INTO \"virtual\" SELECT 'user' || i, '', 'sales', 'domain' || i || '.example.com' FROM c;"
	echo "$all INSERT INTO rcpthosts SELECT 'domain' || i || '.example.com' FROM c;"
} | sqlite3 "$db" >/dev/null

ours() { QMAIL_HOME=$dir bin/rebuild-cdb "$@" --trust-homes; }

# The client prints no NUL, so \001 stands for it until tr.
client() { sqlite3 "$db" "$1" | tr '\001' '\000'; }
shell() {
	case $1 in
	routing)
		client "SELECT virtual_host || ':' || virtual_host FROM \"virtual\" ORDER BY virtual_host" >"$dir/virtualdomains"
		{
			client "SELECT '+' || length(host) || ',0:' || host || '->' FROM rcpthosts ORDER BY host"
			echo
		} | cdb -c "$dir/cdb"
		sync "$dir/virtualdomains" "$dir/cdb"
		;;
	assign)
		user="username || char(1) || uid || char(1) || gid || char(1) || home || char(1)"
		{
			client "SELECT '+' || (length(username) + 2) || ',' || length($user || char(1)) || ':!' || username || char(1) || '->'
				|| $user || char(1) || char(10) || '+' || (length(username) + 2) || ',' || length($user || '-' || char(1))
				|| ':!' || username || '-->' || $user || '-' || char(1) FROM mailbox ORDER BY username DESC"
			printf '+0,1:->-\n\n'
		} | cdb -c "$dir/cdb"
		sync "$dir/cdb"
		;;
	esac
}

for part in routing assign; do
	for run in $(seq "$runs"); do
		rm -f "$dir"/control/virtualdomains "$dir"/control/morercpthosts* "$dir"/users/*
		for how in ours shell; do
			start=$(date +%s%N)
			"$how" "$part"
			ms=$((($(date +%s%N) - start) / 1000000))
			echo "$part $how run $run: $ms ms"
			printf '{"part":"%s","how":"%s","ms":%s,"rows":%s}\n' "$part" "$how" "$ms" "$rows" >>"${RESULTS:-/dev/null}"
		done
	done
done
cmp "$dir/cdb" "$dir/users/cdb"
echo "the same file"
QMAIL_HOME=$dir /usr/bin/time -o "$dir/kB" -f %M bin/rebuild-cdb assign --trust-homes
echo "memory: $(cat "$dir/kB") kB"
printf '{"kB":%s}\n' "$(cat "$dir/kB")" >>"${RESULTS:-/dev/null}"
