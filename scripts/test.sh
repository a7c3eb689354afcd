#!/bin/sh
# Runs all suites, or the files named; the last line sums them. Needs `make` and `scripts/setup.sh test` first.
set -eu
cd "$(dirname "$0")/.."
bun=$(scripts/find-bun.sh)
# The programs run as many users, who cannot look into root's home, should the tree lie there.
TEST_BIN=$(mktemp -d)
trap 'rm -rf "$TEST_BIN"' EXIT
chmod 755 "$TEST_BIN"
cp -a bin/. "$TEST_BIN"
export TEST_BIN
test/with-accounts.sh "$bun" --bun node_modules/vitest/vitest.mjs run "$@"
