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
