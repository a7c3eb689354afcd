#!/bin/sh
# Measures ours against the C twins and writes RESULTS.md; exits non-zero only when it cannot measure.
# ROUNDS and RUNS make it longer or shorter.
set -eu
cd "$(dirname "$0")/.."
bun=$(scripts/find-bun.sh)
bench/compile.sh build/bench
# What the runtime costs before it does anything of ours: the same build of an empty program.
echo 'process.exit(0);' >build/bench/empty.ts
"$bun" build build/bench/empty.ts --compile --minify --bytecode --format=esm \
	--compile-executable-path="$PWD/build/runtime" --compile-jit-policy=10 \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig \
	--no-compile-autoload-tsconfig --no-compile-autoload-package-json \
	--outfile build/bench/empty >/dev/null
"$bun" bench/bench.ts
"$(echo node_modules/@biomejs/cli-*/biome)" format --write bench/RESULTS.md >/dev/null
