#!/bin/sh
# Services are looked at and steered: what an operator stopped stays so over restarts and
# reloads of a daemon that is killed right after it has answered.
. "${srcdir:-.}/tests/support/system.sh"
state_of() { # SERVICE
	reeve service status --json "$1" | jq -r '.[0].state'
}
instances() { # SERVICE FILTER
	reeve service status --json "$1" | jq -r "[.[0].instances[] | $2] | join(\" \")"
}
crash() {
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
}

cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[service web]
shell-command = echo "hello from \$REEVE_INSTANCE"; exec sleep 1000
instances = 2
restart-delay = 1ms
[service web-2]
command = sleep 1000
[service fails]
shell-command = test -e $tmp/repaired && exec sleep 1000; exit 3
restart-delay = 1ms
restart-delay-max = 1ms
restart-burst = 2
restart-interval = 1h
[service slow]
command = false
restart-delay = 1h
restart-delay-max = 1h
restart-jitter = 0
[service finished]
command = true
restart = on-failure
[service stubborn]
shell-command = trap '' TERM; sleep 1000
stop-timeout = 50ms
[service crashy]
shell-command = [ "\$REEVE_RUN" -gt 3 ] && exec sleep 1000; echo "a \$REEVE_RUN"; echo "fatal \$REEVE_RUN"; exit 1
restart-delay = 1ms
restart-delay-max = 1ms
[service trimmed]
shell-command = [ "\$REEVE_INSTANCE" = 1 ] || exec sleep 1000; seq 100000; echo >"$tmp/done"; exec sleep 1000
instances = 2
output-max = 64K
[service talks]
shell-command = echo "run \$REEVE_RUN"; [ "\$REEVE_RUN" -gt 1 ] || exit 1; seq 20; exec sleep 1000
restart-delay = 1ms
EOC
start_reeved --config="$tmp/conf"

step "what there is"
for s in web web-2 stubborn; do
	until_is running state_of "$s"
done
until_is failed state_of fails
until_is restarting state_of slow
until_is exited state_of finished
assert_eq "names" "crashy fails finished slow stubborn talks trimmed web web-2" \
	"$(reeve service ls --json | jq -r '[.[].name] | join(" ")')"
assert_match "why one is down" "*given up: 2 restarts in 1h*reeve service start fails*" \
	"$(reeve service why fails)"
assert_match "why one is done" "*it has ended (exit status 0) and is not started again: restart = on-failure*" \
	"$(reeve service why 'fin*')"
assert_match "why one waits" "*it ended (exit status 1) and is started again*" \
	"$(reeve service why slow)"
assert_eq "when" 3600 "$(reeve service status --json slow |
	jq '.[0].instances[0] | (.due_usec - .since_usec) / 1000000 | round')"
reeve service ls >out
assert_match "a table" "SERVICE*STATE*RUNNING*" "$(head -n 1 out)"
assert_match "of all" "*web *running*2/2*" "$(grep '^web ' out)"
until [ "$(reeve service logs web | sort | paste -sd ' ' -)" != "" ] &&
	reeve service logs web | grep -q 'from 1'; do
	settle
done
reeve service status web >out
for text in "instance 0" "instance 1" "hello from 1" "pid" "CPU"; do
	grep -q "$text" out || fail "status does not say '$text': $(cat out)"
done
assert_eq "its last ends" 3 \
	"$(reeve service status fails | grep -c '^last end .*exit status 3,\|^last end .*given up')"

step "what runs before the one that goes on have printed"
until_is running state_of crashy
until [ "$(instances crashy .starts)" = 4 ] && reeve service logs talks | grep -q '^20$'; do
	settle
done
plain_runs() { # a start has its time behind it
	sed 's/^\(-- run [0-9]*\), [0-9]*-[0-9]*-[0-9]* [0-9:]* --$/\1/' | xargs
}
assert_eq "without -n" "-- run 1 a 1 fatal 1 -- run 2 a 2 fatal 2 -- run 3 a 3 fatal 3 -- run 4" \
	"$(reeve service logs crashy | plain_runs)"
assert_eq "the last lines" "-- run 2 fatal 2 -- run 3 a 3 fatal 3 -- run 4" \
	"$(reeve service logs -n 3 crashy | plain_runs)"
assert_eq "none" "" "$(reeve service logs -n 0 crashy)"
assert_eq "those that match" "fatal 1 fatal 2 fatal 3" "$(reeve service logs --grep fatal crashy | xargs)"
assert_eq "of one run" "a 2 fatal 2" "$(reeve service logs --run 2 crashy | xargs)"
assert_eq "of the newest" "" "$(reeve service logs --run 4 crashy)"
assert_eq "as JSON" "1 a 1 fatal 1 2 a 2 fatal 2 3 a 3 fatal 3 4" "$(reeve service logs --json crashy |
	jq -rs 'group_by(.run)[] | "\(.[0].run) \(map(.data_b64 | @base64d) | add)"' | xargs)"
assert_eq "whose they are" "crashy fatal 3" "$(reeve service logs --json crashy --grep 'fatal 3' |
	jq -r '"\(.name) \(.data_b64 | @base64d)"' | xargs)"
assert_eq "on each page" '["crashy","talks"]' "$(reeve service logs --json crashy talks | jq -sc '[.[].name] | unique')"
until [ -s "$tmp/done" ] && reeve service logs trimmed 2>said | grep -q '^100000$'; do settle; done
assert_match "what was trimmed of which" "reeve: trimmed.1: * bytes before this were trimmed (*" "$(cat said)"
assert_eq "one that has enough" "run 2 1 2" "$(reeve service logs talks | head -n 3 | xargs)"
assert_eq "more than it has" "-- run 1 run 1 -- run 2 run 2" \
	"$(reeve service logs -n 100 talks | plain_runs | cut -d " " -f 1-10)"
reeve service logs crashy talks >out
assert_match "a heading for each" "*==> crashy, job * <== -- run 1, * -- a 1 *" "$(xargs <out)"
assert_match "and of the other" "*==> talks, job * <== run 2 1 2 *" "$(xargs <out)"
reeve service status crashy >out
assert_match "status" "*output *of run 3, which failed: a 3 fatal 3*" "$(xargs <out)"
reeve service status --json crashy >out
assert_eq "status as JSON" "3 false a 3,fatal 3" \
	"$(jq -r '.[0].instances[0].last_output | "\(.run) \(.newest) \(.lines | join(","))"' out)"
assert_eq "its ends" "3 1 2 1 1 1" \
	"$(jq -r '.[0].instances[0].last_ends[] | "\(.run) \(.exit_code)"' out | xargs)"
assert_eq "what it uses" true "$(jq '.[0].instances[0] | .memory_bytes > 0 and .cpu_usec >= 0' out)"
assert_eq "what it printed itself" "2 true 20" "$(reeve service status --json talks |
	jq -r '.[0].instances[0].last_output | "\(.run) \(.newest) \(.lines | last)"')"
assert_eq "nothing of it in a list" "null null" "$(reeve service ls --json crashy |
	jq -r '.[0].instances[0] | "\(.last_ends) \(.last_output)"')"

step "on a terminal instances of services do not take the rows of jobs"
terminal() { # ARGUMENT...
	"$build/tests/support/pty" sh -c 'exec "$0" "$@" >&2' "$REEVE" "$@" 2>&1 | tr -d '\r'
}
n=$(reeve ls -q | wc -l)
assert_eq "of none" "no jobs instances of services: $n, see reeve service ls" "$(terminal ls | xargs)"
job=$(reeve add -n mine true)
reeve wait "$job"
for sort in --color=never --sort=id; do
	terminal ls "$sort" >out
	assert_eq "rows $sort" 1 "$(grep -c mine out)"
	assert_eq "of services $sort" 0 "$(grep -c sleep out)"
	assert_match "the footer $sort" "instances of services: $n, see reeve service ls" "$(tail -n 1 out)"
done
for ask in '--limit 0' '--pool .services' web-2; do
	# shellcheck disable=SC2086 # words
	terminal ls $ask >out
	assert_match "asked for by $ask" "*running *.services *" "$(xargs <out)"
	assert_eq "and not counted by $ask" 0 "$(grep -c '^instances' out)"
done
assert_eq "all as JSON" "$((n + 1))" "$(reeve ls --json | jq length)"
assert_eq "by state" "" "$(terminal ls --state running | grep sleep)"
reeve rm "$job"

assert_match "their pool has no limit" "*.services infinity *" "$(reeve pool ls | xargs)"

step "one that is stopped stays so"
pid=$(instances web-2 .pid)
reeve stop 'web'
assert_eq "state" stopped "$(state_of web)"
assert_eq "those with like names" "running $pid" "$(state_of web-2) $(instances web-2 .pid)"
crash
assert_eq "after a crash" stopped "$(state_of web)"
reeve daemon reload >/dev/null
assert_eq "after a reload" stopped "$(state_of web)"
assert_match "why" "*it was stopped: reeve service start web*" "$(reeve service why web)"
assert_eq "again" '{"changed":false}' "$(reeve service stop --json web)"
reeve start web
assert_eq "started again" running "$(state_of web)"
crash
assert_eq "and after a crash" running "$(state_of web)"

step "one that takes no TERM"
reeve stop stubborn
assert_eq "state" stopped "$(state_of stubborn)"

step "a restart takes one after the other, with the same jobs"
jobs=$(instances web .job)
before=$(instances web .pid)
reeve restart web
assert_eq "jobs" "$jobs" "$(instances web .job)"
for pid in $(instances web .pid); do
	case " $before " in
	*" $pid "*) fail "$pid is as it was" ;;
	esac
done
starts=$(instances web .starts)
kill -9 "$(instances web .pid | cut -d ' ' -f 1)"
until [ "$(instances web .starts)" != "$starts" ] && [ "$(state_of web)" = running ]; do
	settle
done

step "what was given up, has ended or waits is started"
touch "$tmp/repaired"
reeve start fails
assert_eq "state" running "$(state_of fails)"
reeve start --no-wait slow
until_is 2 instances slow .starts
assert_eq "short runs" 1 "$(instances slow .short_runs)"
assert_eq "reset" '{"changed":true}' "$(reeve service reset --json slow)"
assert_eq "short runs, forgotten" 0 "$(instances slow .short_runs)"
assert_eq "it waits on" restarting "$(state_of slow)"
reeve stop slow
assert_eq "stopped while it waited" stopped "$(state_of slow)"
reeve start finished
until_is 2 instances finished .starts

step "all, globs, none"
reeve stop --all
assert_eq "all" "stopped" "$(reeve service ls --json | jq -r '[.[].state] | unique | join(" ")')"
reeve start 'web*'
assert_eq "web and web-2" "running running" "$(state_of web) $(state_of web-2)"
assert_eq "no other" stopped "$(state_of fails)"
assert_exit 3 reeve start nosuch 2>said
assert_match "the error" "*no service 'nosuch'*" "$(cat said)"
assert_exit 3 reeve start 'nosuch*' 2>/dev/null
assert_exit 3 reeve varlink io.reeve.Service.Stop '{"name":"nosuch"}' 2>/dev/null
assert_exit 2 reeve stop 2>/dev/null
assert_exit 2 reeve stop --all web 2>/dev/null
assert_exit 2 reeve service wash web 2>/dev/null
