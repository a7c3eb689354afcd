#!/bin/sh
# The architecture, checked: decisions touch nothing of the world, programs do not import programs, every
# program has a manual page.
set -eu
cd "$(dirname "$0")/../packages"
pure="wire control accounts routing password dotqmail relay delivery cdb pop3 assign tcprules"
status=0
bad() {
	echo "boundaries: $1" >&2
	status=1
}
for package in *; do
	files=$(find "$package" -name '*.ts' ! -name '*.test.ts' ! -name '*.d.ts')
	case " $pure " in
	*" $package "*)
		# node:crypto computes, it does not touch the world.
		# shellcheck disable=SC2086
		grep -nE 'from "node:|"bun:|process\.|@qmail-mysql/(unix|store)"' $files | grep -v 'node:crypto"' &&
			bad "$package decides: it may not reach for the world"
		;;
	esac
	[ -e "$package/main.ts" ] && [ "$package" != multicall ] && [ ! -e "$package/$package.8" ] &&
		bad "$package has no manual page"
	for program in */main.ts; do
		program=${program%/main.ts}
		# shellcheck disable=SC2086
		[ "$package" = multicall ] || ! grep -n "@qmail-mysql/$program\"" $files /dev/null ||
			bad "$package imports the program $program"
	done
done
exit $status
