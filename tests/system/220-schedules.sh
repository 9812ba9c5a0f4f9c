#!/bin/sh
# Schedules: what is due becomes jobs, also over restarts and crashes; what was missed is
# made up for as the policy says.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # sections on standard input
	{
		printf '[reeved]\nmin-free = 0\n[pool default]\nslots = 4\n'
		cat
	} >"$tmp/conf"
}
history_of() { # NAME FILTER
	reeve schedule history --json "$1" | jq -r "$2"
}
due_of_jobs() { # NAME: the nominal times of its jobs
	history_of "$1" '.[] | select(.job) | .nominal_usec'
}
n_jobs() { # NAME
	reeve ls --json --schedule "$1" | jq length
}
until_jobs() { # NAME N: that many were made at least
	until [ "$(n_jobs "$1")" -ge "$2" ]; do
		settle
	done
}
crash() {
	kill -9 "$reeved_pid"
	reeved_ended
}
# the daemon is away until the wall clock has passed so many whole seconds
away() {
	away_until=$(($(date +%s) + $1))
	until [ "$(date +%s)" -gt "$away_until" ]; do
		settle_without
	done
}
# a round of a process: there is no daemon to ask
settle_without() {
	"$REEVE" calendar -n 1 daily >/dev/null
}
each_once() { # TIMES: none is there twice
	[ -n "$1" ] || fail "no times"
	assert_eq "times that came twice" "" "$(printf '%s\n' "$1" | sort -n | uniq -d)"
}

conf <<EOC
[schedule tick]
when = every 1s
command = /bin/sh -c 'echo "\$REEVE_SCHEDULE \$REEVE_SCHEDULED_USEC"'
EOC
start_reeved --config="$tmp/conf"

step "every second"
assert_eq "nothing runs because the daemon started" 0 "$(n_jobs tick)"
until_jobs tick 2
id=$(reeve ls --json --schedule tick | jq '.[0].id')
reeve wait "$id"
assert_eq "what its job knows" "tick $(reeve show --json "$id" | jq -r .spec.scheduled_usec)" \
	"$(reeve logs "$id")"
assert_eq "its name" tick "$(reeve ls --json "$id" | jq -r '.[0].name')"
assert_eq "state" active "$(reeve schedule ls --json | jq -r '.[0].state')"
assert_match "origin" "*/conf:5" "$(reeve schedule show --json tick | jq -r .origin)"
assert_eq "next" 3 "$(reeve schedule next -n 3 tick | wc -l)"
assert_eq "between two" 1000000 "$(reeve schedule next -n 2 tick --json | jq '.[1] - .[0]')"
assert_match "table" "*tick*every 1s*active*" "$(reeve schedule ls)"

step "a crash makes nothing twice, and under skip what elapsed meanwhile is left out"
crash
away 2
start_reeved --config="$tmp/conf"
before=$(n_jobs tick)
until_jobs tick $((before + 2))
each_once "$(due_of_jobs tick)"
assert_eq "made up for" 0 "$(history_of tick '[.[] | select(.what == "made-up")] | length')"
assert_eq "left out" true "$(history_of tick 'any(.what == "missed")')"

step "crashes at any moment"
for _ in 1 2 3 4; do
	before=$(n_jobs tick)
	until_jobs tick $((before + 1))
	crash
	start_reeved --config="$tmp/conf"
done
each_once "$(due_of_jobs tick)"
stop_reeved

step "all: the newest missed-max are made up for, each once"
conf <<'EOC'
[schedule all]
when = *:*:0/2
zone = Europe/Berlin
missed = all
missed-max = 3
missed-spread = 0
overlap = allow
command = true
[schedule latest]
when = *:*:0/2
missed = latest
command = true
EOC
start_reeved --config="$tmp/conf"
assert_eq "one that is gone from the file" "all latest" \
	"$(reeve schedule ls --json | jq -r '[.[].name] | join(" ")')"
until_jobs all 1
until_jobs latest 1
crash
away 9
start_reeved --config="$tmp/conf"
until [ "$(history_of all '[.[] | select(.what == "made-up")] | length')" = 3 ]; do
	settle
done
until [ "$(history_of latest '[.[] | select(.what == "made-up")] | length')" = 1 ]; do
	settle
done
crash
start_reeved --config="$tmp/conf"
until_jobs all $(($(n_jobs all) + 1))
each_once "$(due_of_jobs all)"
each_once "$(due_of_jobs latest)"
all=$(history_of all '[.[] | select(.what == "made-up") | .nominal_usec / 1000000] | .[0:3] | map(. - (. % 2)) | "\(.[1] - .[0]) \(.[2] - .[1])"')
assert_eq "the newest, in a row, oldest first" "2 2" "$all"
stop_reeved
