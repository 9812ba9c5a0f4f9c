#!/bin/sh
# add --batch, and keys that make a repeated call harmless.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved

step "shell lines and JSON objects, ids in their order"
cat >lines <<-'END'
	# a comment

	echo plain; exit 3
	{"command": ["printf", "%s", "two words"], "name": "json", "label": ["own"]}
	   { echo group; }
END
reeve add --batch lines -l all >ids
assert_eq "ids" "1 2 3" "$(xargs <ids)"
reeve wait -q -l all || :
assert_eq "results" "failed succeeded succeeded" "$(reeve ls --json | jq -r '.[].result' | sort | xargs)"
assert_eq "outputs" "plain|two words|group" "$(reeve logs 1)|$(reeve logs 2)|$(reeve logs 3)"
assert_eq "labels are added" "all,own" "$(reeve ls --json 2 | jq -r '.[0].labels | sort | join(",")')"
assert_eq "name" json "$(reeve ls --json 2 | jq -r '.[0].name')"
assert_eq "stdin" 4 "$(echo true | reeve add --batch -)"

step "a wrong line is named, and nothing is submitted"
printf 'true\n{"command": ["true"], "nonsense": 1}\ntrue\n' >wrong
assert_exit 2 reeve add --batch wrong 2>err
assert_match "the line" "*2*nonsense*" "$(cat err)"
printf 'true\n\n{"command": "true"\n' >wrong
assert_exit 2 reeve add --batch wrong 2>err
assert_match "the line" "*3*" "$(cat err)"
assert_eq "jobs" 4 "$(reeve ls -q | wc -l)"

step "the same key, the same ids"
a=$(reeve add --key once true)
b=$(reeve add --key once true)
assert_eq "id" "$a" "$b"
c=$(reeve add --key other true)
[ "$c" != "$a" ] || fail "another key gave the same id"
printf 'true\ntrue\n' >two
assert_eq "batch" "$(reeve add --batch two --key many | xargs)" \
	"$(reeve add --batch two --key many | xargs)"
reeve wait
stop_reeved
start_reeved
assert_eq "after a restart" "$a" "$(reeve add --key once true)"

step "priorities, slots"
stop_reeved
printf '[pool default]\nslots = 1\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
mkfifo go
reeve add -l order -c 'head -n 1 go >/dev/null; echo first >>order' >/dev/null
reeve add -l order -p -1 -c 'echo last >>order' >/dev/null
reeve add -l order -c 'echo third >>order' >/dev/null
reeve add -l order -c 'echo fourth >>order' >/dev/null
reeve add -l order -p 10 -c 'echo second >>order' >/dev/null
echo >go
reeve wait -l order
assert_eq "order" "first second third fourth last" "$(xargs <order)"
stop_reeved
printf '[pool default]\nslots = 3\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
seq 60 | sed 's/.*/echo b >>n; echo e >>n/' | reeve add -l slots --batch - >/dev/null
reeve wait -l slots
assert_eq "runs" 60 "$(grep -c b n)"
reeve ls --json -l slots | jq -r '.[] | "\(.started_usec) 1\n\(.finished_usec) -1"' |
	sort -k 1,1n -k 2,2n | awk '{ n += $2; if (n > 3) bad = 1 } END { exit bad }' ||
	fail "more than 3 at one time"
stop_reeved

step "submit-max is lowered while a batch goes on"
limit() {
	printf '[reeved]\nsubmit-max = %s\n' "$1" >"$tmp/conf"
	[ -z "$reeved_pid" ] || reeve daemon reload >/dev/null
}
# lines FIRST LAST
lines() {
	seq "$1" "$2" | sed 's/.*/{"command": ["true", "&"], "hold": true, "label": ["line-&"]}/'
}
# lowered N [OPTION...]: the limit is 8 and becomes 3 when the first lines are through; N more
# lines follow. As many calls as are under way at a time are made before one is sent.
lowered() {
	rest=$1
	shift
	n_first=32
	[ $# -eq 0 ] || n_first=8
	limit 8
	mkfifo in out
	reeve add "$@" --batch in >out 2>err &
	batch=$!
	exec 4<out 3<>in # it may have stopped reading
	lines 1 "$n_first" >&3
	: >ids
	while [ "$(wc -l <ids)" -lt 8 ] && IFS= read -r id <&4; do
		echo "$id" >>ids
	done
	limit 3
	if [ "$rest" = bad ]; then
		lines 33 40 | sed '2s/"hold"/"pool": "none", &/' >&3
		lines 41 42 >&3
	else
		lines $((n_first + 1)) $((n_first + rest)) >&3
	fi
	exec 3>&-
	cat <&4 >>ids
	exec 4<&-
	rm in out
	status=0
	wait "$batch" || status=$?
}
# in_order N: the ids are those of lines 1 to N, in their order, and of no others
in_order() {
	assert_eq "exit status" 0 "$status"
	assert_eq "lines of the ids" "$(seq "$1" | xargs)" \
		"$(while read -r id; do reeve show --json "$id" | jq -r '.spec.command[1]'; done <ids | xargs)"
	assert_eq "jobs" "$1" "$(reeve ls -q --all --state held | wc -l)"
}
limit 8
start_reeved --config="$tmp/conf"
for n in 18 20 1; do # the last call: taken at once, too long, the only one
	lowered "$n"
	in_order $((32 + n))
	reeve cancel --all --state held >/dev/null
done

step "also with a key, which means the same lines again"
lowered 18 --key kept
in_order 26
lines 1 26 >again
assert_eq "once more" "$(xargs <ids)" "$(reeve add --key kept --batch again | xargs)"
limit 500
assert_eq "in longer calls" "$(xargs <ids)" "$(reeve add --key kept --batch again | xargs)"
reeve cancel --all --state held >/dev/null

step "a line that is refused: what was under way meanwhile, and is through, is told"
lowered bad
assert_eq "exit status" 2 "$status"
assert_eq "ids" 32 "$(wc -l <ids)"
assert_match "what it says" "*line 34: pool: no such pool*
*lines 1 to 32 are submitted: 32 jobs
*lines 36 to 38 are submitted, too: jobs *
*lines 39 to 40 are submitted, too: jobs *" "$(cat err)"
# 41 and 42 may have been under way, too
n_told=$(awk '/, too: jobs/ { n += $NF - $(NF - 2) + 1 } END { print n }' err)
assert_eq "all that there are" $((32 + n_told)) "$(reeve ls -q --all --state held | wc -l)"
stop_reeved
