#!/bin/sh
# The processes of a job: all of its tree and what left it, only while it runs, only for
# its owner.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved
mkfifo "$tmp/go"
commands() { # JOB: the command lines of its processes
	reeve ps --json "$1" | jq -r '.processes[].command'
}
count() { # JOB
	reeve ps --json "$1" | jq .total
}

step "its tree, and what made itself a session of its own"
id=$(reeve add -n tree -- sh -c "echo hello; (setsid sh -c 'read -r x <\"$tmp/go\"; : far' &) &
	sh -c 'read -r x <\"$tmp/go\"; : near' & read -r x <'$tmp/go'; wait")
until [ "$(commands "$id" | grep -c ': far$\|: near$')" -ge 2 ] &&
	[ "$(reeve logs "$id")" = hello ]; do
	settle
done
main=$(reeve ls --json "$id" | jq '.[0].pid')
assert_eq "the main process is first" "$main" "$(reeve ps --json "$id" | jq '.processes[0].pid')"
assert_eq "each once" "$(reeve ps --json "$id" | jq '.processes[].pid' | sort -u | wc -l)" \
	"$(count "$id")"
assert_eq "facts" true "$(reeve ps --json "$id" | jq '[.processes[] |
	.memory_bytes > 0 and .cpu_usec >= 0 and .age_usec >= 0 and (.state | length == 1)] | all')"
assert_eq "last output" true "$(reeve ps --json "$id" |
	jq '.last_output_usec / 1000000 | (now - .) < 600 and (now - .) > -60')"
assert_match "for people" "*PID*PARENT*COMMAND*" "$(reeve ps tree)"
assert_match "when" "*last output *" "$(reeve ps "$id")"

step "the same after the daemon was killed"
kill -9 "$reeved_pid"
reeved_ended
start_reeved
until [ "$(reeve ls --json "$id" | jq -r '.[0].state')" = running ]; do
	settle
done
assert_eq "far" 1 "$(commands "$id" | grep -c ': far$')"

step "a selector means those that run"
held=$(reeve add --hold -- true)
assert_eq "all" "$id" "$(reeve ps --all --json | jq .id)"
assert_eq "bare" "$id" "$(reeve ps --json | jq .id)"
assert_exit 3 reeve ps "$held"
assert_match "why" "*job $held is held*" "$(reeve ps "$held" 2>&1 || :)"

step "none when it is over"
reeve cancel "$id"
assert_exit 1 reeve wait -q "$id"
assert_exit 3 reeve ps "$id"
assert_eq "none" 0 "$(count "$id" || :)"
assert_exit 3 reeve ps 99999

finish
