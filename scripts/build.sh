#!/bin/sh
# build.sh [DIR]: builds qmail-mysql and a link per program in DIR, bin unless told. RUNTIME is bun (one
# self-contained executable) or node (a plain bundle for a Node >= 24, whose absolute path NODE names).
set -eu
out=${1:-$(dirname "$0")/../bin}
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
runtime=${RUNTIME:-bun}
# The executable goes by the name of one of its programs: that one needs no link.
programs=$(sed -n '/qmail-mysql"/d; s/^  "\{0,1\}\([a-z0-9-]*\)"\{0,1\}: { load.*/\1/p' packages/programs/multicall/main.ts)
mkdir -p build

bun=$(scripts/find-bun.sh)

case $runtime in
bun)
	# A copy of the runtime that no environment variable can turn into something else: the names below get a
	# first byte that no variable's name can have. A count that differs is a runtime nobody has looked at.
	node scripts/harden.js "$bun" build/runtime
	product=build/qmail-mysql
	"$bun" scripts/bundle.js bun "$product" "$PWD/build/runtime"
	;;
node)
	node=${NODE:-$(command -v node)}
	"$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24 ? 1 : 0)' ||
		{ echo "build: $node is older than Node 24: set NODE" >&2; exit 1; }
	product=build/qmail-mysql.mjs
	"$bun" scripts/bundle.js node "$product" "$node"
	;;
*)
	echo "build: RUNTIME is bun or node, not $runtime" >&2
	exit 1
	;;
esac
chmod 755 "$product"
mv "$product" "$out/qmail-mysql"
for program in $programs; do ln -sf qmail-mysql "$out/$program"; done
