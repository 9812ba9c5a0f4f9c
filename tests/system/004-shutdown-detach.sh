#!/bin/sh
# shutdown = detach: jobs go on without a daemon, and the next one finds them, whether they
# end meanwhile or later, with exit status and output.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved --shutdown=detach
mkfifo "$tmp/started" "$tmp/a" "$tmp/b" "$tmp/ended"
job() {
	echo "echo begun; echo $1 >'$tmp/started'; head -n 1 '$tmp/$1'
		echo over >'$tmp/ended'; exit $2"
}
# what a job does can be seen before the daemon has heard that it runs
until_running() {
	until reeve ls --json "$1" | jq -e '.[0].state == "running"' >/dev/null; do
		settle
	done
}
a=$(reeve add -c "$(job a 3)")
head -n 1 "$tmp/started" >/dev/null
b=$(reeve add --split-output -c "$(job b 0); echo never")
head -n 1 "$tmp/started" >/dev/null
c=$(reeve add --hold true)
until_running "$a"
until_running "$b"
pid_b=$(reeve ls --json "$b" | jq '.[0].pid')

signal_reeved TERM
assert_eq "exit status of reeved" 0 "$reeved_status"
kill -0 "$pid_b" || fail "the job did not go on"

step "one ends while no daemon runs"
echo from-a >"$tmp/a"
assert_eq "a" over "$(head -n 1 "$tmp/ended")"

step "the next daemon finds both"
start_reeved --shutdown=terminate
assert_exit 1 reeve wait -q "$a"
assert_eq "a" "3 1 begun from-a" "$(reeve ls --json "$a" |
	jq -r '.[0] | "\(.exit_code) \(.runs)"') $(reeve logs "$a" | xargs)"
assert_eq "b" "running $pid_b" "$(reeve ls --json "$b" | jq -r '.[0] | "\(.state) \(.pid)"')"
assert_eq "c" held "$(reeve ls --json "$c" | jq -r '.[0].state')"
echo from-b >"$tmp/b"
assert_eq "b" over "$(head -n 1 "$tmp/ended")"
reeve wait "$b"
assert_eq "b" "0 1 begun from-b" "$(reeve ls --json "$b" |
	jq -r '.[0] | "\(.exit_code) \(.runs)"') $(reeve logs "$b" | xargs)"

step "the same where it is asked for by daemon stop"
d=$(reeve add -c "$(job a 0)")
head -n 1 "$tmp/started" >/dev/null
until_running "$d"
stop_reeved --mode detach
start_reeved
assert_eq "d" running "$(reeve ls --json "$d" | jq -r '.[0].state')"
reeve cancel "$d"
assert_exit 1 reeve wait -q "$d"
assert_eq "d" cancelled "$(reeve ls --json "$d" | jq -r '.[0].result')"
stop_reeved
await_gone 10
