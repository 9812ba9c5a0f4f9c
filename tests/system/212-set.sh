#!/bin/sh
# Properties of jobs that are there: checked, kept, and in effect at once.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<'EOC'
[reeved]
min-free = 0
[pool default]
slots = 1
[pool other]
slots = 1
EOC
mkfifo "$tmp/go"
start_reeved --config="$tmp/conf"
spec() { # JOB FILTER
	reeve show --json "$1" | jq -c ".spec | $2"
}
state() { # JOB
	reeve ls --json "$1" | jq -r '.[0].state'
}
is() { # JOB STATE: waits
	until [ "$(state "$1")" = "$2" ]; do
		settle
	done
}

step "a held job, and that is kept over a crash"
id=$(reeve add --hold -n old -l red -- false)
assert_eq "said" "1 job changed" "$(reeve set "$id" priority=5 timeout=90s label=blue,green)"
assert_eq "same again" "1 job unchanged" "$(reeve set "$id" priority=5 timeout=90s label=blue,green)"
assert_eq "json" '{"n":1,"unchanged":0,"refused":[]}' "$(reeve set --json "$id" command=true)"
reeve set "$id" name=new >/dev/null
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "spec" '[5,90000000,["blue","green"],["true"]]' \
	"$(spec "$id" '[.priority, .timeout_usec, .label, .command]')"
assert_eq "by its name" "$id" "$(reeve ls -q new)"
assert_exit 3 reeve ls -q old
assert_eq "by its label" "$id" "$(reeve ls -q -l blue)"
reeve set new timeout= label= >/dev/null
assert_eq "back to the defaults" '[null,null]' "$(spec "$id" '[.timeout_usec, .label]')"
reeve release "$id"
reeve wait "$id"

step "what is refused, by name"
assert_exit 1 reeve set "$id" priority=1
assert_exit 2 reeve set "$id"
assert_exit 2 reeve set priority=1
assert_exit 2 reeve set new prioritty=1
assert_match "a hint" "*did you mean 'priority'*" "$(reeve set new prioritty=1 2>&1 || :)"
id=$(reeve add --hold -n next -- true)
assert_exit 2 reeve set "$id" priority=high
assert_exit 2 reeve set "$id" priority=99999999
for key in hold=yes force=yes function=sleep env-pass=X; do
	assert_exit 2 reeve set "$id" "$key"
done
assert_exit 1 reeve set "$id" pool=nowhere
assert_match "the pool" "*job $id: pool: no such pool: 'nowhere'*" \
	"$(reeve set "$id" pool=nowhere 2>&1 || :)"
assert_match "the directory" "*job $id: cwd: *" "$(reeve set "$id" cwd=relative 2>&1 || :)"
assert_eq "nothing of it holds" '[null,null,["true"]]' \
	"$(spec "$id" '[.priority, .pool, .command]')"
reeve set "$id" shell-command='exit 3' >/dev/null
assert_eq "one or the other" '[null,"exit 3"]' "$(spec "$id" '[.command, .shell_command]')"
reeve release "$id"
assert_exit 1 reeve wait -q "$id"
assert_eq "as told" 3 "$(reeve ls --json "$id" | jq '.[0].exit_code')"

step "priority and pool of queued jobs hold at once"
blocker=$(reeve add -c "read -r x <'$tmp/go'")
is "$blocker" running
a=$(reeve add -c "echo a >>'$tmp/order'")
b=$(reeve add -c "echo b >>'$tmp/order'")
c=$(reeve add -c "echo c >>'$tmp/order'")
reeve set "$b" priority=9 >/dev/null
reeve set "$c" pool=other >/dev/null
reeve wait "$c"
assert_eq "the other pool has room" c "$(cat "$tmp/order")"
echo go >"$tmp/go"
reeve wait "$a" "$b"
assert_eq "order" "c b a" "$(xargs <"$tmp/order")"

step "times"
id=$(reeve add --delay 1d -- true)
assert_eq "before" delayed "$(state "$id")"
reeve set "$id" delay=0 >/dev/null
reeve wait "$id"
id=$(reeve add --delay 1d --deadline @4000000000 -- true)
reeve set "$id" deadline=@1000000000 >/dev/null
assert_exit 1 reeve wait -q "$id"
assert_eq "it gave up" skipped "$(reeve ls --json "$id" | jq -r '.[0].result')"
id=$(reeve add --hold --deadline "@$(($(date +%s) + 2))" -- true)
reeve set "$id" deadline= >/dev/null
blocker=$(reeve add -c "read -r x <'$tmp/go'")
is "$blocker" running
late=$(reeve add -- true)
reeve set "$late" delay=1d >/dev/null
assert_eq "a queued one is delayed" delayed "$(state "$late")"

step "a running one takes a limit, and is refused what it cannot take"
assert_exit 1 reeve set "$blocker" slots=1 priority=3
assert_match "named" "*job $blocker: slots: it is running*" \
	"$(reeve set "$blocker" priority=3 slots=1 2>&1 || :)"
assert_exit 1 reeve set "$blocker" command=true
reeve set "$blocker" kill-grace=1s success-codes='0 7' timeout=100ms >/dev/null
assert_exit 1 reeve wait -q "$blocker"
assert_eq "ended by it" timeout "$(reeve ls --json "$blocker" | jq -r '.[0].result')"
blocker=$(reeve add -c "read -r x <'$tmp/go'; exit 7")
is "$blocker" running
reeve set "$blocker" success-codes='0 7' name=seven >/dev/null
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
is "$blocker" running
echo go >"$tmp/go"
reeve wait seven

step "many at once"
reeve add --batch - >/dev/null <<-EOC
	$(yes '{"command":["true"],"hold":true}' | head -n 1200)
EOC
assert_eq "all" "1202 jobs changed" "$(reeve set --all priority=2 | head -n 1)"
assert_eq "all again" "1202 jobs unchanged" "$(reeve set --all priority=2)"
assert_eq "each" 1202 "$(reeve ls --json --state held --state delayed |
	jq '[.[] | select(.priority == 2)] | length')"

finish
