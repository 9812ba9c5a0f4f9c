#!/bin/sh
# Output: files, streams apart, following, limits, other places.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved
mkfifo "$tmp/started" "$tmp/go"
run() {
	last=$(reeve add "$@")
	reeve wait -q "$last" || :
}

step "logs: all, the last lines, one stream, none"
run -c 'seq 100; echo bad >&2'
assert_eq "all" 101 "$(reeve logs "$last" | wc -l)"
assert_eq "last lines" "99 100 bad" "$(reeve logs -n 3 "$last" | xargs)"
run --split-output -c 'echo good; echo bad >&2'
assert_eq "stdout" good "$(reeve logs --stream stdout "$last")"
assert_eq "stderr" bad "$(reeve logs --stream stderr "$last")"
assert_eq "both" "bad good" "$(reeve logs "$last" 2>&1 | sort | xargs)"
run true
assert_eq "nothing" "" "$(reeve logs "$last")"
run printf 'no newline'
assert_eq "bytes" "no newline" "$(reeve logs "$last")"
run -c "printf '\\377\\000\\001'"
assert_eq "any bytes" "ff0001" "$(reeve logs "$last" | od -An -tx1 | tr -d ' \n')"

step "a stream that stayed empty is empty, and not the other one"
run --split-output -c 'echo good'
assert_eq "stdout" good "$(reeve logs --stream stdout "$last")"
assert_eq "stderr" "" "$(reeve logs --stream stderr "$last")"
run --split-output -c 'echo bad >&2'
assert_eq "stdout" "" "$(reeve logs --stream stdout "$last")"
assert_eq "stderr" bad "$(reeve logs --stream stderr "$last")"

step "a run that never was is not one that printed nothing"
assert_eq "run 1" bad "$(reeve logs --run 1 "$last")"
for follow in "" "-f"; do
	# shellcheck disable=SC2086
	assert_exit 3 reeve logs $follow --run 2 "$last" 2>"$tmp/err"
	assert_match "error" "*job $last has no run 2*" "$(cat "$tmp/err")"
done

step "logs -f begins before the job and ends with it"
id=$(reeve add --hold -c "echo one; echo >'$tmp/started'; head -n 1 '$tmp/go'")
reeve logs -f "$id" >"$tmp/out" &
follower=$!
reeve release "$id"
head -n 1 "$tmp/started" >/dev/null
echo two >"$tmp/go"
wait "$follower"
assert_eq "output" "one two" "$(xargs <"$tmp/out")"

step "logs -f --run waits for a run to come"
mkfifo again
id=$(reeve add --retries 1 --retry-delay 1ms -c \
	'if [ -e first ]; then echo run 2; else touch first; cat again; fi; exit 1')
reeve logs -f --run 2 "$id" >second &
follower=$!
reeve logs -f --run 3 "$id" 2>third &
other=$!
echo run 1 >again
assert_exit 0 wait "$follower"
assert_eq "the second run" "run 2" "$(cat second)"
assert_exit 3 wait "$other"
assert_match "the third run" "*no run 3*" "$(cat third)"

step "output-max: the oldest bytes go, and reading says so"
run --output-max 64K -c 'seq -w 1 28000; echo end'
reeve logs "$last" >"$tmp/out" 2>"$tmp/err" || :
assert_eq "the end is there" end "$(tail -n 1 "$tmp/out")"
[ "$(stat -c %s "$tmp/out")" -le 131072 ] || fail "$(stat -c %s "$tmp/out") bytes were kept"
reeve show --json "$last" | jq -e '.run_history[0] | .output_lost_bytes > 0 and
	.output_bytes > 0' >/dev/null ||
	fail "show: $(reeve show --json "$last" | jq -c '.run_history[0]')"
grep -q '[0-9]' "$tmp/err" || fail "reading did not say that bytes are lost"
assert_exit 0 reeve run --output-max 64K -c 'seq -w 1 2000' >/dev/null

step "to other places"
run --output "file:$tmp/work/mine" -c 'echo first'
run --output "file:$tmp/work/mine" -c 'echo second; echo bad >&2'
assert_eq "file:, appended" "first second bad" "$(xargs <mine)"
run --output null -c 'echo lost'
assert_eq "null" "" "$(reeve logs "$last" 2>/dev/null || :)"
run --output inherit -c 'echo inherited by reeved'
grep -q "inherited by reeved" "$tmp/reeved.log" || fail "output = inherit went elsewhere"
run --output "file:$tmp/none/there" true
assert_eq "a folder that is not there" "failed" "$(reeve ls --json "$last" | jq -r '.[0].result')"

step "what a job leaves behind"
run --leftovers leave -c "setsid sh -c 'echo \$\$ >pid; echo >\"$tmp/started\"; exec sleep 1000' & read -r x <'$tmp/started'"
assert_eq "left" succeeded "$(reeve ls --json "$last" | jq -r '.[0].result')"
kill "$(cat pid)" || fail "leftovers = leave killed it"
run --leftovers kill --kill-grace 100ms -c "(trap '' TERM; echo >'$tmp/started'; while :; do sleep 1000; done) & read -r x <'$tmp/started'"
reeve show --json "$last" | jq -e '.run_history[0].leftovers > 0' >/dev/null ||
	fail "show does not tell of what was left behind"
last=$(reeve add --leftovers wait -c "(head -n 1 '$tmp/go') & exit 0")
assert_exit 124 reeve wait -t 100ms "$last"
echo late >"$tmp/go"
reeve wait "$last"
assert_eq "waited for" late "$(reeve logs "$last")"

step "what cannot be written is told once"
if [ -c /dev/full ]; then
	for verb in "logs $last" "ls" "show $last" "add --hold true"; do
		# shellcheck disable=SC2086 # words
		assert_exit 1 reeve $verb 2>"$tmp/err" >/dev/full
		assert_eq "$verb" "reeve: cannot write: No space left on device" "$(cat "$tmp/err")"
	done
	echo true | assert_exit 1 reeve add --hold --batch - 2>"$tmp/err" >/dev/full
	assert_eq "a batch" "reeve: lines 1 to 1 are submitted: 1 job
reeve: cannot write: No space left on device" "$(cat "$tmp/err")"
	reeve cancel --all >/dev/null
	assert_exit 125 reeve run --stdin null -n full echo hi 2>"$tmp/err" >/dev/full
	assert_match "run" "reeve: cannot write the output: No space left on device; job * goes on" \
		"$(cat "$tmp/err")"
	reeve wait full
fi
assert_exit 125 reeve run --stdin null -n closed echo hi 2>"$tmp/err" >&-
assert_match "run" "reeve: cannot write the output: Bad file descriptor; job * goes on" \
	"$(cat "$tmp/err")"
reeve wait closed

step "run --json prints JSON and nothing else"
assert_exit 3 reeve --json run --stdin null -- sh -c 'echo a; echo b >&2; exit 3' >"$tmp/out" 2>"$tmp/err"
assert_eq "stdout" "stdout YQo= stderr Ygo= failed 3" \
	"$(jq -r 'if .result then "z \(.result) \(.exit_code)" else "\(.stream) \(.data_b64)" end' \
		"$tmp/out" | sed 's/^stdout/a &/; s/^stderr/b &/' | sort | cut -d ' ' -f 2- | xargs)"
assert_match "stderr" "3 job * failed, exit 3" "$(jq -r '"\(.exit_code) \(.message)"' "$tmp/err")"
assert_exit 127 reeve --json run --stdin null /nonexist >"$tmp/out" 2>"$tmp/err"
assert_match "stderr" "127 job * was not started: exec '/nonexist': No such file or directory" \
	"$(jq -r '"\(.exit_code) \(.message)"' "$tmp/err")"
assert_exit 124 reeve --json run --stdin null -t 100ms sleep 1000 2>"$tmp/err" >"$tmp/out"
assert_match "stderr" "124 job * timeout*" "$(jq -r '"\(.exit_code) \(.message)"' "$tmp/err")"

step "how a job ended is said once, and what it is about"
last=$(reeve add -c "trap 'exit 0' TERM; echo >'$tmp/go'; while :; do sleep 1000 & wait; done")
head -n 1 "$tmp/go" >/dev/null
reeve cancel "$last"
assert_exit 1 reeve wait "$last" 2>"$tmp/err"
assert_match "wait" "reeve: job $last cancelled*" "$(cat "$tmp/err")"
case $(cat "$tmp/err"; reeve show "$last") in
*cancelled,\ cancelled*) fail "cancelled twice" ;;
esac
last=$(reeve add --success-codes 3 true)
assert_exit 1 reeve wait "$last" 2>"$tmp/err"
assert_eq "wait" "reeve: job $last failed, exit 0" "$(cat "$tmp/err")"
assert_match "ls" "*failed, exit 0*" "$(reeve ls "$last")"
last=$(reeve add -c '(exec sleep 1000) & exit 0')
reeve wait -q "$last" || :
assert_eq "reason" "1 process was left behind" "$(reeve show --json "$last" | jq -r .job.reason)"
stop_reeved

step "run, where [defaults] name one file for all output"
printf '[defaults]\noutput = file:%s\n' "$tmp/all" >"$tmp/conf"
start_reeved --config="$tmp/conf"
assert_eq "run" "" "$(reeve run --stdin null -c 'echo good; echo bad >&2')"
assert_eq "the file" "bad good" "$(sort "$tmp/all" | xargs)"
assert_eq "with an output of its own" "good" \
	"$(reeve run --stdin null --output file -c 'echo good; echo bad >&2' 2>"$tmp/err")"
assert_eq "apart" bad "$(cat "$tmp/err")"
assert_exit 125 reeve run --stdin null --split-output true 2>"$tmp/err"
assert_match "both asked for" "*split-output needs two files*" "$(cat "$tmp/err")"
printf '[defaults]\nsplit-output = no\n' >"$tmp/conf"
reeve daemon reload >/dev/null
assert_eq "not asked to split" "good" \
	"$(reeve run --stdin null -c 'echo good; echo bad >&2' 2>"$tmp/err")"
assert_eq "run does" bad "$(cat "$tmp/err")"
stop_reeved
