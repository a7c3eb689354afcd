#!/bin/sh
# Measures, and writes RESULTS.md and its plots from what was found. BENCH names the parts, all of them unless told;
# what other parts found in an earlier run is kept, with its date. A part that fails loses its own figures alone,
# and the exit code says so. STOCK_QMAIL is the home of a stock qmail, to measure it as well.
set -eu
cd "$(dirname "$0")/.."
# Some of it runs as users who cannot look into root's home: should the tree lie there, it is seen elsewhere.
if [ "$(id -u)" = 0 ] && [ "${1:-}" != --elsewhere ] &&
	! setpriv --reuid 64900 --regid 64900 --clear-groups test -x "$PWD/bin/qmail-mysql"; then
	elsewhere=$(mktemp -d)
	status=0
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -c 'mount --bind "$PWD" "$1" && cd "$1" && bench/run.sh --elsewhere' sh "$elsewhere" ||
		status=$?
	rmdir "$elsewhere"
	exit $status
fi
all="processes lookups logins disturbed deliveries mailboxes connections rebuild"
bun=$(scripts/find-bun.sh)
results=build/bench/results
[ -n "${BENCH:-}" ] || rm -rf "$results"
mkdir -p "$results"
bench/compile.sh build/bench
# What the runtime costs before it does anything of ours: the same build of an empty program.
echo 'process.exit(0);' >build/bench/empty.ts
"$bun" build build/bench/empty.ts --compile --minify --bytecode --format=esm \
	--compile-executable-path="$PWD/build/runtime" --compile-jit-policy=10 \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig \
	--no-compile-autoload-tsconfig --no-compile-autoload-package-json \
	--outfile build/bench/empty >/dev/null

measure() { # PART
	case $1 in
	processes | lookups | disturbed) "$bun" "bench/$1.ts" ;;
	logins | mailboxes) test/with-accounts.sh "$bun" "bench/$1.ts" ;;
	deliveries) bench/lspawn.sh ;;
	connections) bench/relay.sh 3 20000 ;;
	rebuild) RUNS=2 bench/rebuild-cdb.sh ;;
	*) echo "no part $1; there are: $all" >&2 && return 100 ;;
	esac
}
now() { date -u +'%Y-%m-%d %H:%M'; }
load() { cut -d' ' -f1 /proc/loadavg; }

failed=
for part in ${BENCH:-$all}; do
	echo "== $part"
	file=$results/$part.jsonl
	rm -f "$file" "$file.new"
	RESULTS=$PWD/$file.new
	export RESULTS
	before=$(load) began=$(date +%s) when=$(now)
	if measure "$part"; then ended=true; else
		ended=false failed="$failed $part"
	fi
	{
		printf '{"when":"%s","seconds":%s,"load":[%s,%s],"ended":%s}\n' \
			"$when" $(($(date +%s) - began)) "$before" "$(load)" "$ended"
		cat "$file.new" 2>/dev/null || :
	} >"$file"
	rm -f "$file.new"
done
"$bun" bench/report.ts "$results" bench
"$(echo node_modules/@biomejs/cli-*/biome)" format --write bench/RESULTS.md >/dev/null
[ -z "$failed" ] || { echo "bench: failed:$failed" >&2 && exit 1; }
