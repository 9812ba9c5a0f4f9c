#!/bin/sh
# What a schedule does when the job before has not ended, pause and resume, one now.
. "${srcdir:-.}/tests/support/system.sh"
mkfifo "$tmp/go"
cat >"$tmp/conf" <<EOF
[reeved]
min-free = 0
[pool default]
slots = 8
[defaults]
shell-command = read line <"$tmp/go"
[schedule skip]
when = every 1s
[schedule queue]
when = every 1s
overlap = queue
queue-max = 2
[schedule replace]
when = every 1s
overlap = replace
kill-grace = 0
[schedule allow]
when = every 1s
overlap = allow
command = true
EOF
event() { # NAME WHAT: how many
	reeve schedule history --json "$1" | jq "[.[] | select(.what == \"$2\") | .count] | add // 0"
}
until_event() { # NAME WHAT N
	until [ "$(event "$1" "$2")" -ge "$3" ]; do
		settle
	done
}
n_unfinished() { # NAME
	reeve ls --json --schedule "$1" | jq '[.[] | select(.state != "finished")] | length'
}
n_waiting() { # NAME: starts
	reeve schedule show --json "$1" | jq '[.pending[] | select(.waits)] | length'
}
crash() {
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
}
start_reeved --config="$tmp/conf"

step "skip: one at a time, and the history says how many were left out"
until_event skip overlap 2
assert_eq "jobs" 1 "$(reeve ls --json --schedule skip | jq length)"
assert_eq "started" 1 "$(event skip started)"

step "queue: no more than may wait, over a crash too"
until_event queue full 2
assert_eq "jobs" 1 "$(reeve ls --json --schedule queue | jq length)"
assert_eq "that wait" 2 "$(n_waiting queue)"
crash
assert_eq "that wait after a crash" 2 "$(n_waiting queue)"
assert_eq "jobs of skip after a crash" 1 "$(n_unfinished skip)"
reeve schedule pause skip
reeve cancel "$(reeve ls --json --schedule queue | jq '.[0].id')"
until_event queue started 2
assert_eq "jobs" 1 "$(n_unfinished queue)"

step "replace: the latest counts"
until_event replace started 3
[ "$(n_unfinished replace)" -le 1 ] || fail "two of replace at one time"

step "allow"
until_event allow started 2
reeve schedule pause replace queue allow

step "wait leaves them out, a selector finds them"
assert_exit 0 reeve wait
assert_exit 0 reeve wait --all
assert_exit 124 reeve wait --schedule skip -t 100ms 2>/dev/null
assert_exit 2 reeve ls --schedule 'not a name' 2>/dev/null

step "pause and resume"
assert_eq "state" paused "$(reeve schedule show --json allow | jq -r .state)"
assert_eq "next" null "$(reeve schedule show --json allow | jq .next_usec)"
assert_eq "again" '{"changed":false}' "$(reeve schedule pause --json allow)"
crash
assert_eq "state after a crash" paused "$(reeve schedule show --json allow | jq -r .state)"
before=$(event allow started)
reeve schedule resume allow
until_event allow started $((before + 1))
assert_eq "made up for" 0 "$(event allow made-up)"
reeve schedule pause allow

step "one now, whatever goes on"
id=$(reeve schedule run skip)
assert_eq "jobs" 2 "$(n_unfinished skip)"
assert_eq "manual" "$id" "$(reeve schedule history --json skip | jq '.[-1] | select(.what == "manual") | .job')"
assert_match "for people" "*manual*job $id*" "$(reeve schedule history skip)"

step "a selector means jobs that somebody submitted"
other=$(reeve add --hold true)
reeve cancel --all
assert_eq "ad hoc" "cancelled" "$(reeve ls --json "$other" | jq -r '.[0].result')"
assert_eq "its own go on" 2 "$(n_unfinished skip)"
assert_exit 3 reeve cancel --all 2>/dev/null
assert_exit 3 reeve kill --pool default 2>/dev/null
assert_exit 3 reeve set --all priority=5 2>/dev/null
reeve set "$id" priority=5
reeve cancel --schedule skip
assert_exit 1 reeve wait --schedule skip 2>/dev/null

step "one that is run again counts, too"
reeve retry "$id"
before=$(event skip overlap)
reeve schedule resume skip
until_event skip overlap $((before + 1))
assert_eq "jobs" 1 "$(n_unfinished skip)"

step "only reeve says what a schedule made"
assert_exit 2 reeve add --schedule skip true 2>/dev/null
assert_match "submit" "*only reeve itself says it*" "$(reeve varlink io.reeve.Job.Submit \
	'{"jobs":[{"command":["true"],"schedule":"skip"}]}' 2>&1 || true)"
stop_reeved
