#!/bin/sh
# Idle means idle: without work no thread of reeved or its spawner does a system call, nor
# with 100 jobs that said something and sleep.
. "${srcdir:-.}/tests/support/system.sh"
command -v strace >/dev/null || skip "no strace"
strace -o "$tmp/try" true 2>/dev/null || skip "strace is not permitted here"
seconds=${REEVE_TEST_IDLE_SECONDS:-12}
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 200
END

# The calls of strace's output FILE that began, or ended, after TIME. Its own leaving is in
# there too: what waits is interrupted then, and goes on ("resumed ... ERESTARTSYS").
calls_after() {
	awk -v from="$2" '
		$2 > from && !/detached|unfinished|= \? ERESTART/ { print }' "$1"
}

step "a call is one, and strace's leaving is none"
cat >out <<-'END'
	7 100.000001 epoll_wait(4, <unfinished ...>
	7 100.500000 read(5, "", 8) = 0
	7 103.000001 futex(0x7f00, FUTEX_WAKE_PRIVATE, 1) = 0
	8 112.000001 <... epoll_pwait2 resumed>0x7f00, 1, NULL, NULL, 8) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
	8 112.000002 restart_syscall(<... resuming interrupted futex ...> <detached ...>
	7 112.000003 <... epoll_wait resumed> <detached ...>
END
assert_eq "calls" "7 103.000001" "$(calls_after out 102 | cut -d ' ' -f 1,2)"

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

start_reeved --config="$tmp/conf"
reeve run true
quiet "after a job"
seq 100 | sed 's/.*/echo &; exec sleep 1000/' | reeve add --batch - >/dev/null
# one whose start is told comes after all the others
reeve run true
assert_eq "sleeping jobs" 100 "$(reeve ls --json --state running | jq length)"
quiet "with 100 sleeping jobs"
reeve cancel --all --state running
stop_reeved
