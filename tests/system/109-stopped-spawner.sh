#!/bin/sh
# A spawner that is told to stop, as at the machine's shutdown, ends its runs. That is nobody's
# fault: they are lost by shutdown, use up no retry and follow on-reboot, with a daemon beside
# it and without. What the jobs ended by themselves is as it was.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 8
END
mkfifo "$tmp/started" "$tmp/go"
begun() { # NAME OPTION...: a job that says so when it runs, and ends well when told to stop
	begun_name=$1
	shift
	reeve add -n "$begun_name" "$@" -c "echo >'$tmp/started'
		[ ! -e '$tmp/second' ] || exit 0
		trap 'exit 0' TERM
		while :; do sleep 0.05; done" >/dev/null
	head -n 1 "$tmp/started" >/dev/null
}
judge() { # NAME STATE-RESULT-RUNS REASON
	assert_eq "$1" "$2" "$(reeve ls --json "$1" | jq -r '.[0] | "\(.state) \(.result) \(.runs)"')"
	assert_eq "reason of $1" "$3" \
		"$(reeve show --json "$1" | jq -r '(if type == "array" then .[0] else . end) | .run_history[0].reason')"
}
spawner_pid() {
	reeve daemon status --json | jq .spawner_pid
}

step "a daemon is there: its runs are lost, another spawner comes, what waits goes on"
start_reeved --config="$tmp/conf" --shutdown=detach
begun hold1 --retries 3
begun rerun1 --on-reboot rerun
spawner=$(spawner_pid)
: >"$tmp/second"
head -n 1 "$tmp/started" >/dev/null &
again=$!
kill -s TERM "$spawner"
wait "$again"
reeve wait rerun1
judge hold1 "held lost 1" shutdown
judge rerun1 "finished succeeded 2" shutdown
assert_eq "what comes after" ok "$(reeve run echo ok)"
rm "$tmp/second"

step "no daemon is there: the next one reads it in the exits file"
begun hold2 --retries 3
begun rerun2 --on-reboot rerun
reeve add -n own2 -c "echo >'$tmp/started'; read -r x <'$tmp/go'; exit 7" >/dev/null
head -n 1 "$tmp/started" >/dev/null
# a job may say that it runs before reeved has heard of it
until [ "$(reeve ls -q --state running | wc -l)" -eq 3 ]; do
	settle
done
own=$(reeve ls --json own2 | jq '.[0].pid')
spawner=$(spawner_pid)
kill -s KILL "$reeved_pid"
reeved_ended
echo go >"$tmp/go"
timeout 60 tail --pid="$own" -s 0.05 -f /dev/null
kill -s TERM "$spawner"
await_gone 60
: >"$tmp/second"
head -n 1 "$tmp/started" >/dev/null &
again=$!
start_reeved --config="$tmp/conf" --shutdown=detach
wait "$again"
reeve wait rerun2
judge hold2 "held lost 1" shutdown
judge rerun2 "finished succeeded 2" shutdown
assert_eq "own2" "finished failed 7" \
	"$(reeve ls --json own2 | jq -r '.[0] | "\(.state) \(.result) \(.exit_code)"')"
stop_reeved
await_gone 60
