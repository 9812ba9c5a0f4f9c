#!/bin/sh
# Does each library export what its list in debian/ has, and nothing else? That list is the
# ABI: a function that goes from it needs a new soname, one that comes stands there with the
# version that brought it.
# usage: exports.sh [TREE]    in a build directory; exit 0 yes, 1 no, 77 no shared library
set -u
tree=${1:-${srcdir:-.}}
if [ ! -e .libs/libreeve.so ]; then
	echo "skipped: there is no .libs/libreeve.so (--disable-shared?)"
	exit 77
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
bad=0

# check LIBRARY PREFIX: against debian/LIBRARY0.symbols
check() {
	library=.libs/$1.so
	list=debian/${1}0.symbols
	sed -n 's/^ \([^ ]*\)@Base .*/\1/p' "$tree/$list" | LC_ALL=C sort >"$tmp/listed" ||
		exit 1
	nm -D --defined-only "$library" >"$tmp/nm" || exit 1
	awk '{ print $NF }' "$tmp/nm" | LC_ALL=C sort >"$tmp/exported"
	if ! diff -U 0 "$tmp/listed" "$tmp/exported"; then
		echo "$library does not export what $list lists (-: not exported," \
			"+: not listed)"
		bad=1
	fi
	if grep -v "^$2" "$tmp/exported"; then
		echo "$library: names without $2"
		bad=1
	fi
	[ -s "$tmp/exported" ] || bad=1
}

check libreeve rv_
# built only where there is libcurl
if [ -e .libs/libreeve-http.so ]; then
	check libreeve-http rv_http_
fi
exit $bad
