#!/bin/sh
# 10,000 jobs in one batch: each runs exactly once, all are recorded. REEVE_TEST_SMALL=1
# makes it 1,000.
. "${srcdir:-.}/tests/support/system.sh"
n=10000
[ -z "${REEVE_TEST_SMALL:-}" ] || n=1000
# more than the default is kept: none is to go while they are counted
printf '[reeved]\nkeep-finished-max = 100000\n[pool default]\nslots = 4\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
yes '{"command": ["/bin/true"]}' | head -n "$n" | reeve add --batch - >ids
assert_eq "ids" "$(seq "$n" | cksum)" "$(sort -n ids | cksum)"
reeve wait
assert_eq "succeeded in one run" "$n" "$(reeve ls --json | jq '[.[] | select(.state == "finished"
	and .result == "succeeded" and .exit_code == 0 and .runs == 1)] | length')"

step "a token of each: none ran twice, none was left out"
m=$((n / 10))
seq "$m" | sed "s|.*|echo & >>'$tmp/tokens'|" | reeve add --batch - >/dev/null
reeve wait
assert_eq "tokens" "$(seq "$m" | cksum)" "$(sort -n "$tmp/tokens" | cksum)"

step "the records are on disk"
kept=$(reeve ls -q --state finished | wc -l)
assert_eq "kept" "$((n + m))" "$kept"
kill -s KILL "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "after kill -9" "$kept" "$(reeve ls -q --state finished --result succeeded | wc -l)"
stop_reeved
