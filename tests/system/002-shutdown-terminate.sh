#!/bin/sh
# SIGTERM with shutdown = terminate: jobs are asked to end, then killed; they are lost by
# the shutdown and wait to be released.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[reeved]
	shutdown = terminate
	shutdown-timeout = 2s
	[pool default]
	slots = 4
END
start_reeved --config="$tmp/conf"
mkfifo "$tmp/started"

step "one job ends when asked, one ignores it, one has not begun"
polite=$(reeve add -n polite -c "trap 'echo asked; exit 0' TERM; echo begun
	echo polite >'$tmp/started'; while :; do tail -f /dev/null & wait; done")
assert_eq "started" polite "$(head -n 1 "$tmp/started")"
stubborn=$(reeve add -n stubborn --kill-grace 1h -c "trap '' TERM
	echo stubborn >'$tmp/started'; while :; do tail -f /dev/null; done")
assert_eq "started" stubborn "$(head -n 1 "$tmp/started")"
held=$(reeve add --hold echo held)
rerun=$(reeve add -n again --on-reboot rerun -c "echo again >'$tmp/started'
	[ -e '$tmp/second' ] || exec sleep 1000")
assert_eq "started" again "$(timeout 60 head -n 1 "$tmp/started")"
"$build/reeve" wait -q "$held" 2>"$tmp/err" &
waiter=$!
mkfifo "$tmp/followed"
"$build/reeve" logs -f "$polite" >"$tmp/followed" 2>/dev/null &
follower=$!
exec 4<"$tmp/followed"
read -r line <&4
assert_eq "followed" begun "$line"
signal_reeved TERM
assert_eq "exit status of reeved" 0 "$reeved_status"
# the last words of a job get to those who follow it
read -r line <&4
assert_eq "followed" asked "$line"
exec 4<&-
# both wait for the next daemon now (010)
kill "$waiter" "$follower"
wait "$waiter" "$follower" || :
await_gone 10
! grep -q "calls have no answer" "$tmp/reeved.log" ||
	fail "the shutdown waited for calls that wait for ever"

step "the next daemon knows"
: >"$tmp/second"
cat "$tmp/started" >"$tmp/again" &
again=$!
start_reeved --config="$tmp/conf"
for id in "$polite" "$stubborn"; do
	assert_eq "job $id" "held lost shutdown 1 lost" "$(reeve show --json "$id" |
		jq -r '"\(.job.state) \(.job.result) \(.job.reason) \(.job.runs) \(.run_history[0].result)"')"
done
assert_eq "output" "begun asked" "$(reeve logs "$polite" | xargs)"
wait "$again"
reeve wait "$rerun"
assert_eq "on-reboot = rerun" "succeeded 2" "$(reeve ls --json "$rerun" |
	jq -r '.[0] | "\(.result) \(.runs)"')"
assert_eq "held is held" held "$(reeve ls --json "$held" | jq -r '.[0].state')"
reeve release "$held"
reeve wait "$held"
stop_reeved

step "a daemon that has not its runs of before back yet"
sed 's/^shutdown-timeout = .*/shutdown-timeout = 60s/' "$tmp/conf" >"$tmp/patient"
start_reeved --config="$tmp/conf" --shutdown=detach
orphan=$(reeve add -n orphan -c "echo orphan >'$tmp/started'; exec sleep 1000")
assert_eq "started" orphan "$(head -n 1 "$tmp/started")"
spawner=$(reeve daemon status --json | jq .spawner_pid)
signal_reeved TERM
# without an answer of its spawner it cannot know them
kill -s STOP "$spawner"
: >"$tmp/reeved.log"
start_reeved --config="$tmp/patient"
kill -s TERM "$reeved_pid"
reeved_says 1 "shutting down (terminate)"
kill -s TERM "$reeved_pid"
reeved_ended
assert_eq "asked twice, exit status" 0 "$reeved_status"
reeved_says 1 "not known what became of the jobs of before"
: >"$tmp/reeved.log"
start_reeved --config="$tmp/patient"
kill -s TERM "$reeved_pid"
reeved_says 1 "shutting down (terminate)"
kill -s CONT "$spawner"
reeved_ended
assert_eq "exit status" 0 "$reeved_status"
await_gone 10
start_reeved --config="$tmp/conf"
assert_eq "it was ended" "held lost shutdown" "$(reeve show --json "$orphan" |
	jq -r '"\(.job.state) \(.job.result) \(.job.reason)"')"
stop_reeved
