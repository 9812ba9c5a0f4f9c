#!/bin/sh
# Jobs that wait for others, with reeved killed between the end of one and what becomes of
# those who wait for it: after the next start none of them hangs.
# shellcheck disable=SC2119 # the functions take arguments that are not wanted here
. "${srcdir:-.}/tests/support/system.sh"
grep -q 'define REEVE_FAILPOINTS 1' "$build/config.h" || skip "built without failpoints"

results() { # JOB...
	for job; do
		reeve ls --json "$job" | jq -r '.[0].result'
	done | xargs
}

for point in reeved-before-exit-commit reeved-exit-committed reeved-before-skip-commit \
	reeved-skip-committed; do
	step "$point"
	REEVE_FAILPOINT="$point:kill" start_reeved
	a=$(reeve add --hold false)
	b=$(reeve add --after "$a" true)
	c=$(reeve add --after "$b" true)
	d=$(reeve add --after-failure "$a" --after-any "$c" true)
	e=$(reeve add --after "$d" true)
	reeve release "$a"
	reeved_ended
	assert_eq "killed by itself" 137 "$reeved_status"
	start_reeved
	reeve wait -q "$a" "$b" "$c" "$d" "$e" || :
	assert_eq "results" "failed skipped skipped succeeded succeeded" \
		"$(results "$a" "$b" "$c" "$d" "$e")"
	assert_eq "runs" "1 0 0 1 1" "$(for job in "$a" "$b" "$c" "$d" "$e"; do
		reeve ls --json "$job" | jq '.[0].runs'
	done | xargs)"

	step "$point: and run again"
	stop_reeved
	REEVE_FAILPOINT="$point:kill" start_reeved
	reeve retry "$a"
	reeved_ended
	start_reeved
	reeve wait -q "$a" "$b" "$c" || :
	assert_eq "results" "failed skipped skipped" "$(results "$a" "$b" "$c")"
	stop_reeved
done
