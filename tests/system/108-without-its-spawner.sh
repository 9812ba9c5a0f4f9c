#!/bin/sh
# A job whose spawner was killed goes on: it can still be signalled and cancelled, and what
# only its spawner could do is refused.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved
mkfifo "$tmp/started"
# goes_on NAME: a job that runs on after its spawner was killed
goes_on() {
	reeve add -n "$1" -c "echo >'$tmp/started'; exec tail -f /dev/null" >/dev/null
	head -n 1 "$tmp/started" >/dev/null
	until [ "$(reeve ls -q --state running | wc -l)" -eq 1 ]; do
		settle
	done
	kill_spawner
}

step "signals reach it"
goes_on first
assert_exit 1 reeve pause first
reeve kill -s USR1 first
reeve wait first || true
assert_eq "how it ended" "failed 10" \
	"$(reeve ls --json first | jq -r '.[0] | "\(.result) \(.signal)"')"

step "cancel ends it"
goes_on second
reeve cancel second
reeve wait second || true
assert_eq "result" cancelled "$(reeve ls --json second | jq -r '.[0].result')"

step "a path of stdin that is not absolute is refused by the daemon, resolved by the CLI"
echo content >"$tmp/data"
assert_eq "relative to the caller" content "$(cd "$tmp" && reeve run --stdin data cat)"
assert_exit 2 reeve varlink io.reeve.Job.Submit '{"jobs":[{"command":["cat"],"stdin":"data"}]}'
stop_reeved
