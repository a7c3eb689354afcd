#!/bin/sh
# stock-qmail.sh HOME MAIL BIN: a copy of the stock qmail in HOME, put where HOME is (its programs know no other
# place), with our qmail-getpw and qmail-local from BIN and the control files that our rebuild-cdb makes, takes the
# messages MAIL/*.message with the envelopes MAIL/*.envelope, and runs until none is left; its log is on descriptor 1.
# The files in MAIL/control replace its own. Root only; only this process's mount namespace changes.
set -eu
if [ "$1" != --inside ]; then exec unshare --mount --propagation private "$0" --inside "$@"; fi
home=$2 mail=$3 ours=$4

copy=$(mktemp -d)
chmod 755 "$copy"
cp -a "$home" "$copy/home"
for part in mess info local remote bounce todo intd pid; do find "$copy/home/queue/$part" -type f -delete; done
cp "$mail/control/"* "$copy/home/control/"
chmod 644 "$copy/home/control/"*
for program in qmail-getpw qmail-local; do ln -sf "$ours/$program" "$copy/home/bin/$program"; done
mount --bind "$copy/home" "$home"

QMAIL_HOME=$home "$ours/rebuild-cdb" --no-hup >&2
for message in "$mail"/*.message; do
	setuidgid sam "$home/bin/qmail-queue" <"$message" 1<"${message%.message}.envelope"
done
QMAIL_HOME=$home PATH=$home/bin:$PATH "$home/bin/qmail-start" ./Maildir/ cat >"$mail/log" &
start=$!
count() { find "$home"/queue/mess "$home"/queue/todo -type f | wc -l; }
tries=0
while [ "$(count)" != 0 ] && [ "$tries" -lt 200 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
kill "$start" # has become qmail-send
wait "$start" || :
cat "$mail/log"
umount "$home"
rm -rf "$copy"
