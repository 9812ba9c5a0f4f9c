#!/bin/sh
# Every test under each compiler and sanitizer: {gcc, clang} x {plain, address and
# undefined, thread}. Slow; .ci/run is what must pass before a merge.
# usage: contrib/dev/check-all.sh [VARIABLE=VALUE...]      for make check
set -eu
cd "$(dirname "$0")/../.."
exec </dev/null

contrib/setup clang
. contrib/dev/build.sh
summary=
status=0
for compiler in gcc clang; do
	for kind in plain address,undefined thread; do
		name=$compiler-$kind
		sanitizers=--disable-sanitizers
		[ $kind = plain ] || sanitizers=--enable-sanitizers=$kind
		echo "==== $name"
		CC=$compiler prepare "build/$name" "$sanitizers"
		if make -s -C "build/$name" -j"$(nproc)" WERROR_CFLAGS=-Werror &&
			make -s -C "build/$name" -k -j"$(nproc)" check "$@"; then
			result=passed
		else
			result="FAILED (build/$name/test-suite.log)"
			status=1
		fi
		summary="$summary
$name: $result"
	done
done
echo "$summary"
exit $status
