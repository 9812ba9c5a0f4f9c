#!/bin/sh
# With few descriptors there are as many runs as they are enough for, and the others wait:
# neither the daemon nor the spawner runs out of them.
. "${srcdir:-.}/tests/support/system.sh"
printf '[reeved]\nmin-free = 0\n[pool default]\nslots = 400\n' >"$tmp/conf"
# shellcheck disable=SC3045  # dash has it
ulimit -n 700
start_reeved --config="$tmp/conf"
running() {
	reeve ls --json --state running | jq length
}

step "as many as there is room for"
yes cat | head -n 300 | reeve add --batch - --stdin-open >ids
last=$(tail -n 1 ids)
until reeve why "$last" | grep -q 'limit of open files'; do
	settle
done
n=$(running)
until [ "$n" -gt 40 ]; do
	settle
	n=$(running)
done
[ "$n" -lt 175 ] || fail "$n run"
assert_eq "health" healthy "$(reeve daemon health)"
assert_eq "said once" 1 \
	"$(grep -c 'as many as the limit of open files allows' "$tmp/reeved.log")"

step "and more than that for none, not even by force"
reeve force "$last"
reeve why "$last" | grep -q 'limit of open files' || fail "$(reeve why "$last")"

step "each that ends lets another start"
while [ -n "$(reeve ls --json --all --state queued --limit 1 | jq -r '.[].id')" ]; do
	for id in $(reeve ls --json --state running | jq '.[].id'); do
		reeve send --eof "$id" </dev/null
	done
	settle
done
for id in $(reeve ls --json --state running | jq '.[].id'); do
	reeve send --eof "$id" </dev/null || :
done
reeve wait -t 60s - <ids
assert_eq "all of them" 300 "$(reeve ls --json --all --result succeeded | jq length)"
stop_reeved
