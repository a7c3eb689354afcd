#!/bin/sh
# reproducible.sh N: compiles this tree N times, every second time in a copy in another directory, the second half with
# all processors busy. Prints the number of each product; exits 1 unless all are the same.
set -eu
n=$1
tree=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$tree/build"
dir=$(mktemp -d "$tree/build/reproducible.XXXXXX")
busy=
finish() {
	# shellcheck disable=SC2086 # one word each
	[ -z "$busy" ] || kill $busy 2>/dev/null || :
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

mkdir -p "$dir/another place/tree"
for part in package.json scripts packages conf sql; do cp -a "$tree/$part" "$dir/another place/tree/"; done
cp -al "$tree/node_modules" "$dir/another place/tree/"
i=0
while [ "$i" -lt "$n" ]; do
	if [ $((2 * i)) -ge "$n" ] && [ -z "$busy" ]; then
		for _ in $(seq $((2 * $(nproc)))); do
			while :; do :; done &
			busy="$busy $!"
		done
	fi
	place=$tree
	[ $((i % 2)) = 0 ] || place="$dir/another place/tree"
	"$place/scripts/compile.sh" "$dir/product"
	sha256sum <"$dir/product" >>"$dir/sums"
	i=$((i + 1))
done
sort "$dir/sums" | uniq -c
[ "$(sort -u "$dir/sums" | wc -l)" = 1 ]
