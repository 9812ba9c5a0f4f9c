#!/bin/sh
# One daemon has a state directory, and one a socket.
. "${srcdir:-.}/tests/support/system.sh"

start_reeved

step "the second one waits for the first to end, then names it"
status=0
"$REEVED" --user --socket="$tmp/second.sock" --state-dir="$state" 2>"$tmp/err" || status=$?
assert_eq "exit status" 1 "$status"
assert_match "it names the holder" "*process $reeved_pid*" "$(cat "$tmp/err")"
[ ! -e "$tmp/second.sock" ] || fail "the second one made a socket"

step "another state directory, but a socket that answers"
status=0
"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$tmp/state2" 2>"$tmp/err" || status=$?
assert_eq "exit status" 1 "$status"
assert_match "it says why" "*another daemon answers at '$REEVE_SOCKET'*" "$(cat "$tmp/err")"
settle

step "one that is started while the first one ends takes over"
mkfifo "$tmp/ready2"
"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" --ready-fd=3 \
	3>"$tmp/ready2" >>"$tmp/reeved.log" 2>&1 </dev/null &
second=$!
exec 4<"$tmp/ready2"
signal_reeved TERM
assert_eq "exit status of the first" 0 "$reeved_status"
assert_eq "the second" "READY=1" "$(head -n 1 <&4)"
exec 4<&-
reeved_pid=$second
assert_eq "pid" "$second" "$(reeve daemon status --json | jq .pid)"

step "a stale socket is replaced"
id=$(reeve add -- cat)
reeve wait "$id"
kill -s KILL "$reeved_pid"
reeved_ended
[ -S "$REEVE_SOCKET" ] || fail "the killed daemon left no socket: nothing is tested"
start_reeved
settle
stop_reeved

step "a file that is no socket is left alone"
echo precious >"$REEVE_SOCKET"
status=0
"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" 2>"$tmp/err" || status=$?
assert_eq "exit status" 1 "$status"
assert_eq "the file" precious "$(cat "$REEVE_SOCKET")"
