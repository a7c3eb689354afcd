#!/bin/sh
# stock-tables.sh HOME DIR BIN: a copy of the stock qmail in HOME, where HOME is (its programs know no other place),
# gets its tables from rebuild-cdb and the database DIR/mail.db, takes the messages of DIR/first, is told of
# DIR/change.sql by rebuild-cdb while it runs, and takes those of DIR/second. A file there is named for its
# recipient. DIR/getpw gets the local parts that qmail-getpw was asked for. Root only; nothing outside of this
# process's mount namespace changes.
set -eu
if [ "$1" != --inside ]; then exec unshare --mount --propagation private "$0" --inside "$@"; fi
home=$2 dir=$3 ours=$4

copy=$(mktemp -d)
chmod 755 "$copy"
cp -a "$home" "$copy/home"
for part in mess info local remote bounce todo intd pid; do find "$copy/home/queue/$part" -type f -delete; done
control=$copy/home/control
rm -f "$control"/virtualdomains* "$control"/morercpthosts* "$copy"/home/users/*
for file in me locals rcpthosts; do echo stock.test >"$control/$file"; done
printf 'driver sqlite\ndb %s/mail.db\nhome_mismatch alias\n' "$dir" >"$control/sqlserver"
: >"$dir/getpw"
chmod 666 "$dir/getpw"
rm "$copy/home/bin/qmail-getpw"
cat >"$copy/home/bin/qmail-getpw" <<END
#!/bin/sh
echo "\$1" >>'$dir/getpw'
exec '$ours/qmail-getpw' "\$1"
END
ln -sf "$ours/qmail-local" "$copy/home/bin/qmail-local"
chmod 755 "$copy/home/bin/qmail-getpw"
mount --bind "$copy/home" "$home"
QMAIL_HOME=$home
export QMAIL_HOME
"$ours/rebuild-cdb" routing assign

inject() {
	for message in "$1"/*; do
		to=${message##*/}
		printf 'Fjoe@stock.test\0T%s\0\0' "$to" >"$dir/envelope"
		setuidgid joe "$home/bin/qmail-queue" <"$message" 1<"$dir/envelope"
	done
	tries=0
	while [ "$(find "$home"/queue/mess "$home"/queue/todo -type f | wc -l)" != 0 ] && [ "$tries" -lt 150 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}
PATH=$home/bin:$PATH "$home/bin/qmail-start" ./Maildir/ cat >"$dir/log" &
start=$!
inject "$dir/first"
sqlite3 "$dir/mail.db" <"$dir/change.sql"
"$ours/rebuild-cdb" --json routing assign
inject "$dir/second"
kill "$start" # has become qmail-send
wait "$start" || :
cat "$dir/log"
umount "$home"
rm -rf "$copy"
