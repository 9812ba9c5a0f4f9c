#!/bin/sh
# Schedules that are added at run time, reloads, limits, errors with their place.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # sections on standard input
	{
		printf '[reeved]\nmin-free = 0\nschedules-max = 2\n'
		cat
	} >"$tmp/conf"
}
errors() { # what is wrong with the configuration
	"$REEVED" "$1" --check-config --config="$tmp/conf" 2>&1 || true
}
until_jobs() { # NAME: it made one
	until [ "$(reeve ls --json --schedule "$1" | jq length)" -ge 1 ]; do
		settle
	done
}
phase() { # NAME: of its interval
	reeve schedule next -n 1 --json "$1" | jq '.[0] % 1000000'
}
conf <<'EOF'
[schedule file]
when = yearly
command = true
EOF
start_reeved --config="$tmp/conf"

step "add"
# shellcheck disable=SC2016
reeve schedule add once --when 'every 1s' --missed latest --overlap queue --jitter 0 \
	--tz America/New_York -e "GREETING=hello" -- /bin/sh -c 'echo "$GREETING $(pwd)"'
until_jobs once
id=$(reeve ls --json --schedule once | jq '.[0].id')
reeve wait "$id"
assert_eq "what it said" "hello $(pwd)" "$(reeve logs "$id")"
assert_eq "origin" "run time" "$(reeve schedule show --json once | jq -r .origin)"
assert_exit 1 reeve schedule add once --when daily true 2>"$tmp/err"
assert_match "twice" "*is there already (run time)*" "$(cat "$tmp/err")"
assert_exit 1 reeve schedule add file --when daily true 2>"$tmp/err"
assert_match "of the file" "*is there already (*conf:4)*" "$(cat "$tmp/err")"

step "what is refused"
assert_exit 2 reeve schedule add x --when 'on tuesdays' true 2>"$tmp/err"
assert_match "when" "*when: *" "$(cat "$tmp/err")"
assert_exit 2 reeve schedule add x true 2>/dev/null
assert_exit 2 reeve schedule add x --when daily 2>"$tmp/err"
assert_match "command" "*command: nothing says what to run*" "$(cat "$tmp/err")"
assert_exit 2 reeve schedule add x --when daily --tz Mars/Olympus true 2>"$tmp/err"
assert_match "zone" "*there is no time zone 'Mars/Olympus'*" "$(cat "$tmp/err")"
assert_exit 2 reeve schedule add x --when daily --at tomorrow true 2>"$tmp/err"
assert_match "at" "*at_usec: it is for single jobs*" "$(cat "$tmp/err")"
assert_exit 2 reeve schedule add x --when '' true 2>"$tmp/err"
assert_match "no when" "*when: missing*" "$(cat "$tmp/err")"
assert_exit 2 reeve schedule add x --when daily --function nonsense 2>"$tmp/err"
assert_match "function" "*function: no such function: 'nonsense'*" "$(cat "$tmp/err")"
assert_exit 2 reeve schedule add x --when daily -n jobs true 2>"$tmp/err"
assert_match "name" "*--name names its jobs*" "$(cat "$tmp/err")"
assert_exit 2 reeve schedule add 'a b' --when daily true 2>/dev/null
assert_exit 2 reeve schedule add x --when daily --queue-max 1001 true 2>/dev/null
assert_exit 3 reeve schedule show nobody 2>/dev/null
assert_exit 3 reeve schedule rm nobody 2>/dev/null
assert_exit 1 reeve schedule rm file 2>/dev/null
assert_exit 2 reeve schedule nonsense 2>/dev/null

step "the limit"
reeve schedule add second --when daily true
assert_exit 6 reeve schedule add third --when daily true 2>"$tmp/err"
assert_match "limit" "*schedules-max = 2*" "$(cat "$tmp/err")"

step "kept over a crash, gone with rm"
was=$(phase once)
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "it goes on from where it was" "$was" "$(phase once)"
assert_eq "what it is" "latest queue America/New_York" \
	"$(reeve schedule show --json once | jq -r '"\(.missed) \(.overlap) \(.zone)"')"
reeve schedule rm once second
assert_eq "left" file "$(reeve schedule ls --json | jq -r '.[].name')"
assert_eq "its jobs are there still" "$id" "$(reeve ls --json "$id" | jq '.[0].id')"

step "a reload"
reeve schedule add late --when 'daily' true
conf <<'EOF'
[schedule file]
when = every 1s
command = true
[schedule late]
when = hourly
command = true
EOF
assert_exit 1 reeve daemon reload 2>"$tmp/err"
assert_match "both" "*conf:7: *schedule late] was added at run time, too: reeve schedule rm 'late'*" "$(cat "$tmp/err")"
reeve schedule rm late
reeve daemon reload >/dev/null
until_jobs file
was=$(phase file)
conf <<'EOF'
[schedule file]
when = every 1s
overlap = allow
command = false
EOF
reeve daemon reload >/dev/null
assert_eq "where when is the same it goes on" "$was" "$(phase file)"
assert_eq "and is another" allow "$(reeve schedule show --json file | jq -r .overlap)"
conf </dev/null
reeve daemon reload >/dev/null
assert_eq "none is left" '[]' "$(reeve schedule ls --json)"
stop_reeved

step "errors have their place"
conf <<'EOF'
[schedule a]
when = every never
command = true
[schedule b]
command = true
[schedule c]
when = daily
[schedule d]
when = daily
zone = Nowhere/Else
overlap = sometimes
comand = true
[schedule e]
when = daily
pool = deep
command = echo %x
[schedule]
EOF
found=$(errors --user)
for want in "conf:5: ?schedule a] when: *" "conf:7: ?schedule b] when: missing*" \
	"conf:9: ?schedule c] command: nothing says what to run*" \
	"conf:13: zone: there is no time zone 'Nowhere/Else'*" "conf:14: overlap: *" \
	"conf:15: unknown key 'comand' in *did you mean 'command'*" \
	"conf:18: ?schedule e] pool: there is no ?pool deep]*" \
	"conf:19: ?schedule e] command: unknown specifier*" "conf:20: ?schedule] needs a name*"; do
	assert_match "errors" "*$want" "$found"
done
conf <<'EOF'
[schedule a]
when = daily
command = true
EOF
assert_match "system mode" "*conf:4: ?schedule a] user: missing*" "$(errors --system)"
assert_eq "user mode" "configuration is good" "$(errors --user)"
