#!/bin/sh
# Counts of finished jobs: by result, per pool and in all, with times that fit the jobs.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<'EOC'
[reeved]
min-free = 0
[pool default]
slots = 2
[pool other]
slots = 2
EOC
start_reeved --config="$tmp/conf"
stats() { # FILTER ARGUMENT...
	filter=$1
	shift
	reeve stats --json "$@" | jq -c "$filter"
}
counts='[.succeeded, .failed, .timeout, .cancelled, .skipped, .lost, .last_hour]'

step "nothing"
assert_eq "all" '[0,0,0,0,0,0,0]' "$(stats ".all | $counts")"
assert_eq "no times" '[null,null,null,null]' \
	"$(stats '.all | [.wait_mean_usec, .wait_p95_usec, .run_mean_usec, .run_p95_usec]')"
assert_eq "no pools" '[]' "$(stats .pools)"

step "each result in its pools"
n=0
while [ "$n" -lt 20 ]; do
	reeve add -l many -- true >/dev/null
	n=$((n + 1))
done
reeve add -g other -- false >/dev/null
reeve add -g default,other -- true >/dev/null
reeve add -g other --timeout 50ms -- tail -f /dev/null >/dev/null
reeve add --hold --deadline @1000000000 -- true >/dev/null
held=$(reeve add --hold -- true)
reeve cancel "$held"
reeve wait -q --all || :
until [ "$(reeve ls --json --result skipped | jq length)" = 1 ]; do
	settle
done
assert_eq "all" '[21,1,1,1,1,0,25]' "$(stats ".all | $counts")"
assert_eq "default" '["default",21,0,0,1,1,0,23]' "$(stats ".pools[0] | [.pool] + $counts")"
assert_eq "other" '["other",1,1,1,0,0,0,3]' "$(stats ".pools[1] | [.pool] + $counts")"

step "times are those of the jobs"
reeve ls --json -l many | jq '[.[] | .finished_usec - .started_usec] | sort |
	[(add / length | floor), .[18]]' -c >"$tmp/expected"
assert_eq "run: mean, and the 19th of 20" "$(cat "$tmp/expected")" \
	"$(stats '.all | [.run_mean_usec, .run_p95_usec]' -l many)"
reeve ls --json -l many | jq '[.[] | .started_usec - .submitted_usec] | sort |
	[(add / length | floor), .[18]]' -c >"$tmp/expected"
assert_eq "wait" "$(cat "$tmp/expected")" \
	"$(stats '.all | [.wait_mean_usec, .wait_p95_usec]' -l many)"
assert_match "for people" "POOL*SUCCEEDED*WAIT*95%*RUN*95%*LAST HOUR*default *other *(all) *" \
	"$(reeve stats)"

step "the time that a job waited for its next run is no run's"
a=$(reeve add -l waits --retries 1 --retry-delay 1h -- false)
until [ "$(reeve ls --json "$a" | jq -r '.[0].state')" = backoff ]; do
	settle
done
reeve cancel "$a"
assert_eq "its result" '[0,0,0,1,0,0,1]' "$(stats ".all | $counts" -l waits)"
assert_eq "its time" '[null,null]' "$(stats '.all | [.run_mean_usec, .run_p95_usec]' -l waits)"
assert_eq "that of its run" '[1,"failed"]' \
	"$(reeve history --json "$a" | jq -c '.[0].run | [.run, .result]')"
assert_match "for people" "* - false" "$(reeve ls "$a" | tail -n 1)"
reeve rm "$a"

step "selectors, and what is removed is not counted"
assert_eq "failed" '[0,1,1,0,0,0,2]' "$(stats ".all | $counts" --failed)"
assert_eq "a pool" '[1,1,1,0,0,0,3]' "$(stats ".all | $counts" --pool other)"
reeve clean >/dev/null
assert_eq "after clean" '[0,1,1,1,1,0,4]' "$(stats ".all | $counts")"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "after a crash" '[0,1,1,1,1,0,4]' "$(stats ".all | $counts")"
assert_exit 3 reeve stats 9999

finish
