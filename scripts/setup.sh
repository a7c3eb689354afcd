#!/bin/sh
# setup.sh LIST...: installs the dependencies of the named lists: npm packages from the lock file, Debian packages with
# apt-get. Missing ones are installed by root; other users are shown the command.
set -eu
cd "$(dirname "$0")/.."

want() {
	case $1 in
	build) ;; # only npm packages
	demo) echo ucspi-tcp:tcpserver curl:curl ;;
	test)
		want demo
		echo daemontools:setuidgid s6:s6-svscan systemd:systemd-analyze iproute2:/usr/sbin/ip mariadb-server:mariadbd galera-4:/usr/lib/galera/libgalera_smm.so rsync:rsync \
			openssl:openssl fetchmail:fetchmail mpop:mpop python3:python3 \
			gcc:gcc libc6-dev:/usr/include/stdio.h whois:mkpasswd argon2:argon2 dovecot-core:doveadm tinycdb:cdb sqlite3:sqlite3 strace:strace e2fsprogs:mkfs.ext4 socat:socat fail2ban:fail2ban-regex dnsmasq-base:dnsmasq haproxy:haproxy dovecot-pop3d:/usr/lib/dovecot/pop3 mailfront:smtpfront-echo \
			swaks:swaks libnet-ssleay-perl:/usr/share/doc/libnet-ssleay-perl libauthen-sasl-perl:/usr/share/doc/libauthen-sasl-perl libsasl2-modules:/usr/share/doc/libsasl2-modules msmtp:msmtp s-nail:s-nail \
			libgnutls-dane0:/usr/share/doc/libgnutls-dane0 libidn12:/usr/share/doc/libidn12 libnsl2:/usr/share/doc/libnsl2 libdb5.3:/usr/share/doc/libdb5.3 # of exim4
		;;
	fresh) echo mmdebstrap:mmdebstrap ;;
	check) echo mandoc:mandoc shellcheck:shellcheck ;;
	bench)
		want demo
		echo daemontools:setuidgid mariadb-server:mariadbd hyperfine:hyperfine strace:strace valgrind:valgrind e2fsprogs:mkfs.ext4 gcc:gcc libc6-dev:/usr/include/stdio.h time:/usr/bin/time \
			libmariadb-dev:/usr/include/mariadb/mysql.h libsqlite3-dev:/usr/include/sqlite3.h \
			libcrypt-dev:/usr/include/crypt.h libssl-dev:/usr/include/openssl/ssl.h openssl:openssl sqlite3:sqlite3 tinycdb:cdb whois:mkpasswd \
			courier-authlib-mysql:/usr/lib/courier-authlib/libauthmysql.so \
			dovecot-core:doveadm dovecot-pop3d:/usr/lib/dovecot/pop3 stunnel4:stunnel4 dovecot-mysql:/usr/lib/dovecot/modules/auth/libdriver_mysql.so
		;;
	*) echo "setup: no list $1" >&2 && exit 1 ;;
	esac
}

# A package is missing if its program or file is.
PATH=$PATH:/usr/sbin:/sbin
missing=
for list in "$@"; do
	for item in $(want "$list"); do
		command -v "${item#*:}" >/dev/null 2>&1 || [ -e "${item#*:}" ] || missing="$missing ${item%%:*}"
	done
done
if [ -n "$missing" ]; then
	missing=$(echo "$missing" | tr ' ' '\n' | sort -u | tr '\n' ' ')
	if [ "$(id -u)" != 0 ]; then
		echo "setup: please run: sudo apt-get install --no-install-recommends $missing" >&2
		exit 1
	fi
	echo "setup: installing from Debian: $missing" >&2
	apt-get -qq update >/dev/null
	# shellcheck disable=SC2086 # one word each
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
fi

# npm writes this file at the end; if it is older than the lock file, the packages may differ.
installed=node_modules/.package-lock.json
if [ ! -e $installed ] || [ -n "$(find package-lock.json -newer $installed)" ]; then
	echo "setup: npm ci" >&2
	npm ci --loglevel=error --no-audit --no-fund
	touch $installed
fi
