#!/bin/sh
# Idle means idle: without work no thread of reeved or its spawner does a system call, nor
# with 100 jobs that said something and sleep.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/idle.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 200
END

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
