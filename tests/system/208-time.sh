#!/bin/sh
# Jobs that start later, and jobs that give up: delay, at, deadline.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<'EOF'
[reeved]
min-free = 0
[pool default]
slots = 1
EOF
field() { # ID FIELD
	reeve ls --json "$1" | jq -r ".[0].$2"
}
waited_usec() { # ID: from its submission to its start
	reeve ls --json "$1" | jq '.[0] | .started_usec - .submitted_usec'
}
until_state() { # ID STATE
	until [ "$(field "$1" state)" = "$2" ]; do
		settle
	done
}
now() { # seconds
	date +%s
}
mkfifo "$tmp/go"
start_reeved --config="$tmp/conf"

step "a delay"
b=$(reeve add -d 1h true)
assert_eq "state" delayed "$(field "$b" state)"
assert_match "why" "*its time has not come*" "$(reeve show "$b")"
reeve cancel "$b"
a=$(reeve add -d 1s true)
b=$(reeve add true)
reeve wait "$a" "$b"
[ "$(waited_usec "$a")" -ge 1000000 ] || fail "it started after $(waited_usec "$a") us"
[ "$(waited_usec "$b")" -lt "$(waited_usec "$a")" ] || fail "the other one waited too"

step "a time, which is kept over a crash and a hold"
at=$(($(now) + 3))
a=$(reeve add --at "@$at" true)
b=$(reeve add --at "@$at.5" --hold true)
c=$(reeve add --at "@1" true)
reeve wait "$c"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "state" delayed "$(field "$a" state)"
assert_eq "due" "${at}000000" "$(field "$a" due_usec)"
assert_eq "state of the other" held "$(field "$b" state)"
reeve release "$b"
assert_eq "state after its release" delayed "$(field "$b" state)"
reeve wait "$a" "$b"
for id in "$a" "$b"; do
	[ "$(field "$id" started_usec)" -ge "${at}000000" ] || fail "job $id started early"
done

step "times as people write them"
a=$(TZ=UTC reeve add --hold --at "2031-05-06 07:08" true)
assert_eq "a date" 1935817680000000 "$(reeve show --json "$a" | jq .spec.at_usec)"
a=$(reeve add --hold --at "tomorrow 06:00 Europe/Berlin" true)
assert_eq "tomorrow" "$(TZ=Europe/Berlin date -d 'tomorrow 06:00' +%s)000000" \
	"$(reeve show --json "$a" | jq .spec.at_usec)"
before=$(now)
a=$(reeve add --hold --deadline 2h true)
found=$(reeve show --json "$a" | jq '.spec.deadline_usec / 1000000 | floor')
after=$(now)
if [ "$found" -lt "$((before + 7200))" ] || [ "$found" -gt "$((after + 7200))" ]; then
	fail "a deadline in 2h is at $found"
fi
reeve cancel --all

step "what is delayed can be held, forced, cancelled"
a=$(reeve add -d 1h true)
reeve hold "$a"
assert_eq "held" held "$(field "$a" state)"
reeve release "$a"
assert_eq "released" delayed "$(field "$a" state)"
reeve force "$a"
reeve wait "$a"
b=$(reeve add -d 1h true)
reeve cancel "$b"
assert_eq "cancelled" cancelled "$(field "$b" result)"

step "a deadline"
reeve add -c "read -r x <'$tmp/go'" >/dev/null
a=$(reeve add --deadline "@$(($(now) + 1))" true)
b=$(reeve add --deadline "@$(($(now) + 3600))" true)
h=$(reeve add --deadline "@$(($(now) + 1))" --hold true)
status=0
reeve run --deadline "@$(($(now) + 1))" true 2>"$tmp/err" || status=$?
assert_eq "exit code of run" 125 "$status"
reeve wait -q "$a" || :
assert_eq "result" skipped "$(field "$a" result)"
assert_eq "reason" "it had not started by its deadline" "$(field "$a" reason)"
until_state "$h" finished
assert_eq "runs" 0 "$(field "$a" runs)"
echo go >"$tmp/go"
reeve wait "$b"
c=$(reeve add --deadline "@$(($(now) - 10))" -d 1h true)
reeve wait -q "$c" || :
assert_eq "one that has passed" skipped "$(field "$c" result)"
seq 50 | reeve add -l late --deadline "@$(($(now) - 10))" --each true >/dev/null
b=$(reeve add true)
reeve wait -q -l late || :
reeve wait "$b"
assert_eq "nor does it start where a slot is free" '["skipped",0]' \
	"$(reeve ls --json -l late | jq -c 'map([.result, .runs]) | unique | .[]')"
reeve retry "$a"
reeve wait "$a"

step "a deadline is kept over a crash, and holds where it passes meanwhile"
reeve add -c "read -r x <'$tmp/go'" >/dev/null
a=$(reeve add --deadline "@$(($(now) + 1))" true)
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
until_state "$a" finished
assert_eq "result" skipped "$(field "$a" result)"
echo go >"$tmp/go"

step "bad times"
assert_exit 2 reeve add --at never true
assert_exit 2 reeve add --at @1 -d 1s true
assert_exit 2 reeve add --deadline @ true
assert_exit 2 reeve add -d -1 true
printf '[defaults]\nat = @5\n' >>"$tmp/conf"
assert_match "in [defaults]" "*:6: at: it is for single jobs, not for [[]defaults]*" \
	"$(reeve config check "$tmp/conf" 2>&1)"

finish
