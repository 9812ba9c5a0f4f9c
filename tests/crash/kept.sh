#!/bin/sh
# What was asked of a run is still so after reeved was killed, and after the spawner was.
# shellcheck disable=SC2119 # the functions take arguments that are not wanted here
. "${srcdir:-.}/tests/support/system.sh"

field() { # JOB KEY
	reeve ls --json | jq -r ".[] | select(.id == $1) | .$2"
}

# until the job has written a line to its FIFO, and reeved has been told that it runs
heard() { # FIFO JOB
	timeout 60 head -n 1 "$1" >"$tmp/heard" || fail "nothing heard from $1"
	until [ "$(field "$2" state)" = running ]; do :; done
}

kill_spawner() {
	kill -s KILL "$(cat "$state/spawner.lock")"
}

step "paused before the kill: still paused, and can be resumed"
start_reeved
mkfifo paused
paused=$(reeve add -- sh -c 'echo up >paused; sleep 0.3; exit 5')
heard paused "$paused"
reeve pause "$paused"
settle
signal_reeved KILL
start_reeved
assert_eq "state" paused "$(field "$paused" state)"
reeve resume "$paused"
assert_exit 1 reeve wait "$paused"
assert_eq "exit code" 5 "$(field "$paused" exit_code)"

step "a cancel that goes on at the kill: one signal, and the end is cancelled"
mkfifo stubborn
stubborn=$(reeve add --kill-grace=2s -- sh -c \
	'trap "echo term >>terms" TERM; echo up >stubborn; while :; do sleep 0.05; done')
heard stubborn "$stubborn"
reeve cancel "$stubborn"
settle
signal_reeved KILL
start_reeved
reeve wait "$stubborn" || :
assert_eq "result" cancelled "$(field "$stubborn" result)"
assert_eq "signals" 1 "$(wc -l <terms)"

step "a timeout goes on over a restart"
mkfifo timed
timed=$(reeve add --timeout=2s -- sh -c 'echo up >timed; exec sleep 100')
heard timed "$timed"
signal_reeved KILL
start_reeved
reeve wait "$timed" || :
assert_eq "result" timeout "$(field "$timed" result)"

step "without a spawner a run is cancelled with all of its group"
mkfifo alone
alone=$(reeve add --kill-grace=200ms -- sh -c \
	'trap "" TERM; echo up >alone; sleep 1000 & wait; wait')
heard alone "$alone"
kill_spawner
reeve cancel "$alone"
reeve wait "$alone" || :
assert_eq "result" cancelled "$(field "$alone" result)"

step "what a run left behind does not pass for it, when nobody was there to see its end"
mkfifo daemonized go
daemon=$(reeve add --leftovers=leave --on-lost=lost -- sh -c \
	'setsid sh -c "echo \$\$ >daemonized; exec tail -f /dev/null" & read -r x <go; exit 9')
heard daemonized "$daemon"
child=$(cat "$tmp/heard")
pid=$(field "$daemon" pid)
# its pid is on disk a moment after it began: before the end of a job that takes longer
reeve run sleep 0.3
signal_reeved KILL
kill_spawner
echo >go
timeout 60 tail --pid="$pid" -s 0.05 -f /dev/null || : # nobody may reap it
start_reeved
assert_exit 1 reeve wait -q "$daemon"
kill -s 0 "$child" || fail "what was left behind has ended, too"
case "$(field "$daemon" result) $(field "$daemon" exit_code)" in
lost*) ;;
"failed 9") ;; # it was a zombie still, whose status can be read
*) fail "what was left behind passes for the run" ;;
esac
kill -s KILL "$child"

step "a timeout goes on without reeved and without a spawner"
mkfifo both
both=$(reeve add --timeout=2s -- sh -c 'echo up >both; exec sleep 100')
heard both "$both"
settle
kill_spawner
signal_reeved KILL
start_reeved
reeve wait "$both" || :
assert_match "result" "timeout" "$(field "$both" result)"
stop_reeved
await_gone 60
