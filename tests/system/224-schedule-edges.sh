#!/bin/sh
# Schedules at their edges: jobs that a shutdown left, a daemon that ends, times that are
# nobody's.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # sections on standard input
	{
		printf '[reeved]\nmin-free = 0\n[pool default]\nslots = 4\n'
		cat
	} >"$tmp/conf"
}
event() { # NAME WHAT: how many
	reeve schedule history --json "$1" | jq "[.[] | select(.what == \"$2\") | .count] | add // 0"
}
until_event() { # NAME WHAT N
	until [ "$(event "$1" "$2")" -ge "$3" ]; do
		settle
	done
}
conf <<'EOF'
[schedule tick]
when = every 1s
command = sleep 1000
EOF
start_reeved --config="$tmp/conf"

step "a job that the shutdown left held does not stop its schedule"
until_event tick started 1
stop_reeved --mode terminate
start_reeved --config="$tmp/conf"
assert_eq "the one before" held "$(reeve ls --json --schedule tick | jq -r '.[0].state')"
until_event tick started 2

step "nor one that is held by hand; released, it counts again"
reeve cancel --schedule tick
reeve pool pause default
until [ "$(reeve ls -q --schedule tick --state queued | wc -l)" -eq 1 ]; do
	settle
done
held=$(reeve ls -q --schedule tick --state queued)
reeve hold "$held"
until [ "$(reeve ls -q --schedule tick --state queued | wc -l)" -eq 1 ]; do
	settle
done
reeve cancel --schedule tick --state queued
reeve schedule pause tick
reeve cancel --schedule tick --state queued || :
reeve release "$held"
before=$(event tick overlap)
reeve schedule resume tick
until_event tick overlap $((before + 1))
assert_eq "that wait" "$held" "$(reeve ls -q --schedule tick --state queued)"
reeve cancel --schedule tick
stop_reeved

step "an interval of a file goes on over restarts before it has ever elapsed"
conf <<'EOF'
[schedule rare]
when = every 1h
command = true
EOF
start_reeved --config="$tmp/conf"
was=$(reeve schedule next -n 1 --json rare)
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "next" "$was" "$(reeve schedule next -n 1 --json rare)"

step "what is taken away is forgotten whole"
cp "$tmp/conf" "$tmp/with"
conf </dev/null
reeve daemon reload >/dev/null
stop_reeved
cp "$tmp/with" "$tmp/conf"
start_reeved --config="$tmp/conf"
[ "$was" != "$(reeve schedule next -n 1 --json rare)" ] || fail "it was kept"
! grep -q "a record was refused" "$tmp/reeved.log" || fail "a record was refused"
stop_reeved

step "a reload reads the zones anew"
zone() { # NAME
	cp "/usr/share/zoneinfo/$1" "$tmp/zone.new"
	mv "$tmp/zone.new" "$tmp/zone"
}
if [ -f /usr/share/zoneinfo/Asia/Tokyo ] && [ -f /usr/share/zoneinfo/Asia/Kolkata ]; then
	conf <<-'EOF'
		[schedule local]
		when = *-*-* 12:00
		command = true
	EOF
	zone Asia/Tokyo
	TZ="$tmp/zone" start_reeved --config="$tmp/conf"
	reeve schedule add mine --when '*-*-* 12:00' true
	for name in local mine; do
		assert_eq "Tokyo" 3 "$(reeve schedule next -n 1 --json $name | jq '.[0] / 3600000000 % 24')"
	done
	zone Asia/Kolkata
	reeve daemon reload >/dev/null
	for name in local mine; do
		assert_eq "Kolkata" 6.5 "$(reeve schedule next -n 1 --json $name | jq '.[0] % 86400000000 / 3600000000')"
	done
	reeve schedule rm mine
	stop_reeved
fi

step "what is owed when a schedule is disabled is given up"
slow() { # yes or no
	conf <<-EOF
		[schedule slow]
		when = every 1s
		overlap = queue
		enabled = $1
		command = sleep 1000
	EOF
}
slow yes
start_reeved --config="$tmp/conf"
until [ "$(reeve schedule show --json slow | jq '[.pending[] | select(.waits)] | length')" -ge 2 ]; do
	settle
done
slow no
reeve daemon reload >/dev/null
assert_eq "owed" '[]' "$(reeve schedule show --json slow | jq -c .pending)"
assert_eq "given up" true "$(reeve schedule history --json slow |
	jq '.[-1] | .what == "paused" and .count >= 2')"
stop_reeved --mode terminate

step "a record that makes no sense is told of, and kept until it is removed"
python3 -c 'import sqlite3' 2>/dev/null || skip "no python3 with sqlite3"
records() { # SQL: of the records of schedules
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print("".join(str(row[0]) for row in db.execute(sys.argv[2])), end="")
db.commit()' "$state/reeve.db" "$1"
}
conf </dev/null
start_reeved --config="$tmp/conf"
reeve schedule add other --when daily true
reeve schedule add broken --when daily true
stop_reeved
records "UPDATE definition SET text = replace(text, 'user = ', 'user: ') WHERE name = 'broken' AND kind = 'schedule'"
start_reeved --config="$tmp/conf"
reeved_says 1 "schedule 'broken': its record cannot be read"
assert_eq "the others" other "$(reeve schedule ls --json | jq -r '.[].name')"
assert_exit 3 reeve schedule run broken 2>/dev/null
reeve daemon reload >/dev/null
stop_reeved
assert_match "kept" "*user: *" "$(records "SELECT text FROM definition WHERE name = 'broken' AND kind = 'schedule'")"
start_reeved --config="$tmp/conf"
reeve schedule rm broken
assert_exit 3 reeve schedule rm broken 2>/dev/null
stop_reeved
assert_eq "gone" "" "$(records "SELECT text FROM definition WHERE name = 'broken'")"
