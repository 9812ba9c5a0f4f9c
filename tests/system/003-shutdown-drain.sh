#!/bin/sh
# SIGTERM with shutdown = drain: running jobs end by themselves, nothing new starts; a
# second signal hastens it.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[reeved]
	shutdown = drain
	shutdown-timeout = 10min
	[pool default]
	slots = 1
END
start_reeved --config="$tmp/conf"
mkfifo "$tmp/started" "$tmp/go"
job="echo started >'$tmp/started'; head -n 1 '$tmp/go'"
first=$(reeve add -c "$job")
second=$(reeve add -c "$job")
head -n 1 "$tmp/started" >/dev/null

step "the running one is waited for, the queued one is kept"
kill -s TERM "$reeved_pid"
exec 4<>"$tmp/go"
echo drained >&4
reeved_ended
assert_eq "exit status of reeved" 0 "$reeved_status"
await_gone 10
start_reeved --config="$tmp/conf"
assert_eq "the running one" "succeeded drained" \
	"$(reeve ls --json "$first" | jq -r '.[0].result') $(reeve logs "$first")"
assert_eq "the queued one starts by itself" started "$(head -n 1 "$tmp/started")"

step "a second signal ends the waiting"
reeve logs -f "$second" >/dev/null 2>&1 &
kill -s TERM "$reeved_pid"
reeved_says 2 "shutting down (drain), 1 jobs"
kill -s TERM "$reeved_pid"
reeved_ended
assert_eq "exit status of reeved" 0 "$reeved_status"
await_gone 10
start_reeved --config="$tmp/conf"
assert_eq "ended by the shutdown" "held shutdown" \
	"$(reeve ls --json "$second" | jq -r '.[0] | "\(.state) \(.reason)"')"
stop_reeved
wait

# with_timeout TIME: one job that began, and a daemon that is asked to stop
with_timeout() {
	printf '[reeved]\nshutdown = drain\nshutdown-timeout = %s\n' "$1" >"$tmp/conf"
	start_reeved --config="$tmp/conf"
	id=$(reeve add -c "$job")
	head -n 1 "$tmp/started" >/dev/null
	asked=$(date +%s%6N)
	: >"$tmp/reeved.log"
	kill -s TERM "$reeved_pid"
	reeved_says 1 "shutting down (drain), 1 jobs"
}

step "a shutdown of 15 s waits as well"
with_timeout 15s
echo drained >&4
reeved_ended
await_gone 10
start_reeved --config="$tmp/conf"
assert_eq "the job" "succeeded drained" \
	"$(reeve ls --json "$id" | jq -r '.[0].result') $(reeve logs "$id" | tail -n 1)"
stop_reeved

step "and one of 5 s half of its time, then it ends the job"
with_timeout 5s
reeved_ended
assert_eq "exit status of reeved" 0 "$reeved_status"
await_gone 10
grep -q "1 jobs have not ended, ending them" "$tmp/reeved.log" ||
	fail "it does not say that it ends the job"
start_reeved --config="$tmp/conf"
reeve ls --json "$id" | jq -e '.[0] | .state == "held" and
	.reason == "shutdown"' >/dev/null || fail "$(reeve ls --json "$id")"
reeve show --json "$id" | jq -e --argjson asked "$asked" \
	'.run_history[0].finished_usec - $asked >= 2400000' >/dev/null ||
	fail "ended too early: asked at $asked, $(reeve show --json "$id")"
stop_reeved
