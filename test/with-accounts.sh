#!/bin/sh
# with-accounts.sh PROGRAM...: runs it where /etc/passwd, group and shadow hold qmail's accounts and a few
# users, in a mount namespace of its own: the machine's accounts stay as they are. Accounts of qmail's that the
# machine has keep their ids: an installed qmail's files belong to them. test/lib/accounts.ts reads the ids.
# Root only; anybody else gets the program alone, and the tests that need other uids skip aloud.
set -eu
if [ "$(id -u)" != 0 ]; then exec "$@"; fi
if [ "${1:-}" != --inside ]; then exec unshare --mount --propagation private "$0" --inside "$@"; fi
shift

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
TEST_HOMES=$dir/homes # of the accounts below
export TEST_HOMES
homes=$TEST_HOMES
# id FILE NAME ID: the id of that name in /etc/FILE, else ID.
id() { awk -F: -v name="$2" -v id="$3" '$1 == name { id = $3 } END { print id }' "/etc/$1"; }
qmail=$(id group qmail 64000)
nofiles=$(id group nofiles 64001)
alias=$(id passwd alias 64010)
for home in "alias:$alias:$nofiles" joe:64020:64020 joe-sub:64021:64021 locked:64022:64022 old:64023:64023 open:64024:64024 sam:64025:64025; do
	mkdir -p "$homes/${home%%:*}/Maildir/tmp" "$homes/${home%%:*}/Maildir/new" "$homes/${home%%:*}/Maildir/cur"
	chown -R "${home#*:}" "$homes/${home%%:*}"
done
cp /etc/shadow "$dir/shadow"
# The other ids are out of the way of Debian's own. Passwords: joe's is "system", old's too, which expired in 2024;
# locked has none, and open an empty one.
grep -vE '^(alias|qmail[dlpqrs]|joe|joe-sub|locked|old|open|sam|qmailsql):' /etc/passwd >"$dir/passwd"
grep -vE '^(qmail|nofiles|joe|sam):' /etc/group >"$dir/group"
cat >>"$dir/passwd" <<EOF
alias:x:$alias:$nofiles::$homes/alias:/bin/true
qmaild:x:$(id passwd qmaild 64011):$nofiles::/var/qmail:/bin/true
qmaill:x:$(id passwd qmaill 64012):$nofiles::/var/qmail:/bin/true
qmailp:x:$(id passwd qmailp 64013):$nofiles::/var/qmail:/bin/true
qmailq:x:$(id passwd qmailq 64014):$qmail::/var/qmail:/bin/true
qmailr:x:$(id passwd qmailr 64015):$qmail::/var/qmail:/bin/true
qmails:x:$(id passwd qmails 64016):$qmail::/var/qmail:/bin/true
qmailsql:x:64900:64900::/var/qmail:/bin/false
joe:x:64020:64020::$homes/joe:/bin/sh
joe-sub:x:64021:64021::$homes/joe-sub:/bin/sh
sam:x:64025:64025::$homes/sam:/bin/sh
locked:x:64022:64022::$homes/locked:/bin/sh
old:x:64023:64023::$homes/old:/bin/sh
open:x:64024:64024::$homes/open:/bin/sh
EOF
cat >>"$dir/group" <<EOF
qmail:x:$qmail:
nofiles:x:$nofiles:
joe:x:64020:
sam:x:64025:
EOF
# shellcheck disable=SC2016 # of mkpasswd -m yescrypt system
hash='$y$j9T$gtzw/3Je8geGALDdRcZwQ.$I98IyomzDzLLUJaZS/2zjl7VjhDumJhMVDt4VUsT9c1'
cat >>"$dir/shadow" <<EOF
joe:$hash:20000:0:99999:7:::
locked:!:20000:0:99999:7:::
old:$hash:19000:0:99999:7::19800:
open::20000:0:99999:7:::
EOF
for file in passwd group shadow; do mount --bind "$dir/$file" "/etc/$file"; done
"$@"
