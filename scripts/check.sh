#!/bin/sh
# Checks types, lint rules, borders between packages, manuals and scripts.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/entry
node scripts/entry.js build/entry
node_modules/.bin/tsc -p .
"$(echo node_modules/@biomejs/cli-*/biome)" check --error-on-warnings .
scripts/boundaries.sh
find packages -name '*.[578]' -exec mandoc -Tlint -Wwarning {} +
# shellcheck disable=SC2046 # one word each
shellcheck scripts/*.sh test/*.sh test/lib/*.sh bench/*.sh bench/*/*.sh .ci/run $(find conf/run -type f -name run)
echo "check: all well"
