#!/bin/sh
# Does libreeve.so export what debian/libreeve0.symbols lists, and nothing else? That list
# is the ABI: a function that goes from it needs a new soname, one that comes stands there
# with the version that brought it.
# usage: exports.sh [TREE]    in a build directory; exit 0 yes, 1 no, 77 no shared library
set -u
list=${1:-${srcdir:-.}}/debian/libreeve0.symbols
library=.libs/libreeve.so
if [ ! -e $library ]; then
	echo "skipped: there is no $library (--disable-shared?)"
	exit 77
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

sed -n 's/^ \([^ ]*\)@Base .*/\1/p' "$list" | LC_ALL=C sort >"$tmp/listed" || exit 1
nm -D --defined-only $library >"$tmp/nm" || exit 1
awk '{ print $NF }' "$tmp/nm" | LC_ALL=C sort >"$tmp/exported"

bad=0
if ! diff -U 0 "$tmp/listed" "$tmp/exported"; then
	echo "$library does not export what debian/libreeve0.symbols lists (-: not" \
		"exported, +: not listed)"
	bad=1
fi
if grep -v '^rv_' "$tmp/exported"; then
	echo "$library: names without rv_"
	bad=1
fi
[ -s "$tmp/exported" ] || bad=1
exit $bad
