#!/bin/sh
# The table of exit codes: those of run, of wait, and of the other verbs.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved

step "an empty path of the socket is usage"
assert_exit 2 reeve --socket '' ls 2>err
assert_eq "message" "reeve: --socket: the path is empty" "$(cat err)"

step "run: the job's"
assert_exit 0 reeve run true
assert_exit 7 reeve run sh -c 'exit 7'
assert_exit 255 reeve run sh -c 'exit 255'
assert_exit 3 reeve run -q --success-codes '0 3' sh -c 'exit 3' # the job's, all the same
assert_exit 143 reeve run sh -c 'kill -TERM $$'
assert_exit 137 reeve run sh -c 'kill -KILL $$'
assert_exit 124 reeve run -t 100ms --kill-grace 10s sleep 100
echo '#!/bin/sh' >"$tmp/script"
assert_exit 126 reeve run "$tmp/script" 2>/dev/null
assert_exit 126 reeve run "$tmp" 2>/dev/null
assert_exit 127 reeve run "$tmp/none" 2>/dev/null
assert_exit 127 reeve run no-such-program-anywhere 2>/dev/null
assert_exit 125 reeve run 2>/dev/null
assert_exit 125 reeve run --no-such-option true 2>/dev/null

step "run: its streams stay apart, its stdin is passed on"
reeve run sh -c 'echo out; echo err >&2' >"$tmp/out" 2>"$tmp/err"
assert_eq "stdout" out "$(cat "$tmp/out")"
assert_eq "stderr" err "$(cat "$tmp/err")"
assert_eq "stdin" "6 lines" "$(seq 6 | reeve run sh -c 'echo $(wc -l) lines')"
assert_eq "no stdin" 0 "$(echo lost | reeve run --stdin null wc -l)"
head -c 3000000 /dev/zero | reeve run cat >"$tmp/out"
assert_eq "bytes" 3000000 "$(stat -c %s "$tmp/out")"

step "run: a stream that the caller closed is nobody's"
assert_exit 125 reeve run echo lost >&- 2>/dev/null
assert_exit 0 reeve run true >&-
assert_exit 3 reeve run sh -c 'echo lost >&2; exit 3' 2>&-
assert_eq "stdin" 0 "$(reeve run wc -c <&-)"

step "run: cancelled from elsewhere; and by its own Ctrl-C"
mkfifo "$tmp/started"
reeve run -n mine -c "echo >'$tmp/started'; exec sleep 1000" 2>/dev/null &
runner=$!
head -n 1 "$tmp/started" >/dev/null
reeve cancel mine
status=0
wait "$runner" || status=$?
assert_eq "exit status" 130 "$status"
"$REEVE" run -n mine -c "echo >'$tmp/started'; exec sleep 1000" 2>/dev/null </dev/null &
runner=$!
head -n 1 "$tmp/started" >/dev/null
kill -s TERM "$runner"
status=0
wait "$runner" || status=$?
assert_eq "the CLI dies" 143 "$status"
assert_eq "the job goes on" running "$(reeve ls --json mine | jq -r '.[0].state')"
reeve cancel mine
reeve wait -q mine || :

# a shell lets its background commands ignore SIGINT, which env undoes
env --default-signal=INT "$REEVE" run -n mine --kill-grace 1h \
	-c "trap '' TERM; echo >'$tmp/started'; while :; do sleep 1000; done" \
	2>/dev/null </dev/null &
runner=$!
head -n 1 "$tmp/started" >/dev/null
kill -s INT "$runner"
until [ "$(reeve ls --json mine | jq -r '.[0].state')" = stopping ]; do
	settle
done
kill -s INT "$runner"
status=0
wait "$runner" || status=$?
assert_eq "exit status" 130 "$status"
assert_eq "result" "cancelled 9" \
	"$(reeve ls --json mine | jq -r '.[0] | "\(.result) \(.signal)"')"

step "wait"
ok=$(reeve add true)
bad=$(reeve add false)
long=$(reeve add sleep 1000)
assert_exit 0 reeve wait "$ok"
assert_exit 1 reeve wait -q "$bad"
assert_exit 1 reeve wait -q "$ok" "$bad"
assert_exit 124 reeve wait -t 50ms "$long"
assert_exit 3 reeve wait 9999 2>/dev/null
assert_exit 3 reeve wait no-such-name 2>/dev/null
reeve cancel "$long"
assert_exit 1 reeve wait -q "$long"
assert_exit 0 reeve wait
reeve add --hold true >/dev/null
assert_exit 0 reeve wait

step "the others"
for verb in cancel kill pause resume hold release retry rm; do
	assert_exit 2 reeve "$verb" 2>/dev/null
	assert_exit 3 reeve "$verb" 9999 2>/dev/null
	assert_exit 3 reeve "$verb" --label none-has-it 2>/dev/null
done
assert_exit 2 reeve no-such-verb 2>/dev/null
assert_exit 2 reeve ls --no-such-option 2>/dev/null
assert_exit 2 reeve add 2>/dev/null
assert_exit 2 reeve add -n '1bad' true 2>/dev/null
assert_exit 2 reeve add -t never true 2>/dev/null
assert_exit 3 reeve show 9999 2>/dev/null
assert_exit 3 reeve logs 9999 2>/dev/null
assert_exit 2 reeve retry "$long" --no-such-option 2>/dev/null
held=$(reeve add --hold true)
assert_exit 1 reeve rm "$held" 2>"$tmp/err"
assert_match "which" "*$held*" "$(cat "$tmp/err")"
assert_exit 1 reeve rm "$ok" "$held" 2>/dev/null
assert_exit 3 reeve show "$ok" 2>/dev/null

step "errors are one JSON object on stderr with --json"
assert_exit 3 reeve --json show 9999 >"$tmp/out" 2>"$tmp/err"
assert_eq "stdout" "" "$(cat "$tmp/out")"
assert_eq "stderr" 3 "$(jq .exit_code "$tmp/err")"
stop_reeved
assert_exit 5 reeve ls 2>/dev/null
assert_exit 125 reeve run true 2>/dev/null
