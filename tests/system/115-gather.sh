#!/bin/sh
# gather: results in the order given, whatever ends first, and whoever dies meanwhile.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 4
	[pool one]
	slots = 1
END
start_reeved --config="$tmp/conf"
mkfifo gate

# await_state STATE ID: by this it is in it
await_state() {
	i=0
	until [ "$(reeve ls --json "$2" 2>/dev/null | jq -r '.[0].state')" = "$1" ]; do
		i=$((i + 1))
		[ $i -lt 1000 ] || fail "job $2 is not $1"
	done
}

# next_id: of the job that will be submitted next
next_id() {
	echo $(($(reeve add --hold true) + 1))
}

# shellcheck disable=SC2016 # the jobs'
step "in order, each in one piece, streams apart"
reeve gather -- 'head -n 1 gate; echo one; echo err >&2' 'echo two; echo x >gate; echo 2' 'echo three' \
	>out 2>err
assert_eq "stdout" "x one two 2 three" "$(xargs <out)"
assert_eq "stderr" "err" "$(cat err)"
assert_eq "quoting is the shell's" "a  b" "$(reeve gather "printf '%s' 'a  b'")"

step "an output comes as soon as its turn has come"
mkfifo shown
id=$(next_id)
"$REEVE" gather 'echo first' 'cat gate' 'echo last' >shown &
gatherer=$!
exec 8<shown
assert_eq "while others run" "first" "$(timeout 60 head -n 1 <&8)"
await_state finished $((id + 2))
exec 9>gate
echo second >&9
exec 9>&-
assert_eq "then the rest" "second last" "$(timeout 60 cat <&8 | xargs)"
assert_exit 0 wait "$gatherer"
exec 8<&-

step "the first failure cancels the rest"
id=$(next_id)
assert_exit 1 reeve gather -g one 'echo a' 'echo b; exit 3' 'cat gate' 'cat gate' >out 2>err
assert_eq "outputs" "a b" "$(xargs <out)"
assert_eq "said" "reeve: job $((id + 1)) failed, exit 3, cancelling the rest" "$(head -n 1 err)"
assert_eq "in the end" "reeve: of 4 jobs 1 succeeded, 1 failed, 2 cancelled" "$(tail -n 1 err)"
assert_eq "results" "succeeded failed cancelled cancelled" \
	"$(reeve ls --json "$id-$((id + 3))" | jq -r '.[].result' | xargs)"
id=$(next_id)
# a running one too
mkfifo started
assert_exit 1 reeve gather -q 'echo x >started; cat gate' 'read -r x <started; exit 1' >out 2>err
assert_eq "quiet" "" "$(cat err)"
assert_eq "the running one" cancelled "$(reeve ls --json "$id" | jq -r '.[0].result')"

step "of those that are not submitted yet, too"
id=$(next_id)
mkfifo items
"$REEVE" gather --each -c 'exit {}' <items >out 2>err &
gatherer=$!
exec 8<>items # nobody is told that it has stopped reading
echo 3 >&8
# it takes the news with the answer to a call, and stops reading
until grep -q "^reeve: job $id failed, exit 3" err; do
	echo 0 >&8
	settle
done
assert_exit 1 wait "$gatherer" # though the input goes on
exec 8>&-
assert_match "in the end" "reeve: of * 1 failed, * cancelled" "$(tail -n 1 err)"
assert_eq "no other was submitted" "$(sed -n 's/^reeve: of \([0-9]*\) job.*/\1/p' err)" \
	"$(($(next_id) - 1 - id))"
seq 3000 | assert_exit 1 reeve gather --each -q -c 'exit {}' >out 2>err

step "--keep-going does not"
assert_exit 1 reeve gather --keep-going -g one 'echo a' 'exit 3' 'echo c' 'kill -9 $$' >out 2>err
assert_eq "outputs" "a c" "$(xargs <out)"
assert_eq "in the end" "reeve: of 4 jobs 2 succeeded, 2 failed, 0 cancelled" "$(tail -n 1 err)"

step "--json: one array"
assert_exit 1 reeve gather --json -k 'echo a; echo e >&2' 'exit 3' 'kill -9 $$' 'printf "\377"' \
	>out 2>err
assert_eq "members" '[["a\n","e\n",0,null],["","",3,null],["","",null,9],[null,"",0,null]]' \
	"$(jq -c 'map([.output, .error_output, .exit_code, .signal])' out)"
assert_eq "bytes" "/w==" "$(jq -r '.[3].output_b64' out)"
assert_eq "commands" "exit 3" "$(jq -r '.[1].command' out)"
assert_eq "the error" 1 "$(jq .exit_code err)"
reeve gather --json --no-output 'echo a' true >out
assert_eq "without output" '[["succeeded",false],["succeeded",false]]' \
	"$(jq -c 'map([.result, has("output")])' out)"
assert_eq "text without output" "" "$(reeve gather --no-output 'echo a')"

step "from standard input, and --each"
assert_eq "lines" "1 two three" "$(printf '# a comment\necho 1\n{"command": ["echo", "two"]}\necho three' |
	reeve gather - | xargs)"
printf 'a b\0c\nd\0-n\0' | reeve gather --each -0 -- printf '<%s>' {} >out
assert_eq "items" "<a b><c
d><-n>" "$(cat out)"
assert_eq "bytes" "ff" "$(printf '\377\n' | reeve gather --each -c 'printf %s {}' | od -An -tx1 | tr -d ' ')"
assert_eq "on the command line" "1:x 2:it's" "$(reeve gather --each echo '{#}:{}' ::: x "it's" | xargs -d '\n')"

step "1,000 of them"
seq 1000 | reeve gather --each -- sh -c 'echo $0' >out
seq 1000 | cmp - out

step "Ctrl-C cancels all"
id=$(next_id)
"$REEVE" gather 'echo begun; cat gate' 'cat gate' >out 2>err &
gatherer=$!
await_state running $((id + 1))
kill -INT "$gatherer"
assert_exit 130 wait "$gatherer"
assert_eq "what was there" "begun" "$(cat out)"
assert_eq "results" "cancelled cancelled" \
	"$(reeve ls --json "$id" $((id + 1)) | jq -r '.[].result' | xargs)"

step "a second one kills"
cat >deaf.sh <<'END'
trap 'echo deaf' TERM
echo ready
while :; do read -r x <gate && exit; done
END
id=$(next_id)
"$REEVE" gather --kill-grace 1h 'exec sh deaf.sh' >out 2>err &
gatherer=$!
until [ "$(reeve logs "$id" 2>/dev/null)" = ready ]; do :; done
kill -INT "$gatherer"
await_state stopping "$id"
kill -INT "$gatherer"
assert_exit 130 wait "$gatherer"
assert_eq "how it ended" 9 "$(reeve ls --json "$id" | jq '.[0].signal')"

step "Ctrl-C while commands are read"
mkfifo lines
"$REEVE" gather - <lines >out 2>err &
gatherer=$!
exec 9>lines
seq 600 | sed 's/.*/cat gate/' >&9
# it takes the signal itself by then
until grep -q '^SigBlk:.*2$' "/proc/$gatherer/status"; do
	kill -0 "$gatherer" || fail "it ended"
done
kill -INT "$gatherer"
assert_exit 130 wait "$gatherer"
exec 9>&-
reeve wait -q || :
assert_eq "nothing goes on" 0 "$(reeve ls -q --state running | wc -l)"

step "the CLI dies: the jobs go on, and the same key finds them"
id=$(next_id)
"$REEVE" gather --key again 'cat gate; echo one' 'echo two' >out &
gatherer=$!
await_state running "$id"
kill -KILL "$gatherer"
wait "$gatherer" || :
echo x >gate
reeve wait "$id"
assert_eq "found" "x one two" "$(reeve gather --key again 'cat gate; echo one' 'echo two' | xargs)"
assert_eq "no others" "$((id + 1))" "$(reeve ls -q | sort -n | tail -n 1)"

step "the daemon is killed meanwhile"
id=$(next_id)
"$REEVE" gather -k 'cat gate; echo one' 'exit 4' 'echo two' >out 2>err &
gatherer=$!
await_state running "$id"
await_state finished $((id + 2))
signal_reeved KILL
start_reeved --config="$tmp/conf"
echo x >gate
assert_exit 1 wait "$gatherer"
assert_eq "all of it, once" "x one two" "$(xargs <out)"

step "a job that is removed before its output was shown"
id=$(next_id)
"$REEVE" gather -k 'cat gate' 'echo two' >out 2>err &
gatherer=$!
await_state finished $((id + 1))
reeve rm $((id + 1))
echo x >gate
assert_exit 125 wait "$gatherer"
assert_eq "the other" "x" "$(cat out)"
assert_match "said" "*1 job was removed*" "$(tail -n 1 err)"

step "nobody reads"
{
	assert_exit 141 reeve gather 'seq 100000' 2>err
} | head -n 1 >/dev/null
assert_match "said" "*output is closed*" "$(cat err)"

step "output that was trimmed"
assert_exit 125 reeve gather --output-max 64K 'seq 100000' >out 2>err
assert_match "said" "*trimmed*" "$(tail -n 1 err)"

step "a limit: what was submitted before it does not go on"
stop_reeved
printf '[reeved]\njobs-max = 550\n[pool default]\nslots = 4\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
reeve cancel --all >/dev/null 2>&1 || :
assert_exit 6 reeve gather --each true {} ::: $(seq 1200) 2>err
assert_match "said" "*limit*" "$(cat err)"
reeve wait -q || :

step "what is refused"
assert_exit 2 reeve gather 2>/dev/null
assert_exit 2 reeve gather -c true x 2>/dev/null
assert_exit 2 reeve gather -0 x 2>/dev/null
assert_exit 3 reeve gather - </dev/null 2>/dev/null
assert_exit 3 reeve gather --each true </dev/null 2>/dev/null
stop_reeved
assert_exit 5 reeve gather true 2>/dev/null
