#!/bin/sh
# Does each public header compile by itself, as C and as C++, without a warning, and do the
# macros work in C++?
# usage: headers.sh [TREE]    exit 0 yes, 1 no, 77 no compiler
set -u
tree=${1:-${srcdir:-.}}
include=$tree/src/include
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

cat >"$tmp/macros.cc" <<'END'
#include <reeve/reeve.h>

static int body(void *)
{
	return 0;
}

int use_macros()
{
	int rc = 0;

	RV_TIMEOUT(RV_SEC(1), rc)
	{
		rc = rv_sleep(RV_MS(1));
	}
	RV_GROUP(g, RV_GROUP_COLLECT, rc)
	{
		if (!rv_group_spawn(g, body, nullptr))
			rc = -1;
	}
	return rc < 0 ? rc : rv_timed(RV_MS(1), rv_yield());
}
END
n=0
bad=0
try() { # COMPILER FILE OPTION...
	compiler=$1
	file=$2
	shift 2
	n=$((n + 1))
	"$compiler" "$@" -Wall -Wextra -Werror -fsyntax-only -I"$include" "$file" || {
		echo "$compiler: ${file##*/} (of $header) does not compile by itself"
		bad=1
	}
}
for header in "$include"/reeve/*.h; do
	echo "#include <reeve/${header##*/}>" >"$tmp/one.c"
	cp "$tmp/one.c" "$tmp/one.cc"
	for cc in gcc clang; do
		command -v $cc >/dev/null || continue
		# ISO C alone, too: the system's headers declare less then
		for std in gnu11 c11 c99; do
			try $cc "$tmp/one.c" -std=$std
		done
	done
	for cxx in g++ clang++; do
		! command -v $cxx >/dev/null || try $cxx "$tmp/one.cc" -std=c++17
	done
done
header=reeve.h
for cxx in g++ clang++; do
	! command -v $cxx >/dev/null || try $cxx "$tmp/macros.cc" -std=c++17
done
if [ $n -eq 0 ]; then
	echo "skipped: there is neither gcc nor clang"
	exit 77
fi
exit $bad
