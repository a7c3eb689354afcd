#!/bin/sh
# Prints the path of the runtime that npm installed. Its install step would have moved it; without that step
# it lies in its platform's own package.
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
