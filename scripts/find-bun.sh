#!/bin/sh
# Prints the path of the runtime that npm installed. It is in the package of its platform, since npm ran no install
# script, which would have moved it.
set -eu
cd "$(dirname "$0")/.."
for candidate in node_modules/@oven/bun-*/bin/bun node_modules/bun/bin/bun.exe; do
	if [ -x "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
		echo "$PWD/$candidate"
		exit
	fi
done
echo "find-bun: no bun in node_modules: run 'npm ci' first" >&2
exit 1
