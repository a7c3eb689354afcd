#!/bin/sh
# A temporary mail host with SQLite and the tables of qmail/MySQL's FAQ: lookups, deliveries, logins, and POP3 on
# loopback with curl. Takes seconds, and removes everything.
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ]; then
	echo "demo: a mail host becomes its users, so it needs root: sudo make demo" >&2
	exit 1
fi
# Adds qmail's accounts in a separate mount namespace, so that those of the machine are not changed.
[ "${1:-}" = --inside ] || exec test/with-accounts.sh scripts/demo.sh --inside

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
step() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
# show COMMAND...: prints a command and runs it.
show() {
	printf '%s# %s%s\n' "$bold" "$*" "$plain"
	"$@"
}

QMAIL_HOME=$(mktemp -d)
export QMAIL_HOME
servers=
finish() {
	# shellcheck disable=SC2086 # a word for each
	[ -z "$servers" ] || kill $servers 2>/dev/null || :
	rm -rf "$QMAIL_HOME"
}
trap finish EXIT
trap 'exit 1' INT TERM
chmod 755 "$QMAIL_HOME"
# A copy that every user can execute, even if this tree is below a private directory.
cp -a bin "$QMAIL_HOME/bin"
PATH=$QMAIL_HOME/bin:$PATH
uid=64800 gid=64100
homes=$QMAIL_HOME/home
mkdir -p "$QMAIL_HOME/control" "$QMAIL_HOME/users" "$homes"

step "1. A database: control/sqlserver names an SQLite file, init makes the tables"
printf 'driver sqlite\ndb users/mail.db\n' >"$QMAIL_HOME/control/sqlserver"
show cat "$QMAIL_HOME/control/sqlserver"
show qmail-mysql init

step "2. The FAQ's mailboxes: iain, and iain-sanity, who is somebody else (plain passwords, as there: APOP needs them)"
for user in iain:iain iain-sanity:sanity virtual:virtual; do
	echo "secret of ${user%%:*}" |
		show qmail-mysql user add "${user%%:*}" --uid $uid --gid $gid --home "$homes/${user#*:}" --create-home --type plain
done
show qmail-mysql user list
# qmail-local runs as each user; here all of them have the same group.
show chgrp $gid "$QMAIL_HOME/users/mail.db"

step "3. Who controls an address? What qmail-lspawn is told (user uid gid home dash ext)"
for local in iain iain-sanity iain-slowlaris nobody; do
	show qmail-getpw "$local" | tr '\0' ' '
	echo
done

# deliver LOCAL HOST: runs qmail-getpw, then qmail-local as the uid it prints, like qmail-lspawn.
deliver() {
	cat >"$QMAIL_HOME/message"
	qmail-getpw "$1" | tr '\0' '\n' >"$QMAIL_HOME/owner"
	{
		read -r user
		read -r uid
		read -r gid
		read -r home
		read -r dash
		read -r ext
	} <"$QMAIL_HOME/owner"
	printf '%s# qmail-local -- %s %s %s "%s" "%s" %s iain@example.org ./Maildir/%s\n' \
		"$bold" "$user" "$home" "$1" "$dash" "$ext" "$2" "$plain"
	setpriv --reuid "$uid" --regid "$gid" --clear-groups \
		qmail-local -- "$user" "$home" "$1" "$dash" "$ext" "$2" iain@example.org ./Maildir/ <"$QMAIL_HOME/message"
}

step "4. A message for iain@example.com"
printf 'From: a friend\nTo: iain@example.com\nSubject: hello\n\nNothing was patched.\n' | deliver iain example.com

step "5. iain reads it over POP3: tcpserver, qmail-popup, checkpassword, qmail-pop3d-helper, qmail-pop3d"
# serve PROGRAM...: serves on a free port of loopback, and prints the port.
serve() {
	: >"$QMAIL_HOME/port"
	"$@" >"$QMAIL_HOME/port" &
	servers="$servers $!"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -s "$QMAIL_HOME/port" ] && break
		sleep 0.1
	done
	port=$(cat "$QMAIL_HOME/port")
}
serve tcpserver -1 -HRl pop.example.com 127.0.0.1 0 qmail-popup pop.example.com checkpassword \
	qmail-pop3d-helper qmail-pop3d Maildir
url=pop3://127.0.0.1:$port/1
sleep 1 # qmail-pop3d does not list messages of the current second
show curl --no-progress-meter --verbose --user 'iain:secret of iain' "$url" 2>&1 | sed '/^[*{}]/d'

step "6. A wrong password is refused, a stopped database is not"
curl --silent --verbose --user 'iain:guess' "$url" 2>&1 | sed -n 's/^< -/-/p' | head -1
mv "$QMAIL_HOME/users/mail.db" "$QMAIL_HOME/users/away"
show qmail-getpw iain || echo "exit $?: qmail-lspawn keeps the message in the queue"
mv "$QMAIL_HOME/users/away" "$QMAIL_HOME/users/mail.db"

step "7. A virtual domain: sales@virtual.com is iain's, everybody else there is the catch-all's"
show qmail-mysql domain add virtual.com
show qmail-mysql virtual add sales@virtual.com iain --ext sales
show qmail-mysql virtual add @virtual.com virtual --ext @
show qmail-mysql alias add iain sales ./Maildir/
show qmail-mysql alias add virtual @ ./Maildir/
# The files that a stock qmail-send and qmail-smtpd read, made from the tables:
echo example.com >"$QMAIL_HOME/control/rcpthosts"
echo example.com >"$QMAIL_HOME/control/locals"
show rebuild-cdb
show cat "$QMAIL_HOME/control/virtualdomains"
show qmail-mysql trace sales@virtual.com
printf 'Subject: an order\n\nTwo of them.\n' | deliver virtual.com-sales virtual.com
printf 'Subject: to nobody known\n\nHello?\n' | deliver virtual.com-whoever virtual.com
show find "$homes" -path '*/new/*' -type f

step "8. POP before SMTP: a login opens the relay for its address"
mkdir -m 2770 "$QMAIL_HOME/relay"
chgrp $gid "$QMAIL_HOME/relay"
printf 'driver sqlite\ndatabase relay/relay.db\ntable relay\nrelay_user user\ntime 1800\nlocal none\n' \
	>"$QMAIL_HOME/control/sql"
show cat "$QMAIL_HOME/control/sql"
printf 'driver sqlite\ndb relay/relay.db\n' >"$QMAIL_HOME/control/sqlserver-admin"
qmail-mysql init >/dev/null
rm "$QMAIL_HOME/control/sqlserver-admin"
chgrp $gid "$QMAIL_HOME/relay/relay.db"
chmod 660 "$QMAIL_HOME/relay/relay.db"
# In place of qmail-smtpd a shell prints the environment that it would have.
# shellcheck disable=SC2016 # expanded by the inner shell, for each connection
serve tcpserver-sql -1 -HRS -l smtp.example.com 127.0.0.1 0 sh -c \
	'echo "220 ${TCPREMOTEIP} may relay: ${RELAYCLIENT-no}${RELAYCLIENT+yes}"'
knock() { curl --no-progress-meter --max-time 5 "telnet://127.0.0.1:$port" </dev/null; }
show knock
show curl --silent --output /dev/null --user 'iain:secret of iain' "$url"
show knock

step "All of it is gone again."
