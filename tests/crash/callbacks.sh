#!/bin/sh
# reeved is killed around the record of an end: its callbacks are neither lost nor run twice,
# nor is that of the pool that became empty with it.
# shellcheck disable=SC2119 # the functions take arguments that are not wanted here
. "${srcdir:-.}/tests/support/system.sh"
grep -q 'define REEVE_FAILPOINTS 1' "$build/config.h" || skip "built without failpoints"
cat >"$tmp/conf" <<EOF
[pool default]
on-empty = echo empty >>$tmp/empty
EOF
callbacks() { # ID: how many it has had
	reeve show --json "$1" | jq '.callbacks | length'
}
n_empty() {
	reeve ls --json --name 'on-empty-*' | jq length
}

n=0
for point in reeved-before-exit-commit reeved-exit-committed reeved-before-skip-commit \
	reeved-skip-committed; do
	step "$point"
	REEVE_FAILPOINT="$point:kill" start_reeved --config="$tmp/conf"
	# shellcheck disable=SC2016 # the callback's shell expands it
	a=$(reeve add --hold --on-failure "echo a >>'$tmp/ran-$n'" --on-finish true false)
	b=$(reeve add --after "$a" --on-finish "echo b >>'$tmp/ran-$n'" true)
	reeve release "$a"
	reeved_ended
	assert_eq "killed by itself" 137 "$reeved_status"
	start_reeved --config="$tmp/conf"
	reeve wait -q "$a" "$b" || :
	assert_eq "callbacks" "2 1" "$(callbacks "$a") $(callbacks "$b")"
	reeve wait -q "on-failure-$a" "on-finish-$a" "on-finish-$b"
	n=$((n + 1))
	until [ "$(n_empty)" -ge "$n" ]; do
		settle
	done
	assert_eq "times that the pool became empty" "$n" "$(n_empty)"
	assert_eq "each was run once" "a b" "$(sort "$tmp/ran-$((n - 1))" | xargs)"
	stop_reeved
done

step "killed while callbacks run: they go on"
start_reeved --config="$tmp/conf" --shutdown=detach
mkfifo "$tmp/go"
a=$(reeve add --on-success "head -n 1 '$tmp/go' >>'$tmp/went'" true)
reeve wait "$a"
until [ "$(reeve ls --json "on-success-$a" | jq -r '.[0].state')" = running ]; do
	settle
done
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
echo gone >"$tmp/go"
reeve wait "on-success-$a"
assert_eq "what it did" gone "$(cat "$tmp/went")"
assert_eq "runs" "1 1" "$(callbacks "$a") $(reeve ls --json "on-success-$a" | jq '.[0].runs')"
finish
