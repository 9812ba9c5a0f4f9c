#!/bin/sh
# What verbs do to jobs: cancel in every state, pause, hold, kill, retry.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 4
	[pool narrow]
	slots = 1
END
start_reeved --config="$tmp/conf"
mkfifo "$tmp/started"
# begun OPTION... TEXT: adds a shell job and returns when it runs; the id is in $id
# $trap_first: what it does before, so that no signal comes too early
begun() {
	id=$(eval "reeve add $(begun_args "$@")")
	head -n 1 "$tmp/started" >/dev/null
}
begun_args() {
	while [ $# -gt 1 ]; do
		printf "'%s' " "$1"
		shift
	done
	printf "%s" "-c \"\$(cat <<'TEXT'
${trap_first:-:}; echo >'$tmp/started'; $1
TEXT
)\""
}
field() {
	reeve ls --json "$1" | jq -r ".[0].$2"
}
ended() {
	reeve wait -q "$1" || :
	assert_eq "job $1" "$2" "$(field "$1" state) $(field "$1" result) $(field "$1" runs)"
}

step "cancel: held, queued, running, paused, backing off"
held=$(reeve add --hold true)
reeve cancel "$held"
ended "$held" "finished cancelled 0"
begun -g narrow "exec sleep 1000"
blocker=$id
queued=$(reeve add -g narrow true)
assert_eq "queued" queued "$(field "$queued" state)"
assert_match "why" "*narrow*" "$(reeve show --json "$queued" | jq -r .why)"
reeve cancel "$queued"
ended "$queued" "finished cancelled 0"
reeve pause "$blocker"
assert_eq "paused" paused "$(field "$blocker" state)"
pid=$(field "$blocker" pid)
# sent is not taken: a process stops when it is next to run
until grep -q '^State:[[:space:]]*T' "/proc/$pid/status"; do
	settle
done
reeve resume "$blocker"
assert_eq "resumed" running "$(field "$blocker" state)"
reeve pause "$blocker"
reeve cancel "$blocker"
ended "$blocker" "finished cancelled 1"
backoff=$(reeve add --retries 3 --retry-delay 1h --kill-grace 1s false)
until [ "$(field "$backoff" state)" = backoff ]; do
	reeve wait -t 10ms "$backoff" || :
done
reeve cancel "$backoff"
ended "$backoff" "finished cancelled 1"
reeve cancel "$backoff" # an end before its signal is no error

step "cancel takes no retry; a job that ignores it is killed after its grace"
trap_first="trap '' TERM"
begun --retries 5 --kill-grace 100ms "while :; do sleep 100; done"
reeve cancel "$id"
ended "$id" "finished cancelled 1"
trap_first="trap 'echo INT; exit 9' INT"
begun --kill-signal INT --kill-grace 1min "while :; do sleep 1000 & wait; done"
reeve cancel "$id"
ended "$id" "finished cancelled 1"
assert_eq "kill-signal" INT "$(reeve logs "$id")"

step "kill only sends a signal, and the end is judged as usual"
trap_first="trap 'echo got it; exit 0' USR1"
begun "while :; do sleep 1000 & wait; done"
trap_first=
reeve kill -s USR1 "$id"
ended "$id" "finished succeeded 1"
assert_eq "output" "got it" "$(reeve logs "$id")"
begun "exec sleep 1000"
reeve kill "$id"
ended "$id" "finished failed 1"
assert_eq "signal" 15 "$(field "$id" signal)"
assert_exit 2 reeve kill -s NONSENSE "$id" 2>/dev/null

step "hold and release"
id=$(reeve add --hold true)
reeve hold "$id"
assert_eq "held" held "$(field "$id" state)"
reeve release "$id"
ended "$id" "finished succeeded 1"
begun -g narrow "exec sleep 1000"
queued=$(reeve add -g narrow true)
reeve hold "$queued"
reeve cancel "$id"
reeve wait -q "$id" || :
assert_eq "held" held "$(field "$queued" state)"
reeve release "$queued"
ended "$queued" "finished succeeded 1"

step "retry: same id, next run; its environment is the first one's unless asked"
export FRUIT=apple
id=$(reeve add -c 'echo $FRUIT; [ -e ok ]')
ended "$id" "finished failed 1"
export FRUIT=pear
: >ok
reeve retry "$id"
ended "$id" "finished succeeded 2"
assert_eq "environment" apple "$(reeve logs "$id")"
reeve retry --env "$id"
ended "$id" "finished succeeded 3"
assert_eq "environment" pear "$(reeve logs "$id")"
assert_eq "output of the first run" apple "$(reeve logs --run 1 "$id")"
assert_eq "runs" "1 2 3" "$(reeve show --json "$id" | jq -r '.run_history[].run' | xargs)"
assert_exit 1 reeve retry "$(reeve add --hold true)" 2>/dev/null

step "retries by themselves, with a delay that doubles; retry-on and success-codes"
id=$(reeve add --retries 2 --retry-delay 200ms -c 'exit 4')
ended "$id" "finished failed 3"
reeve show --json "$id" | jq -e '[.run_history[] | .started_usec] |
	(.[1] - .[0]) as $a | (.[2] - .[1]) as $b |
	$a >= 90000 and $b >= 180000' >/dev/null ||
	fail "delays: $(reeve show --json "$id" | jq -c '[.run_history[].started_usec]')"
id=$(reeve add --retries 3 --retry-delay 1ms --retry-on '5 6' -c 'exit 4')
ended "$id" "finished failed 1"
id=$(reeve add --retries 3 --retry-delay 1ms --retry-on '4' -c 'exit 4')
ended "$id" "finished failed 4"
id=$(reeve add --success-codes '0 SIGTERM' -c 'kill $$')
ended "$id" "finished succeeded 1"

step "timeout"
id=$(reeve add -t 100ms sleep 1000)
ended "$id" "finished timeout 1"
id=$(reeve add -t 50ms --retries 1 --retry-delay 1ms sleep 1000)
ended "$id" "finished timeout 2"

step "too late: said, and no error"
reeve cancel "$id" 2>"$tmp/err"
assert_eq "cancel" "reeve: job $id had finished before" "$(cat "$tmp/err")"
other=$(reeve add --hold true)
assert_eq "of two" "{\"n\":1,\"refused\":[],\"finished\":[$id]}" \
	"$(reeve cancel --json "$id" "$other")"
assert_eq "kill" "{\"n\":0,\"refused\":[],\"finished\":[$id]}" "$(reeve kill --json "$id")"
stop_reeved
