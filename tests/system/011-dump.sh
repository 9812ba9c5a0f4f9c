#!/bin/sh
# SIGUSR2: what the daemon's tasks wait for goes to stderr, and the daemon goes on.
. "${srcdir:-.}/tests/support/system.sh"

step "the dump has the main task, and stacks"
start_reeved
for n in 1 2; do
	kill -s USR2 "$reeved_pid"
	reeved_says "$n" "stacks of "
	settle
done
assert_match "the main task" "*'main' waiting*" "$(cat "$tmp/reeved.log")"
assert_match "a place" "* at *(reeved+0x*" "$(cat "$tmp/reeved.log")"

step "jobs run as before"
assert_eq "output" "finished" "$(reeve run echo finished)"
stop_reeved
