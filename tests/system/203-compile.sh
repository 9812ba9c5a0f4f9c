#!/bin/sh
# Real work: every C file of the tree is compiled by a job of its own, with the exit code
# and the output that the same command has by hand.
. "${srcdir:-.}/tests/support/system.sh"
compiler=
for compiler in gcc cc clang; do
	! command -v "$compiler" >/dev/null || break
done
command -v "$compiler" >/dev/null || skip "no compiler"
printf '[pool default]\nslots = 2\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
(cd "$top" && find src -name '*.c' | sort) >files
# Two are broken on purpose: their job is to fail, and to say where.
echo 'int main(void) { return no_such_thing; }' >broken.c
echo '#include "there-is-no-such.h"' >missing.c
flags="-std=gnu11 -fsyntax-only -w -D_GNU_SOURCE -DHAVE_CONFIG_H -I$build -I$top/src -I$top/src/include"
if [ -n "${REEVE_TEST_SMALL:-}" ]; then
	awk 'NR % 10 == 1' files >some
	mv some files
fi
sed "s|.*|$compiler $flags '$top/&'|" files >lines
echo "$compiler $flags '$PWD/broken.c'" >>lines
echo "$compiler $flags '$PWD/missing.c'" >>lines
reeve add --batch lines >ids
assert_eq "ids" "$(wc -l <lines)" "$(sort -un ids | wc -l)"
reeve wait -q || :

step "each ran once, only the broken ones failed"
assert_eq "runs" "$(wc -l <lines)" "$(reeve ls --json | jq '[.[] | select(.runs == 1)] | length')"
paste ids lines | while read -r id line; do
	code=$(reeve ls --json "$id" | jq '.[0].exit_code')
	case $line in
	*/broken.c\' | */missing.c\')
		[ "$code" -eq 1 ] || fail "$line: exit code $code"
		eval "$line" >by-hand 2>&1 || :
		reeve logs "$id" >by-reeve
		cmp by-hand by-reeve || fail "$line: other output"
		;;
	*)
		if [ "$code" -ne 0 ]; then
			# a header that this machine has not: then by hand, too
			status=0
			eval "$line" >by-hand 2>&1 || status=$?
			assert_eq "$line" "$status" "$code"
			reeve logs "$id" | cmp - by-hand || fail "$line: other output"
		fi
		;;
	esac
done
failed=$(reeve ls -q --failed | wc -l)
case $failed in
[2-9] | 1[01]) ;;
*) fail "$failed of $(wc -l <lines) failed" ;;
esac
stop_reeved
