#!/bin/sh
# A daemon starts, says that it is ready, serves, and leaves nothing behind.
. "${srcdir:-.}/tests/support/system.sh"

step "nobody there"
assert_exit 5 reeve daemon ping
assert_exit 5 reeve daemon stop

step "ready means that clients are answered"
start_reeved
reeve daemon ping >"$tmp/out"
assert_match "ping" "reeved answers after *" "$(cat "$tmp/out")"
status=$(reeve daemon status --json)
assert_eq "members of status" true "$(echo "$status" |
	jq 'has("version") and has("pid") and has("socket") and has("state_dir") and
		has("uptime_usec") and has("jobs")')"
assert_eq "pid" "$reeved_pid" "$(echo "$status" | jq .pid)"
assert_eq "socket" "$REEVE_SOCKET" "$(echo "$status" | jq -r .socket)"
assert_eq "state" "$state" "$(echo "$status" | jq -r .state_dir)"
assert_match "which daemon, and why" "*chosen by \$REEVE_SOCKET*" "$(reeve daemon status)"
assert_eq "health" healthy "$(reeve daemon health)"

step "what it made is for its user only"
assert_eq "mode of the socket" 600 "$(stat -c %a "$REEVE_SOCKET")"
assert_eq "mode of the state directory" 700 "$(stat -c %a "$state")"

step "a job, and who it belongs to"
id=$(reeve add true)
assert_eq "first id" 1 "$id"
reeve wait "$id"
assert_eq "user" "$(id -un)" "$(reeve ls --json | jq -r '.[0].user')"

step "it goes in good order and can be started again"
stop_reeved
[ ! -e "$REEVE_SOCKET" ] || fail "the socket is still there"
await_gone 10
start_reeved
assert_eq "the job is kept" succeeded "$(reeve ls --json | jq -r '.[0].result')"
assert_eq "user after a restart" "$(id -un)" "$(reeve ls --json | jq -r '.[0].user')"
assert_eq "no id is given twice" true "$([ "$(reeve add true)" -gt 1 ] && echo true)"
reeve wait
signal_reeved INT
assert_eq "exit status after SIGINT" 0 "$reeved_status"
await_gone 10
