#!/bin/sh
# Measures, stores the results of each part in results/PART.json, and writes RESULTS.md and its plots from all results.
# BENCH names the parts; default: all. If a part fails, only its own figures are missing, and the exit code is not 0.
# STOCK_QMAIL is the home of a stock qmail, to measure it as well.
set -eu
cd "$(dirname "$0")/.."
# Some programs run as users who cannot read root's home: if the tree is there, it is mounted elsewhere.
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
all="processes lookups logins disturbed deliveries memory mailboxes connections smtpd pop3 rebuild"
bun=$(scripts/find-bun.sh)
load() { cut -d' ' -f1 /proc/loadavg; }

failed=
for part in ${BENCH:-$all}; do
	case " $all " in *" $part "*) ;; *)
		echo "bench: no part $part; there are: $all" >&2
		exit 100
		;;
	esac
	echo "== $part"
	RESULTS=$PWD/build/bench/$part.jsonl
	export RESULTS
	mkdir -p build/bench
	: >"$RESULTS"
	before=$(load) began=$(date +%s)
	if bench/part.sh "$part"; then ended=true; else
		ended=false failed="$failed $part"
	fi
	"$bun" bench/report/keep.ts "$part" "$began" "$before" "$(load)" $ended
done
"$bun" bench/report/main.ts
"$(echo node_modules/@biomejs/cli-*/biome)" format --write bench/RESULTS.md bench/results >/dev/null
[ -z "$failed" ] || { echo "bench: failed:$failed" >&2 && exit 1; }
