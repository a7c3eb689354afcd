#!/bin/sh
# supervised.sh SUPERVISOR TOP BIN [STOCK]: starts the services of conf/run/SUPERVISOR as they are, on a machine that
# has a /var/qmail of our programs in BIN, over a copy of the stock qmail in STOCK if there is one, and a mailbox iain;
# asks them, and says on descriptor 1 what became of it. All is below TOP, in namespaces that end with this program.
# With a stock qmail a message is sent to iain.
set -eu
if [ "$1" != --inside ]; then
	exec unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
supervisor=$2 top=$3 ours=$4 stock=${5:-}
run=$(cd "$(dirname "$0")/../../conf/run" && pwd)
home=/var/qmail

ip link set lo up
ip address add 192.0.2.1/32 dev lo # loopback is never recorded as a relay client
mkdir -p "$top"; chmod 755 "$top"
mkdir -p "$top/run" "$top/var/log" "$top/var/tmp"
cp -a /etc "$top/etc"
if [ -n "$stock" ]; then cp -a "$stock" "$top/qmail"; fi
for dir in run var etc; do mount --bind "$top/$dir" /$dir; done
if [ -n "$stock" ]; then
	mkdir -p "$stock"
	mount --bind "$top/qmail" "$stock"
	ln -s "$stock" $home
	for part in mess info local remote bounce todo intd pid; do find "$stock/queue/$part" -type f -delete; done
else
	mkdir -p $home/bin $home/control $home/users
	ln -s "$(command -v mailfront)" $home/bin/mailfront
	cp "$(command -v smtpfront-echo)" $home/bin/qmail-smtpd
fi
cp -a --remove-destination "$ours/." $home/bin/

# The account, by the line that the script or the unit has.
sed -i '/^qmailsql:/d' /etc/passwd
grep -rh '^# useradd ' "$run/$supervisor" | cut -c3- | sh

echo "driver sqlite
db users/mail.db" >$home/control/sqlserver
echo /run/qmail-sqld/socket >$home/control/sqld
echo "table relay" >$home/control/sql
echo stock.test >$home/control/me
echo stock.test >$home/control/locals
echo stock.test >$home/control/rcpthosts
for part in tmp new cur; do mkdir -p "$top/iain/Maildir/$part"; done
chmod 700 "$top/iain"
chown -R 64800:64800 "$top/iain"
$home/bin/qmail-mysql init >&2
# "secret", by mkpasswd
# shellcheck disable=SC2016 # no variable
sqlite3 $home/users/mail.db "INSERT INTO mailbox (username, uid, gid, home, password, password_type, suspended)
	VALUES ('iain', 64800, 64800, '$top/iain', '\$1\$saltsalt\$9xy1btjgzLYfb7hivXtC//', 'Crypt-Password', 'N');"
chown -R qmailsql $home/control/sqlserver $home/users
chmod 600 $home/control/sqlserver

if [ "$supervisor" = systemd ]; then
	systemd-analyze verify --man=no "$run"/systemd/*.service 2>&1 || :
	exit
fi
cp -a "$run/$supervisor" "$top/service"
if [ -z "$stock" ]; then rm -r "$top/service/qmail"; fi
touch "$top/service/popd/down" # its port is that of pop3d
cd "$top/service"
within() { # within SECONDS COMMAND...
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		if [ $tries = 0 ]; then
			echo "never: $*"
			return
		fi
		sleep 0.1
	done
}
up() { [ "$(svstat "$1" | grep -c ': up')" = 1 ]; }
case $supervisor in
daemontools)
	svscan . &
	for service in * */log; do [ -e "$service/down" ] || within 10 up "$service"; done
	within 10 [ -S /run/qmail-sqld/socket ]
	;;
s6)
	s6-svscan . &
	within 10 [ -p qmail-sqld/supervise/control ]
	s6-svwait -t 15000 -U qmail-sqld && echo "qmail-sqld: ready"
	;;
esac
port() { (: | socat - "TCP:127.0.0.1:$1") >/dev/null 2>&1; }
within 10 port 110
within 10 port 25

pop3() { python3 -c 'import poplib, sys
server = poplib.POP3("192.0.2.1", 110, 20)
server.user("iain")
try:
    server.pass_(sys.argv[1])
    print("messages: %d" % server.stat()[0])
    server.quit()
except poplib.error_proto as error:
    print(error)' "$1"; }
delivered() { [ -n "$(ls -A "$top/iain/Maildir/new")" ]; }
printf 'Subject: hello\r\n\r\nhello\r\n' >"$top/message"
curl --silent --show-error --max-time 20 smtp://127.0.0.1 --mail-from sam@stock.test --mail-rcpt iain@stock.test \
	--upload-file "$top/message" && echo "smtp: accepted"
if [ -n "$stock" ]; then
	within 20 delivered
	sleep 1 # qmail-pop3d lists no message of the current second
fi
for server in $(pgrep -f '^tcpserver-sql .* (25|587|465) '); do
	awk '/^[UG]id:|^Groups:/ { $1 = ""; print "runs as" $0 }' "/proc/$server/status" | sed 's/ *$//'
done | sort -u
lspawn=$(pgrep -o -f '^qmail-lspawn ' || :)
if [ -n "$lspawn" ]; then echo "qmail-lspawn runs $(basename "$(readlink "/proc/$lspawn/exe")")"; fi
echo "pop3: $(pop3 secret)"
echo "pop3, wrong: $(pop3 wrong)"
echo "relay: $(sqlite3 $home/users/mail.db 'SELECT ip_addr FROM relay')"

# qmail-sqld comes back, and the other services have not noticed.
case $supervisor in
daemontools) svc -t qmail-sqld ;;
s6) s6-svc -t qmail-sqld ;;
esac
works() { pop3 secret | grep -q ^messages; }
within 10 works && echo "after a restart: works"
# POP3 for many users, in its place.
rm popd/down
case $supervisor in
daemontools) svc -d pop3d && svc -u popd ;;
s6) s6-svc -wd -d pop3d && s6-svc -u popd ;;
esac
pop3_of_popd() { pgrep -f '^qmail-popd ' >/dev/null && works; }
within 20 pop3_of_popd && echo "popd: works"
for service in *; do
	case $supervisor in
	daemontools) svstat "$service" "$service/log" ;;
	s6) for s in "$service" "$service/log"; do echo "$s: $(s6-svstat -o up,ready "$s")"; done ;;
	esac
done
sleep 1
for log in /var/log/qmail/*; do sed "s:^@[^ ]* :${log##*/}| :" "$log/current"; done
