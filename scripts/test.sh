#!/bin/sh
# Runs all tests, or the given files; the last line is the summary. Requires `make` and `scripts/setup.sh test` before.
set -eu
cd "$(dirname "$0")/.."
bun=$(scripts/find-bun.sh)
# The programs run as several users, who cannot read the tree if it is in root's home.
TEST_BIN=$(mktemp -d)
trap 'rm -rf "$TEST_BIN"' EXIT
chmod 755 "$TEST_BIN"
cp -a bin/. "$TEST_BIN"
export TEST_BIN
test/with-accounts.sh "$bun" --bun node_modules/vitest/vitest.mjs run "$@"
