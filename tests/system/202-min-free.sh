#!/bin/sh
# Below min-free no run starts; `show` says why, and it heals.
. "${srcdir:-.}/tests/support/system.sh"
conf() {
	printf '[reeved]\nmin-free = %s\n' "$1" >"$tmp/conf"
}
conf 1000000T
start_reeved --config="$tmp/conf"
id=$(reeve add echo ran)
assert_exit 124 reeve wait -t 200ms "$id"
assert_eq "state" queued "$(reeve ls --json "$id" | jq -r '.[0].state')"
assert_match "why" "*free*" "$(reeve show --json "$id" | jq -r .why)"
assert_exit 1 reeve daemon health >"$tmp/health"
assert_match "health" "*min-free*" "$(cat "$tmp/health")"
conf 1
reeve daemon reload >/dev/null
reeve wait -t 60s "$id"
assert_eq "output" ran "$(reeve logs "$id")"
assert_eq "health" healthy "$(reeve daemon health)"
stop_reeved
