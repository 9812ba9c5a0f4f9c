#!/bin/sh
# Programs that are marked as fit for a shadow stack get one where the system has it, and
# switching stacks is not fit: no such mark may come from the code that does it, so that the
# linker gives none to the whole. Jumps that land where they may (IBT) are fine.
# usage: shadow_stack.sh    in a build directory; exit 0 yes, 1 no, 77 it cannot be told here
# srcdir: the tree; REEVE_CC: the compiler
set -u
LC_ALL=C
export LC_ALL

if ! command -v readelf >/dev/null 2>&1; then
	echo "skipped: readelf is not installed"
	exit 77
fi
if ! grep -q '^#define HAVE_CORO_ASM 1' config.h; then
	echo "skipped: built without coro_asm.S"
	exit 77
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# REEVE_CC may have arguments
if ! ${REEVE_CC:-cc} -fcf-protection=full -c -o "$dir/asm.o" \
	"${srcdir:-.}/src/runtime/coro_asm.S" 2>"$dir/errors"; then
	echo "skipped: no -fcf-protection for this machine"
	exit 77
fi
marks=$(readelf -n "$dir/asm.o" | grep 'x86 feature:')
case $marks in
*SHSTK*)
	echo "coro_asm.S is marked as fit for a shadow stack: $marks"
	exit 1
	;;
*IBT*) exit 0 ;;
esac
echo "coro_asm.S is not marked as fit for IBT"
exit 1
