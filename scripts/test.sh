#!/bin/sh
# Runs all suites, or the files named; the last line sums them. Needs `make` and `scripts/setup.sh test` first.
set -eu
cd "$(dirname "$0")/.."
bun=$(scripts/find-bun.sh)
exec test/with-accounts.sh "$bun" --bun node_modules/vitest/vitest.mjs run "$@"
