#!/bin/sh
# Runs the README's commands in a minimal Debian with only make, git, Node and npm, made by mmdebstrap in a temporary
# directory. COMMANDS: the targets of make, default "demo check test". Uses a clone, without uncommitted changes.
# Debian's mirrors, npm's registry and proxies are those of the machine: its configuration is copied into the root
# directory of the Debian, not into the tree. Requires root.
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ]; then
	echo "fresh: making a root needs root: sudo make fresh" >&2
	exit 1
fi
# In new mount and process namespaces, so that both disappear at the end in any case.
[ "${1:-}" = --inside ] || exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$0" --inside

say() { echo "fresh: $*" >&2; }
# With the permissions and devices of a system, searchable by every user.
dir=$(mktemp -d "${TMPDIR:-/tmp}/fresh.XXXXXX")
root=$dir/root
trap 'umount -R "$root" 2>/dev/null; rm -rf --one-file-system "$dir"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$dir"

# The package sources and proxies of the machine.
sources=$(grep -lsE '^(deb|URIs)' /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources || :)
apt-config dump | grep -E '^Acquire::https?::' >"$dir/apt.conf" || :
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
say "a minimal Debian $suite"
# shellcheck disable=SC2086 # one word each
mmdebstrap --quiet --mode=root --variant=minbase --include=make,git,ca-certificates \
	--aptopt="$dir/apt.conf" "$suite" "$root" $sources >&2
cp /etc/hosts /etc/resolv.conf "$root/etc/"

# Node and npm of the machine, since Debian's may be older than package.json permits.
node=$(readlink -f "$(command -v node)")
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
say "Node $("$node" --version), npm $(npm --version 2>/dev/null)"
mkdir -p "$root/usr/lib/node_modules"
cp "$node" "$root/usr/bin/node"
cp -a "$npm" "$root/usr/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
for config in $(npm config get globalconfig 2>/dev/null) $(npm config get userconfig 2>/dev/null); do
	[ ! -e "$config" ] || install -D -m 600 "$config" "$root$config"
done

# The certificate of a proxy, if the machine has one.
ca=${NODE_EXTRA_CA_CERTS:-}
[ -z "$ca" ] || install -D -m 644 "$ca" "$root$ca"

say "a clone of $(git rev-parse --short HEAD)"
git clone --quiet --no-local . "$root/root/qmail-mysql"

mount --bind "$root" "$root" # a mount point, so that what runs inside can unshare its own mounts
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
for command in ${COMMANDS:-demo check test}; do
	say "make $command"
	# shellcheck disable=SC2016 # expanded inside
	env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
		${http_proxy+http_proxy="$http_proxy"} ${https_proxy+https_proxy="$https_proxy"} ${no_proxy+no_proxy="$no_proxy"} \
		${ca:+NODE_EXTRA_CA_CERTS="$ca"} \
		chroot "$root" sh -c 'cd /root/qmail-mysql && exec make "$1"' sh "$command" ||
		{ say "make $command failed"; exit 1; }
done
say "all well: ${COMMANDS:-demo check test}"
