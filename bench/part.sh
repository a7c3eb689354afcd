#!/bin/sh
# part.sh PART: compiles what it needs, and runs one part of the suite. Each measurement is a line of JSON in the file
# that RESULTS names, if set, and a readable line on descriptor 1.
set -eu
cd "$(dirname "$0")/.."
bun=$(scripts/find-bun.sh)
bench/c/compile.sh build/bench
case $1 in
processes)
	# What the runtime costs before it does anything of ours: the same build of an empty program.
	echo 'process.exit(0);' >build/bench/empty.ts
	"$bun" scripts/harden.js "$bun" build/bench/runtime
	"$bun" build build/bench/empty.ts --compile --minify --bytecode --format=esm \
		--compile-executable-path="$PWD/build/bench/runtime" --compile-jit-policy=10 \
		--no-compile-autoload-dotenv --no-compile-autoload-bunfig \
		--no-compile-autoload-tsconfig --no-compile-autoload-package-json \
		--outfile build/bench/empty >/dev/null
	exec "$bun" bench/parts/processes.ts
	;;
rebuild) exec bench/parts/rebuild.sh ;;
deliveries | memory | logins | mailboxes | smtpd | pop3) exec test/with-accounts.sh "$bun" "bench/parts/$1.ts" ;;
*) exec "$bun" "bench/parts/$1.ts" ;;
esac
