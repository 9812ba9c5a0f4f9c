#!/bin/sh
# add --graph: a file of jobs that wait for one another is submitted as one.
. "${srcdir:-.}/tests/support/system.sh"

step "sections are jobs, and wait for one another before they wait for others"
start_reeved
old=$(reeve add -n build -c 'exit 1')
other=$(reeve add -n other true)
reeve wait -q || :
cat >graph <<-'END'
	# the order of the file does not matter
	[job deploy]
	command = sh -c 'echo deploy ; # kept'
	after = test, lint
	after = other
	label = both

	[job build]
	shell-command = echo build
	    echo twice

	[job test]
	command = true
	after = build
	after-failure = nothing|lint|build

	[job lint]
	command = sh -c "exit 4"
	after = build
	[job nothing]
	function = sleep
	arguments = {"seconds": 0}
END
reeve add --graph graph -l all >ids
assert_eq "ids" "$(seq "$((other + 1))" "$((other + 5))" | xargs)" "$(xargs <ids)"
deploy=$(sed -n 1p ids)
first=$(sed -n 2p ids)
assert_eq "sections go first" "$first" "$(reeve ls --json test | jq -r '.[0].after[0]')"
assert_eq "else jobs" "$((deploy + 2)) $((deploy + 3)) $other" \
	"$(reeve ls --json "$deploy" | jq -r '.[0].after | join(" ")')"
assert_eq "labels" "all both" "$(reeve ls --json "$deploy" | jq -r '.[0].labels | join(" ")')"
reeve wait -q || :
assert_eq "results" "skipped succeeded succeeded failed succeeded" \
	"$(reeve ls --json -l all | jq -r '.[].result' | xargs)"
assert_eq "output" "build twice" "$(reeve logs "$first" | xargs)"
assert_eq "the old one" 1 "$(reeve ls --json "$old" | jq '.[0].runs')"

step "what is wrong is told with its line, and nothing is submitted"
n=$(reeve ls -q | wc -l)
wrong() { # PATTERN: of the message about the file on stdin
	cat >wrong
	assert_exit "${wrong_exit:-2}" reeve add --graph wrong 2>err
	assert_match "message" "*wrong:$1*" "$(cat err)"
}
printf '[job a]\ncommand = true\nafter = b\n[job b]\ncommand = true\nafter=3\nafter-any = x|c\n[job c]\nafter-failure = a\ncommand = true\n' |
	wrong '3: a cycle: a waits (line 3) for b waits (line 7) for c waits (line 9) for a'
printf '[job a]\ncommand = true\nafter = a\n' | wrong '3: a cycle: a waits (line 3) for a'
printf '[job a]\ncommand = true\n[job a]\ncommand = true\n' | wrong '3: *twice*line 1*'
printf '[job a]\ncommand = true\nname = b\nname = c\n' | wrong '4: name is given twice*line 3'
printf '[job a]\ncomand = true\n' | wrong "2: unknown key 'comand', did you mean 'command'?"
printf '[pool a]\nslots = 1\n' | wrong '1: unknown section*'
printf '[job 3]\n' | wrong '1: not the name of a job*'
printf '[job a]\ncommand = true\nshell-command = x\n' | wrong "3: 'command' and 'shell-command'*"
printf '[job a]\nnice = 99\ncommand = true\n' | wrong '2: nice: *'
printf '[job a]\n\n' | wrong '1: *nothing to do*'
printf '# nothing\n' | wrong '0: no [[]job NAME[]]*'
wrong_exit=3
printf '[job a]\ncommand = true\n[job b]\ncommand = true\n\nafter = nobody\n' |
	wrong "6: after: no job is named 'nobody'"
printf '[job a]\ncommand = true\nafter-any = 4711\n' | wrong '3: after_any: job 4711 does not exist'
assert_exit 2 reeve add --graph missing 2>err
assert_exit 2 reeve add --graph graph -- true 2>err
assert_exit 2 reeve add --graph graph --batch graph 2>err
assert_eq "jobs" "$n" "$(reeve ls -q | wc -l)"

step "drawn as a tree"
reeve clean --finished >/dev/null
a=$(reeve add -n top --hold true)
b=$(reeve add -n left --after top true)
c=$(reeve add --after top true)
d=$(reeve add -n both --after-any "left|$c" --after "$c" true)
e=$(reeve add --after-failure both true)
reeve add -n alone --hold true >/dev/null
LC_ALL=C reeve graph | sed 's/ *$//' >tree
cat >expected <<-END
	JOB              AFTER           STATE   COMMAND
	$a top                            held    true
	|-$b left         success         waiting true
	| \`-$d both       end, or another waiting true
	|   \`-$e          failure         waiting true
	\`-$c              success         waiting true
	  |-($d both)     success
	  \`-($d both)     end, or another
END
tr -s ' ' <expected >expected.words
tr -s ' ' <tree >tree.words
cmp expected.words tree.words || fail "another tree: $(cat tree)"
assert_eq "from any of them" "[$a,$b,$c,$d,$e]" "$(reeve graph both --json | jq -c '[.[].id]')"
assert_match "one that is alone" "*alone*held*" "$(reeve graph alone)"
assert_exit 3 reeve graph 4711 2>err
reeve cancel --all
reeve wait -q --all || :
assert_eq "nothing unfinished" "" "$(reeve graph)"
[ "$(reeve graph --all --json | jq length)" -ge 5 ] || fail "graph --all leaves out what is finished"
seq 60 | awk '{
	printf "[job deep%d]\ncommand = true\nhold = yes\n", $1
	if ($1 > 1)
		printf "after = deep%d\n", $1 - 1
}' | reeve add --graph - -l deep >/dev/null
assert_eq "each is there" "$(reeve ls -q -l deep | sort -n | cksum)" \
	"$(LC_ALL=C reeve graph | sed -n 's/^[^(0-9]*\([0-9]*\) deep.*held.*/\1/p' | sort -n | cksum)"
reeve cancel -l deep
reeve wait -q --all || :

step "in several calls it is one still"
stop_reeved
cat >"$tmp/conf" <<-'END'
	[reeved]
	submit-max = 7
	graph-max = 100
	jobs-per-user-max = 150
END
start_reeved --config="$tmp/conf"
n=$(reeve ls -q | wc -l)
chain() { # N [WORD]: jobs of which each waits for the one behind it in the file
	seq "$1" | awk -v n="$1" -v last="${2:-true}" '{
		printf "[job j%d]\ncommand = %s\n", $1, $1 < n ? "true" : last
		if ($1 < n)
			printf "after = j%d\n", $1 + 1
	}'
}
chain 100 | reeve add --graph - --key once >ids
assert_eq "ids" "$(seq "$(head -n 1 ids)" "$(($(head -n 1 ids) + 99))" | cksum)" "$(cksum <ids)"
reeve wait "$(head -n 1 ids)"
assert_eq "the same key" "$(cksum <ids)" "$(chain 100 | reeve add --graph - --key once | cksum)"
chain 101 >long
assert_exit 6 reeve add --graph long 2>err
assert_match "limit" "*graph-max = 100*" "$(cat err)"
{
	chain 99
	printf '[job last]\ncommand = true\nafter = nobody\n'
} >bad
assert_exit 3 reeve add --graph bad 2>err
assert_match "the line" "*bad:299: after: *nobody*" "$(cat err)"
assert_exit 2 reeve varlink io.reeve.Job.Submit '{"jobs": [{"command": ["true"]}], "first": 7}' 2>err
assert_exit 0 reeve varlink io.reeve.Job.Submit '{"jobs": [{"command": ["true"]}], "more": true}'
assert_eq "jobs" "$((n + 100))" "$(reeve ls -q | wc -l)"
chain 100 'sh -c "exit 1"' | reeve add --graph - --hold >ids
chain 50 | reeve add --graph - --hold >held
assert_exit 6 reeve add true 2>err
assert_match "limit" "*jobs-per-user-max = 150*" "$(cat err)"
reeve cancel - <held
reeve release - <ids
reeve wait -q - <ids || :
assert_eq "one failed, all others were skipped" "1 99" \
	"$(reeve ls --json - <ids | jq -r '.[].result' | sort | uniq -c | awk '{ print $1 }' | xargs)"
stop_reeved

step "what half a graph names is kept while its connection is open"
start_reeved
old=$(reeve add -n named true)
reeve wait "$old"
mkfifo said
printf '{"method":"io.reeve.Job.Submit","parameters":{"more":true,"jobs":[{"command":["true"],"after":["%s"]}]}}\0' \
	"$old" >half
"$build/tests/support/hostile" "$REEVE_SOCKET" talk <half >said &
holder=$!
read -r line <said
assert_eq "reply" '{"parameters":{"ids":[]}}' "$line"
assert_exit 1 reeve rm "$old" 2>err
assert_match "refusal" "*a job that is being submitted needs it*" "$(cat err)"
kill "$holder"
wait "$holder" || :
until reeve rm "$old" 2>err; do settle; done
stop_reeved

# an answer within a minute, or hostile fails
step "many jobs of one call that name a job of it many times: each is looked at once"
printf '[reeved]\nsubmit-max = 10000\nmessage-max = 4M\n' >conf
start_reeved --config=conf
awk 'BEGIN {
	printf "{\"method\":\"io.reeve.Job.Submit\",\"parameters\":{\"jobs\":["
	for (i = 0; i < 9900; i++)
		printf "{\"command\":[\"true\"],\"hold\":true,\"name\":\"n%d\"},", i
	for (i = 0; i < 100; i++) {
		printf "%s{\"command\":[\"true\"],\"after\":[\"n0\"", i ? "," : ""
		for (k = 1; k < 1000; k++)
			printf ",\"n0\""
		printf "]}"
	}
	printf "]}}"
	printf "%c", 0
}' >call
"$build/tests/support/hostile" "$REEVE_SOCKET" talk -n 1 <call >reply
assert_eq "jobs" 10000 "$(jq '.parameters.ids | length' reply)"
stop_reeved
