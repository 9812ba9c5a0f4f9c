#!/bin/sh
# Who waits or follows does not notice that the daemon is started again; where it does not
# come back he is told, with exit 5.
. "${srcdir:-.}/tests/support/system.sh"
unset REEVE_SOCKET
if systemctl --user cat reeved.service >/dev/null 2>&1; then
	skip "the user manager would start an installed reeved"
fi

# of a user, also where that is root; a daemon that it starts keeps no pipe of ours open
reeve() {
	timeout --foreground -k 5 "$command_timeout" "$REEVE" --user "$@" 8<&- 9>&-
}

# await_running ID
await_running() {
	i=0
	while [ "$(reeve show "$1" --json | jq -r .job.state)" != running ]; do
		i=$((i + 1))
		[ $i -lt 1000 ] || fail "job $1 does not run"
	done
}

# line: the next one that comes on descriptor 8
line() {
	timeout 60 head -n 1 <&8 || :
}

reeve daemon start 2>"$tmp/err"
mkfifo gate codes shown

step "logs -f shows the output of before, meanwhile and after, once each"
# a pipe to say what is written, and one for the exit code of each run
cat >job.sh <<'END'
echo run >&2
cat gate
read -r code <codes
exit "$code"
END
job=$(reeve add --split-output --retries 1 --retry-delay 1ms sh job.sh)
await_running "$job"
"$REEVE" --user logs -f "$job" >shown &
follower=$!
exec 8<shown 9>gate
assert_eq "it is followed" "run" "$(line)"
echo one >&9
assert_eq "before" "one" "$(line)"
reeve daemon restart
echo two >&9
assert_eq "after" "two" "$(line)"
reeve daemon restart
echo three >&9
assert_eq "after another one" "three" "$(line)"
exec 9>&-
echo 1 >codes
assert_eq "the next run" "run" "$(line)"
exec 9>gate
echo four >&9
assert_eq "the next run" "four" "$(line)"
exec 9>&-
echo 0 >codes
assert_eq "no more" "" "$(line)"
exec 8<&-
assert_exit 0 wait "$follower"

step "wait tells of what ended before, meanwhile and after, once each"
failed=$(reeve add false)
reeve wait -q "$failed" || :
# shellcheck disable=SC2016 # the job's
job=$(reeve add -c 'read -r code <codes; exit $code')
held=$(reeve add --hold -- sh -c 'exit 4')
await_running "$job"
"$REEVE" --user wait "$failed" "$job" "$held" 2>shown &
waiter=$!
exec 8<shown
# by this it has asked
assert_eq "before" "reeve: job $failed failed, exit 1" "$(line)"
reeve daemon restart
reeve add --hold true >/dev/null
echo 3 >codes
assert_eq "after" "reeve: job $job failed, exit 3" "$(line)"
reeve daemon restart
reeve release "$held"
assert_eq "after another one" "reeve: job $held failed, exit 4" "$(line)"
assert_eq "no more" "" "$(line)"
exec 8<&-
assert_exit 1 wait "$waiter"

step "an end while there is no daemon"
held=$(reeve add --hold true)
"$REEVE" --user wait "$failed" "$held" 2>shown &
waiter=$!
exec 8<shown
assert_eq "it has asked" "reeve: job $failed failed, exit 1" "$(line)"
reeve daemon stop --mode detach
reeve daemon start
reeve cancel "$held"
assert_eq "cancelled" "reeve: job $held cancelled" "$(line)"
exec 8<&-
assert_exit 1 wait "$waiter"

step "a verb that comes before the daemon knows what became of the job"
job=$(reeve add sleep 1000)
await_running "$job"
pid=$(reeve show "$job" --json | jq .job.pid)
reeve daemon stop --mode detach
until reeve cancel "$job" 2>/dev/null; do :; done &
canceller=$!
reeve daemon start
wait "$canceller"
reeve wait -q "$job" || :
assert_eq "how it ended" "cancelled" "$(reeve show "$job" --json | jq -r .job.result)"
assert_exit 1 kill -0 "$pid" 2>/dev/null

step "one that does not come back"
job=$(reeve add sh job.sh)
await_running "$job"
"$REEVE" --user logs -f "$job" >shown 2>logs.err &
follower=$!
exec 8<shown 9>gate
assert_eq "it is followed" "run" "$(line)"
exec 8<&-
"$REEVE" --user wait "$failed" "$job" 2>shown &
waiter=$!
exec 8<shown
assert_eq "it has asked" "reeve: job $failed failed, exit 1" "$(line)"
assert_exit 124 reeve wait -t 1ms "$job" 2>late.err
assert_eq "wait -t" "reeve: waited 1ms, 1 job is unfinished" "$(cat late.err)"
reeve daemon stop --mode detach
assert_match "what wait says" "reeve: the daemon is gone*" "$(line)"
assert_exit 5 wait "$waiter"
assert_exit 5 wait "$follower"
assert_match "what logs says" "reeve: the daemon is gone*" "$(cat logs.err)"
exec 8<&- 9>&-
reeve daemon start
reeve daemon stop --mode terminate
