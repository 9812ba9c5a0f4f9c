#!/bin/sh
# Everything is killed everywhere; see README.md.
. "${srcdir:-.}/tests/support/system.sh"
mkdir "$tmp/c"
SPAWNER=$(find_program "$build" reeve-spawner)
status=0
"$build/tests/crash/crash" "$REEVED" "$SPAWNER" "$tmp/c" || status=$?
[ "$status" -ne 77 ] || skip "built without failpoints"
if [ "$status" -ne 0 ]; then
	# the logs of the daemons that it ended with
	last=$(find "$tmp/c" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -n 1)
	tail -n 60 "$tmp/c/$last/log" "$tmp/c/$last/state/spawner.log" >&2 || :
	"$build/tests/support/await_gone" -k 0 "$tmp" || :
	fail "the crash test"
fi
