#!/bin/sh
# install.sh [uninstall]: puts bin/ below $DESTDIR and the qmail home of conf/conf-qmail, or takes it out.
# $PROGRAMS names the programs: each level of the README works without the next. Unless named, qmail-lspawn is
# not installed: every local delivery goes through it, so that is to be somebody's decision.
# What is installed is what was built, and tested with "make test": nothing is built here.
# Every file appears by rename: qmail-lspawn bounces mail for a program that is missing for a moment.
set -eu
cd "$(dirname "$0")/.."
home=${DESTDIR:-}$(sed -n 1p conf/conf-qmail)
man=${DESTDIR:-}${MANDIR:-/usr/local/share/man}
bin=$home/bin
built=$(scripts/programs.sh | grep -vx qmail-mysql)

# A link of ours, as opposed to a stock program or somebody else's link.
ours() { [ -L "$1" ] && [ "$(readlink "$1")" = qmail-mysql ]; }
manuals() { find packages -name '*.[578]'; }

if [ "${1:-}" = uninstall ]; then
	for program in ${PROGRAMS:-$built}; do
		if ours "$bin/$program"; then
			if [ -e "$bin/$program.stock" ]; then
				mv -f "$bin/$program.stock" "$bin/$program"
				echo "$bin/$program: the stock program is back"
			else
				rm "$bin/$program"
			fi
		fi
	done
	for program in $built; do
		if ours "$bin/$program"; then exit; fi # what is left still needs the executable
	done
	rm -f "$bin/qmail-mysql"
	for page in $(manuals); do rm -f "$man/man${page##*.}/$(basename "$page")"; done
	exit
fi

if ! [ -x bin/qmail-mysql ]; then
	echo "install: nothing is built: run make first, not as root" >&2
	exit 1
fi
newer=$(find packages conf sql scripts package-lock.json -type f ! -name '*.test.ts' ! -name '*.[578]' -newer bin/qmail-mysql | head -1)
if [ -n "$newer" ]; then
	echo "install: $newer is newer than bin/qmail-mysql: run make again" >&2
	exit 1
fi

mkdir -p "$bin"
cp bin/qmail-mysql "$bin/.qmail-mysql.new"
chmod 755 "$bin/.qmail-mysql.new"
if [ "$(id -u)" = 0 ]; then
	# A package is built where there may be no group qmail.
	chown root:qmail "$bin/.qmail-mysql.new" 2>/dev/null || chown root:root "$bin/.qmail-mysql.new"
fi
sync "$bin/.qmail-mysql.new"
mv -f "$bin/.qmail-mysql.new" "$bin/qmail-mysql"
for program in ${PROGRAMS:-$(echo "$built" | grep -vx qmail-lspawn)}; do
	if [ -e "$bin/$program" ] && ! ours "$bin/$program"; then
		# A second name for the stock program; the first is then replaced in one step.
		ln -f "$bin/$program" "$bin/$program.stock"
		echo "$bin/$program: the stock program is kept as $program.stock"
	fi
	ln -sf qmail-mysql "$bin/.$program.new"
	mv -f "$bin/.$program.new" "$bin/$program"
done
for page in $(manuals); do
	mkdir -p "$man/man${page##*.}"
	cp "$page" "$man/man${page##*.}/"
done
