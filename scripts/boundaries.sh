#!/bin/sh
# Checks the three layers of packages/: decisions import only decisions, and do no input or output; edges import
# edges and decisions; programs import both, but no program, and each has a manual page.
set -eu
cd "$(dirname "$0")/../packages"
status=0
bad() {
	echo "boundaries: $1" >&2
	status=1
}
sources() { find "$@" -name '*.ts' ! -name '*.test.ts' ! -name '*.d.ts'; }
# names LAYER: its packages, as an alternation of a regular expression
names() { find "$1" -mindepth 1 -maxdepth 1 -type d -printf '%f|' | sed 's/|$//'; }

# node:crypto is allowed: it does no input or output.
sources decisions | xargs grep -nE 'from "node:|getBuiltinModule|"bun:|process\.' | grep -v 'node:crypto"' &&
	bad "a decision may not reach for the world"
sources decisions | xargs grep -nE "@qmail-mysql/($(names edges)|$(names programs))\"" &&
	bad "decisions import decisions alone"
# multicall is the entry of the executable, which loads the program under whose name it is called.
sources edges programs | grep -v '^programs/multicall/' | xargs grep -nE "@qmail-mysql/($(names programs))\"" &&
	bad "nothing imports a program"
# For a dynamic import the bundler keeps all exports, and the modules they import, in chunks that every program loads:
# node:fs alone adds a quarter to the start of each. The index.ts of a driver has only one export.
sources . | xargs grep -nE "import\(\"@qmail-mysql/($(names edges | sed -E 's/(^|\|)(mysql|sqlite)\b//g'))\"\)" &&
	bad "a dynamic import names a module of an edge, not its index.ts"
sed '/^#/d' programs/manifest | {
	while read -r program _ manual _; do
		[ -e "programs/$program/main.ts" ] || bad "programs/manifest names $program, which has no main.ts"
		[ -e "programs/$program/$manual" ] || bad "$program has no manual page"
	done
	exit $status
} || status=1
# A program does input and output only in its edge/ folder; an exception gives the reason on its first line.
sources programs | grep -v '/edge/' | while read -r file; do
	head -n 1 "$file" | grep -q '^// Resident loop: ' || echo "$file"
done | xargs grep -nE '(from|getBuiltinModule\()[ ]?"(node:(fs|net|child_process|dns)[/"]|bun:)' &&
	bad "a program touches the world in edge/ alone"
# Limits the size of a folder, unless its index.ts gives the reason.
find . -type d -not -path '*/node_modules*' | while read -r dir; do
	files=$(find "$dir" -maxdepth 1 -name '*.ts' ! -name '*.test.ts' ! -name '*.d.ts')
	# shellcheck disable=SC2086 # one word each
	[ -z "$files" ] || echo "$dir $(echo "$files" | wc -l) $(cat $files | wc -l)"
done | while read -r dir files lines; do
	[ "$files" -gt 25 ] || [ "$lines" -gt 1200 ] || continue
	grep -qs '^// Larger than 25 files or 1,200 lines: ' "$dir/index.ts" ||
		echo "boundaries: packages/${dir#./}: $files files, $lines lines"
done | grep . >&2 && bad "a folder has 25 source files and 1,200 lines at most"
for main in programs/*/main.ts; do
	program=$(basename "$(dirname "$main")")
	[ "$program" = multicall ] || grep -q "^$program " programs/manifest || bad "programs/manifest does not name $program"
done
exit $status
