#!/bin/sh
# A trial of the comparison with other runtimes, so that it does not rot: libreeve, the
# bounds and each peer that is installed here do each work once, and the table says so.
# What the figures are does not matter.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

sh "${srcdir:-.}/tests/bench/peers/compare.sh" 1 0 >"$tmp/out" || {
	cat "$tmp/out"
	echo "FAIL: a peer that is installed did not answer"
	exit 1
}
cat "$tmp/out"
tests/bench/bench_runtime --list | awk -F'|' '
NR == FNR { # columns: by their width, for a work is several words
	row = $0
	sub(/ .*/, "", row)
	bound[row] = substr($0, 35, 9) + 0
	ours[row] = substr($0, 45, 9) + 0
	next
}
{ n++ }
ours[$1] <= 0 { print "FAIL: no figure of ours for " $1; bad = 1 }
# the least that a sleeper is late is nothing
!($1 in bound) || (bound[$1] <= 0 && $1 != "C4p") { print "FAIL: no bound for " $1; bad = 1 }
END { exit bad || n == 0 }' "$tmp/out" -
