#!/bin/sh
# Runs that have ended: over jobs, in the order of their ends, with limits and rights of
# selectors, also after a restart.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved
runs() { # ARGUMENT...: "JOB.RUN ..."
	reeve history --json "$@" | jq -r '.[] | "\(.id).\(.run.run)"' | xargs
}

step "none, then the last one first"
assert_eq "none" "[]" "$(reeve history --json)"
a=$(reeve add -n a -l red -- true)
reeve wait "$a"
b=$(reeve add -n b --retries 2 --retry-delay 1ms -- sh -c 'exit 4')
assert_exit 1 reeve wait -q "$b"
held=$(reeve add --hold -- true)
assert_eq "all" "$b.3 $b.2 $b.1 $a.1" "$(runs)"
reeve retry "$a"
reeve wait "$a"
assert_eq "by their ends, not by job" "$a.2 $b.3 $b.2 $b.1 $a.1" "$(runs)"
assert_eq "facts" '["b","default","failed",4,true]' "$(reeve history --json "$b" |
	jq -c '.[0] | [.name, .pool, .run.result, .run.exit_code,
		.run.elapsed_usec >= 0 and .run.memory_max_bytes > 0 and .run.cpu_user_usec >= 0]')"
assert_match "for people" "*JOB*RUN*RESULT*ENDED*TOOK*CPU*MEMORY*" "$(reeve history)"
assert_match "how" "*$b *3 *b *failed, exit 4 *" "$(reeve history "$b")"

step "selectors and limits"
assert_eq "a job" "$a.2 $a.1" "$(runs a)"
assert_eq "a label" "$a.2 $a.1" "$(runs -l red)"
assert_eq "one that has not run" "" "$(runs "$held")"
assert_eq "limit" "$a.2 $b.3" "$(runs --limit 2)"
assert_match "what is left out" "*3 earlier runs*" "$(reeve history --limit 2 2>&1 >/dev/null)"
assert_exit 2 reeve history --limit 0
assert_exit 2 reeve history --limit 10001
assert_exit 3 reeve history 9999

step "the same after the daemon was killed"
before=$(reeve history --json)
kill -9 "$reeved_pid"
reeved_ended
start_reeved
assert_eq "history" "$before" "$(reeve history --json)"

step "more than a page"
reeve add --batch - >/dev/null <<-EOC
	$(yes '{"command":["true"]}' | head -n 700)
EOC
reeve wait
assert_eq "all" 705 "$(reeve history --json | jq length)"
assert_eq "none twice" 705 "$(runs | tr ' ' '\n' | sort -u | wc -l)"
assert_eq "sorted" true "$(reeve history --json | jq '[.[].run.finished_usec] | . == (sort | reverse)')"
assert_eq "raw, one page" true "$(reeve varlink io.reeve.Job.History '{"limit":9999}' |
	jq '.total == 705 and (.runs | length) < 705')"
reeve rm "$a"
assert_eq "a removed job takes its runs along" 703 "$(reeve history --json | jq length)"

finish
