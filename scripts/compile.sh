#!/bin/sh
# compile.sh PRODUCT: makes the executable. RUNTIME is bun (a self-contained executable) or node (a bundle for Node >=
# 24, whose absolute path is NODE). The same sources and runtime make the same bytes, in any directory.
set -eu
product=$(realpath "$1")
cd "$(dirname "$0")/.."
runtime=${RUNTIME:-bun}
bun=$(scripts/find-bun.sh)
mkdir -p build
dir=$(mktemp -d "$PWD/build/compile.XXXXXX")
trap 'rm -rf "$dir"' EXIT

"$bun" scripts/entry.js "$dir"
"$bun" scripts/light-mysql2.js node_modules/mysql2 "$dir/mysql2" "$runtime"
echo '{ "compilerOptions": { "paths": { "mysql2": ["./mysql2/index.js"] } } }' >"$dir/tsconfig.json"

case $runtime in
bun)
	# A copy of the runtime whose behaviour environment variables cannot change.
	"$bun" scripts/harden.js "$bun" "$dir/runtime"
	"$bun" scripts/bundle.js bun "$dir" "$dir/runtime"
	;;
node)
	node=${NODE:-$(command -v node)}
	"$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24 ? 1 : 0)' ||
		{ echo "compile: $node is older than Node 24: set NODE" >&2; exit 1; }
	"$bun" scripts/bundle.js node "$dir" "$node"
	;;
*)
	echo "compile: RUNTIME is bun or node, not $runtime" >&2
	exit 1
	;;
esac
# The bundler ignores unknown options, so verify that it has used the modified driver.
! grep -q ER_HASHCHK "$dir/executable" || { echo "compile: the driver is not the one of $dir" >&2; exit 1; }
chmod 755 "$dir/executable"
mv "$dir/executable" "$product"
