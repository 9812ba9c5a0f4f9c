#!/bin/sh
# Where runs are short the next ones are with the spawner before their slot is free. What gets
# none soon goes back to the queue; nobody ever sees more at work than there are slots.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # SLOTS
	printf '[reeved]\nmin-free = 0\n[pool default]\nslots = %s\n' "$1" >"$tmp/conf"
}
states() { # ID...: one line
	reeve ls --json "$@" | jq -r 'map(.state) | join(" ")'
}
short_runs() { # until the daemon knows that they are: 200 ms are taken for what is not known
	yes '{"command": ["/bin/true"]}' | head -n 60 | reeve add --batch - >/dev/null
	reeve wait -q || :
}
# waits for its turn on a FIFO, and has five behind it that are over at once
mkfifo "$tmp/go"
one_and_five() {
	{
		printf '{"command": ["/bin/sh", "-c", "read -r x <%s"]}\n' "$tmp/go"
		echo '{"command": ["/bin/echo", "hello"]}'
		yes '{"command": ["/bin/true"]}' | head -n 4
	} | reeve add --batch -
}
taken_back() { # how often a start was
	grep -c 'starting -> queued' "$tmp/reeved.log" || :
}
conf 1
start_reeved --config="$tmp/conf" --log-level=debug

step "what does not get its slot goes back to the queue"
# on a machine that is busy even 'true' may last too long to be worth it
tries=0
while [ "$tries" -lt 10 ]; do
	tries=$((tries + 1))
	short_runs
	before=$(taken_back)
	ids=$(one_and_five)
	# shellcheck disable=SC2086 # one word each
	set -- $ids
	reeve logs -f "$2" >"$tmp/followed" &
	follower=$!
	until [ "$(states "$@")" = "running queued queued queued queued queued" ]; do
		settle
	done
	[ "$(taken_back)" -eq "$before" ] || break
	echo go >"$tmp/go"
	reeve wait -q || :
	wait "$follower"
done
[ "$(taken_back)" -gt "$before" ] || skip "this machine is too slow to start anything ahead"
assert_eq "runs of one that was taken back" 0 "$(reeve ls --json "$2" | jq '.[0].runs')"
assert_eq "its output" "" "$(reeve logs "$2" 2>/dev/null || :)"
reeve hold "$3"
reeve cancel "$4"
echo go >"$tmp/go"
reeve wait -q "$1" "$2" "$4" "$5" "$6" || : # one is cancelled
wait "$follower"
assert_eq "what a follower saw of it" hello "$(cat "$tmp/followed")"
assert_eq "afterwards" "finished finished held finished finished finished" "$(states "$@")"
reeve release "$3"
reeve wait -q || :
assert_eq "ends" "succeeded succeeded succeeded cancelled succeeded succeeded" \
	"$(reeve ls --json "$@" | jq -r 'map(.result) | join(" ")')"
assert_eq "runs" "1 1 1 0 1 1" "$(reeve ls --json "$@" | jq -r 'map(.runs) | join(" ")')"

step "one that waits with the spawner can be moved, held and cancelled at once"
short_runs
ids=$(one_and_five)
# shellcheck disable=SC2086
set -- $ids
reeve move "$2" last
reeve hold "$6"
reeve cancel "$5"
until [ "$(states "$@")" = "running queued queued queued finished held" ]; do
	settle
done
reeve cancel "$6"
echo go >"$tmp/go"
reeve wait -q || :
assert_eq "started in the order" "$1 $3 $4 $2" "$(reeve ls --json "$1" "$2" "$3" "$4" |
	jq -r 'sort_by(.started_usec) | map(.id) | join(" ")')"

step "what it waits for can be changed at once, too"
short_runs
ids=$(one_and_five)
# shellcheck disable=SC2086
set -- $ids
reeve set "$2" after="$4" >/dev/null
echo go >"$tmp/go"
reeve wait -q || :
assert_eq "started in the order" "$1 $3 $4" "$(reeve ls --json "$1" "$2" "$3" "$4" |
	jq -r 'sort_by(.started_usec) | map(.id) | .[:3] | join(" ")')"
assert_eq "behind what it waits for" true "$(reeve ls --json "$2" "$4" |
	jq '.[0].started_usec >= .[1].finished_usec')"

step "who follows at the moment a start is recorded sees all of it"
short_runs
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	reeve run echo "says $i" >"$tmp/said.$i" &
	runners="${runners:-} $!"
done
for pid in $runners; do
	wait "$pid"
done
assert_eq "outputs" "20" "$(cat "$tmp"/said.* | grep -c '^says [0-9]*$')"

# takes one of two directories, and fails where both are taken
limited='for i in 1 2; do
	if mkdir "$DIR/slot$i" 2>/dev/null; then rmdir "$DIR/slot$i"; exit 0; fi
done; exit 1'
many() { # N
	jq -cn --arg c "$limited" --arg d "$tmp" \
		'{command: ["/usr/bin/env", "DIR=" + $d, "/bin/sh", "-c", $c]}' >"$tmp/one"
	yes "$(cat "$tmp/one")" | head -n "$1" | reeve add --batch - >/dev/null
}
all_well() {
	assert_eq "$1" 0 "$(reeve ls --json | jq '[.[] | select(.state != "finished" or
		.runs > 1 or (.result != "succeeded" and .result != "cancelled"))] | length')"
}
step "never more at once than slots, through a change of them and kill -9"
conf 2
reeve daemon reload >/dev/null
short_runs
many 150
reeve wait -q || :
all_well "two slots"
many 150
kill -s KILL "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf" --log-level=debug
reeve wait -q || :
all_well "after kill -9"

step "both are killed: what waited with the spawner was never begun"
conf 1
reeve daemon reload >/dev/null
short_runs
ids=$(one_and_five)
# shellcheck disable=SC2086
set -- $ids
until [ "$(reeve ls --json "$1" | jq -r '.[0].state')" = running ]; do
	settle
done
pid=$(reeve ls --json "$1" | jq '.[0].pid')
spawner=$(reeve daemon status --json | jq .spawner_pid)
kill -s STOP "$reeved_pid"
kill -s KILL "$spawner" "$reeved_pid"
kill -s KILL -- "-$pid"
reeved_ended
await_gone 60
start_reeved --config="$tmp/conf" --log-level=debug
reeve wait -q "$2" "$3" "$4" "$5" "$6"
assert_eq "the others" "succeeded 1 succeeded 1 succeeded 1 succeeded 1 succeeded 1" \
	"$(reeve ls --json "$2" "$3" "$4" "$5" "$6" | jq -r 'map("\(.result) \(.runs)") | join(" ")')"
reeve cancel "$1"
reeve wait -q || :

step "files of spawners that are gone do not pile up"
stop_reeved
start_reeved --config="$tmp/conf"
reeve run true
assert_eq "files of claims" 1 "$(find "$state" -name 'claims.*' | wc -l)"
stop_reeved
assert_eq "files of claims at the end" 0 "$(find "$state" -name 'claims.*' | wc -l)"
