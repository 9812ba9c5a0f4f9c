#!/bin/sh
# Give the names in a static library that are none of its interface a prefix: a shared
# library hides them, an archive cannot, and a program's own loop_run() would clash with it.
# Members stay apart, so that a program gets only those it needs.
# usage: NM=... OBJCOPY=... RANLIB=... prefix_names.sh ARCHIVE PUBLIC-PREFIX NEW-PREFIX
set -eu
archive=$1
public=$2
prefix=$3
names=$(mktemp)
trap 'rm -f "$names"' EXIT
trap 'exit 1' HUP INT TERM
# those of a compiler begin with two underscores
${NM:-nm} -g --defined-only "$archive" |
	awk -v public="$public" -v prefix="$prefix" 'NF == 3 && index($3, public) != 1 &&
		index($3, "__") != 1 && !seen[$3]++ { print $3, prefix $3 }' >"$names"
[ -s "$names" ] || exit 0
${OBJCOPY:-objcopy} --redefine-syms="$names" "$archive"
${RANLIB:-ranlib} "$archive"
