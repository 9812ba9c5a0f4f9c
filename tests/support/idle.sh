# shellcheck shell=sh
# For system tests: nothing happens, and so nobody does anything. Sourced behind system.sh;
# skips where strace cannot watch.
command -v strace >/dev/null || skip "no strace"
strace -o "$tmp/try" true 2>/dev/null || skip "strace is not permitted here"
seconds=${REEVE_TEST_IDLE_SECONDS:-12}

# The calls of strace's output FILE that began, or ended, after TIME. Its own leaving is in
# there too: what waits is interrupted then, and goes on ("resumed ... ERESTARTSYS").
calls_after() {
	awk -v from="$2" '
		$2 > from && !/detached|unfinished|= \? ERESTART/ { print }' "$1"
}

# quiet WHAT: both are watched from one moment on. What was begun before may still end in
# the first two seconds (a timer that was set earlier, the end of our last connection);
# nothing may begin anew. timeout gives the length, so that nothing is slept for.
quiet() {
	spawner=$(reeve daemon status --json | jq .spawner_pid)
	status=0
	timeout -s INT "$seconds" strace -f -q -ttt -o "$tmp/strace" -p "$reeved_pid" \
		-p "$spawner" || status=$?
	[ "$status" -eq 124 ] || [ "$status" -eq 130 ] || skip "strace cannot attach"
	[ -s "$tmp/strace" ] || fail "strace saw not even the waiting"
	calls_after "$tmp/strace" "$(sort -k 2,2n "$tmp/strace" |
		awk 'NR == 1 { printf "%.6f", $2 + 2 }')" >"$tmp/calls"
	assert_eq "$1: system calls" "" "$(head -n 5 "$tmp/calls")"
}
