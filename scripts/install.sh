#!/bin/sh
# install.sh [uninstall]: installs bin/ in $DESTDIR and the qmail home ($QMAIL_HOME, else conf/conf-qmail), or removes
# it. $PROGRAMS: the programs; each level of the README works without the next. By default qmail-local and qmail-lspawn
# are not installed, since all local mail depends on them, nor qmail-smtpd, since the one that is there may be patched.
# qmail-local requires qmail-sqld, since it runs as every user, who may not read control/sqlserver.
# Builds nothing: installs what was built, and tested with "make test".
# Without control/sqlserver the mail programs would defer all local mail, so they are not installed, except with
# CONFIGURE=later, or DESTDIR, for a package.
# Files are replaced with rename(2): qmail-lspawn bounces mail if a program is missing even briefly.
set -eu
cd "$(dirname "$0")/.."
home=${DESTDIR:-}${QMAIL_HOME:-$(sed -n 1p conf/conf-qmail)}
man=${DESTDIR:-}${MANDIR:-/usr/local/share/man}
bin=$home/bin
built=$(scripts/programs.sh | grep -vx qmail-mysql)

# Is it a link to this executable, not a stock program or another link?
ours() { [ -L "$1" ] && [ "$(readlink "$1")" = qmail-mysql ]; }
manuals() { find packages -name '*.[578]'; }
# yes QUESTION: asks on the terminal; false if there is none.
yes() {
	[ -t 0 ] && [ -t 2 ] || return 1
	printf '%s [y/N] ' "$1" >&2
	read -r answer
	[ "$answer" = y ]
}

for program in ${PROGRAMS:-}; do
	echo "$built" | grep -qxF "$program" || {
		echo "install: there is no program $program here: PROGRAMS takes $(echo "$built" | tr '\n' ' ')" >&2
		exit 1
	}
done

# lose: warns of mail that will bounce with the stock programs, with numbers if the database can be read.
lose() {
	if users=$(QMAIL_HOME=$home "$bin/qmail-mysql" user list 2>/dev/null) &&
		domains=$(QMAIL_HOME=$home "$bin/qmail-mysql" domain list 2>/dev/null); then
		mailboxes=0
		for user in $(echo "$users" | sed '1d; s/ .*//'); do
			getent passwd "$user" >/dev/null || mailboxes=$((mailboxes + 1))
		done
		domains=$(echo "$domains" | sed 1d | grep -c .) || :
		lost="for $mailboxes mailboxes without a system account, and for what the tables say of $domains domains,"
	else
		lost="for every mailbox without a system account, and for virtual domains (the database cannot be asked how many)"
	fi
	echo "uninstall: warning: mail $lost will bounce" >&2
}

if [ "${1:-}" = uninstall ]; then
	for program in ${PROGRAMS:-$built}; do
		case $program in
		qmail-getpw | qmail-local | qmail-lspawn)
			if ours "$bin/$program"; then
				lose
				break
			fi
			;;
		esac
	done
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
	if [ -z "${PROGRAMS:-}" ]; then
		# A link to a removed file is useless, whoever created it.
		find "$bin" -type l -lname qmail-mysql -delete
	elif [ -n "$(find "$bin" -type l -lname qmail-mysql)" ]; then
		exit # the programs that are left need the executable
	fi
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

programs=${PROGRAMS:-$(echo "$built" | grep -vx -e qmail-local -e qmail-lspawn -e qmail-smtpd)}
if [ -z "${DESTDIR:-}" ] && [ "${CONFIGURE:-}" != later ] &&
	! [ -e "$home/control/sqlserver" ] && ! [ -e "$home/control/sqld" ] &&
	echo "$programs" | grep -qE '(^| )qmail-(getpw|local|lspawn)( |$)' &&
	! yes "There is no $home/control/sqlserver: until there is, all local mail is deferred. Install?"; then
	echo "install: there is no $home/control/sqlserver, and until there is, all local mail would be deferred:" >&2
	echo "install: write it first (doc/guide.md; bin/qmail-mysql init, bin/qmail-mysql check), or say CONFIGURE=later" >&2
	exit 1
fi
if [ -z "${DESTDIR:-}" ] && [ "${CONFIGURE:-}" != later ] && ! [ -e "$home/control/sqld" ] &&
	echo "$programs" | grep -qE '(^| )qmail-local( |$)' && ! ours "$bin/qmail-local" &&
	! yes "There is no $home/control/sqld: users whom control/sqlserver is closed to get no mail. Install?"; then
	echo "install: there is no $home/control/sqld, and qmail-local runs as every user: mail would be deferred for all" >&2
	echo "install: whom control/sqlserver is closed to: start qmail-sqld first (doc/guide.md), or say CONFIGURE=later" >&2
	exit 1
fi

mkdir -p "$bin"
cp bin/qmail-mysql "$bin/.qmail-mysql.new"
chmod 755 "$bin/.qmail-mysql.new"
if [ "$(id -u)" = 0 ]; then
	# The group qmail may not exist where a package is built.
	chown root:qmail "$bin/.qmail-mysql.new" 2>/dev/null || chown root:root "$bin/.qmail-mysql.new"
fi
sync "$bin/.qmail-mysql.new"
mv -f "$bin/.qmail-mysql.new" "$bin/qmail-mysql"
for program in $programs; do
	if [ -e "$bin/$program" ] && ! ours "$bin/$program"; then
		# A second link to the stock program; the first name is then replaced with rename(2).
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
