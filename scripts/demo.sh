#!/bin/sh
# A throw-away mail host on embedded SQLite: the tables of qmail/MySQL's FAQ, looked up, delivered to, logged in
# to and read over POP3 on loopback with curl. Takes seconds, and nothing of it stays.
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ]; then
	echo "demo: a mail host becomes its users, so it needs root: sudo make demo" >&2
	exit 1
fi
# The accounts of a qmail, in a mount namespace of its own: the machine's stay as they are.
[ "${1:-}" = --inside ] || exec test/with-accounts.sh scripts/demo.sh --inside

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
step() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
# What is shown is what is run.
show() {
	printf '%s# %s%s\n' "$bold" "$*" "$plain"
	"$@"
}

QMAIL_HOME=$(mktemp -d)
export QMAIL_HOME
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	rm -rf "$QMAIL_HOME"
}
trap finish EXIT
trap 'exit 1' INT TERM
chmod 755 "$QMAIL_HOME"
PATH=$PWD/bin:$PATH
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
# qmail-local runs as each user. This host has no accounts but mailboxes, so whoever is here may read the tables.
show chmod 644 "$QMAIL_HOME/users/mail.db"

step "3. Who controls an address? What qmail-lspawn is told (user uid gid home dash ext)"
for local in iain iain-sanity iain-slowlaris nobody; do
	show qmail-getpw "$local" | tr '\0' ' '
	echo
done

# deliver LOCAL HOST: what qmail-lspawn does for one message: qmail-getpw, then qmail-local as that uid.
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
tcpserver -1 -HRl pop.example.com 127.0.0.1 0 qmail-popup pop.example.com checkpassword \
	qmail-pop3d-helper qmail-pop3d Maildir >"$QMAIL_HOME/port" &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -s "$QMAIL_HOME/port" ] && break
	sleep 0.1
done
sleep 1 # qmail-pop3d shows a message from the second after its delivery on
url=pop3://127.0.0.1:$(cat "$QMAIL_HOME/port")/1
show curl --no-progress-meter --verbose --user 'iain:secret of iain' "$url" 2>&1 | sed '/^[*{}]/d'

step "6. A wrong password is refused, a stopped database is not"
curl --silent --verbose --user 'iain:guess' "$url" 2>&1 | sed -n 's/^< -/-/p' | head -1
mv "$QMAIL_HOME/users/mail.db" "$QMAIL_HOME/users/away"
show qmail-getpw iain || echo "exit $?: qmail-lspawn keeps the message in the queue"
mv "$QMAIL_HOME/users/away" "$QMAIL_HOME/users/mail.db"

step "All of it is gone again."
