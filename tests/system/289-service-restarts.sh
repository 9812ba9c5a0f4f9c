#!/bin/sh
# Who is restarted: what is down stays so unless it is named, a group is stopped as a whole before it
# is started, and what was given up is a problem until somebody knows.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/services.sh"

conf() { # BURST
	printf '[reeved]\nmin-free = 0\n'
	for s in n3 n1 n2; do
		printf '[service %s]\ncommand = sleep 1000\n' $s
	done
	printf '[service bad]\ncommand = false\nrestart-delay = 1ms\nrestart-delay-max = 1ms\n'
	printf 'restart-burst = 1\nrestart-interval = 1h\ngive-up = escalate\n'
	printf '[service done]\ncommand = true\nrestart = on-failure\n'
	service a ""
	service b "" 'stop-timeout = 1h' "env = LINGER=$tmp/linger"
	service c "$tmp/fifo"
	printf '[group app]\nservices = a b c\nrestart-burst = %s\nrestart-interval = 1h\n' "$1"
	printf 'give-up = escalate\n'
}
restart_reeved() {
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
}
ids() { # SERVICE...: the processes
	for ids_name in "$@"; do
		pid_of "$ids_name"
	done | xargs
}
starts_of() {
	reeve service status --json "$1" | jq '.[0].instances[0].starts'
}
mkfifo "$tmp/fifo" "$tmp/linger"
conf 0 >"$tmp/conf"
start_reeved --config="$tmp/conf"
echo >"$tmp/fifo"
until_ready a b c
until_state bad failed
until_state "done" exited
for s in n1 n2 n3; do
	until_state $s running
done

step "what was stopped, or given up, stays so where it is not named"
reeve stop n1
n2=$(pid_of n2)
reeve restart 'n*' 2>said
assert_eq "states" "stopped running running" "$(for s in n1 n2 n3; do state_of $s; done | xargs)"
[ "$(pid_of n2)" != "$n2" ] || fail "n2 was not restarted"
assert_match "what it says" "*left as it was, stopped or failed: service 'n1' (one that is named is started)" \
	"$(cat said)"
before=$(starts_of bad) finished=$(starts_of "done")
reeve restart 'bad*' '[nd]*' 2>said
assert_match "what it says" "*left as it was*service 'n1' and 1 other (*" "$(cat said)"
assert_eq "the one that was given up" "failed $before" "$(state_of bad) $(starts_of bad)"
until [ "$(starts_of "done")" = $((finished + 1)) ]; do # ended with success: it is not down
	settle
done
assert_eq "nothing" '{"changed":false}' "$(reeve restart --json n1*)"
reeve restart n1
assert_eq "the one that is named" running "$(state_of n1)"
reeve restart bad
until [ "$(starts_of bad)" -gt "$before" ]; do
	settle
done
until_state bad failed

step "a group is stopped in reverse order, then started"
said >/dev/null
exec 8<>"$tmp/linger" 9<>"$tmp/fifo"
echo >&8
echo >&9
reeve restart app
assert_eq "what happened" \
	"end:c asked:b end:b end:a start:a ready:a start:b ready:b start:c ready:c" "$(said)"
assert_eq "no other" running "$(state_of n1)"

step "whatever moment the daemon is killed at"
before=$(ids a b c)
reeve restart --no-wait app
until_said asked:b
for _ in 1 2; do
	restart_reeved
	until_state b stopping
done
assert_eq "the next is not asked" "end:c asked:b running" "$(said) $(state_of a)"
echo >&8
until_said start:c
restart_reeved
until_state c running
assert_eq "it has gone on" "end:b end:a start:a ready:a start:b ready:b start:c" "$(said)"
echo >&9
until_ready a b c
for pid in $before; do
	case " $(ids a b c) " in
	*" $pid "*) fail "$pid is as it was" ;;
	esac
done
restart_reeved
until_ready a b c
assert_eq "nothing more happens" "ready:c" "$(said)"

step "those of it that were stopped stay so, unless they are named"
reeve stop c
said >/dev/null
echo >&8
reeve restart app 2>said
assert_match "what it says" "*left as it was*service 'c' (*" "$(cat said)"
assert_eq "what happened" "asked:b end:b end:a start:a ready:a start:b ready:b" "$(said)"
echo >&8
echo >&9
reeve restart app c
assert_eq "named" \
	"asked:b end:b end:a start:a ready:a start:b ready:b start:c ready:c" "$(said)"
assert_exit 3 reeve varlink io.reeve.Service.RestartGroup '{"name":"nosuch"}' 2>said
assert_match "the error" "*no group 'nosuch'*" "$(cat said)"

step "that one was given up is a problem until somebody knows"
assert_exit 1 reeve daemon health >said
assert_match "health" "*service 'bad' was given up" "$(cat said)"
assert_eq "reset" '{"changed":true}' "$(reeve service reset --json bad)"
assert_eq "health" healthy "$(reeve daemon health)"
assert_match "it is down as before" "*given up*" "$(reeve service why bad)"
restart_reeved
assert_eq "after a crash" healthy "$(reeve daemon health)"
assert_eq "again" '{"changed":false}' "$(reeve service reset --json bad)"
before=$(starts_of bad)
reeve start bad
until [ "$(starts_of bad)" -gt "$before" ]; do
	settle
done
until_state bad failed
assert_exit 1 reeve daemon health >/dev/null
reeve stop bad
assert_eq "one that is stopped" healthy "$(reeve daemon health)"

step "the same of a group"
conf 1 >"$tmp/conf"
reeve daemon reload >/dev/null
until_ready a b c
kill -9 "$(pid_of a)"
until_said start:a
until_ready a b c
kill -9 "$(pid_of a)"
echo >&8
until_state b stopped
assert_exit 1 reeve daemon health >said
assert_match "health" "*group 'app' was given up" "$(cat said)"
reeve restart app 2>said
assert_match "it stays so" "*left as it was*service 'a' and 2 others*" "$(cat said)"
reeve service reset b
assert_eq "health" healthy "$(reeve daemon health)"
restart_reeved
assert_eq "after a crash" healthy "$(reeve daemon health)"
assert_match "it is down as before" "*its group 'app' was given up*" "$(reeve service why b)"
echo >&9
reeve start b
until_ready a b c
said >/dev/null
kill -9 "$(pid_of c)"
until_said start:c
echo >&9
until_ready a b c
kill -9 "$(pid_of c)"
echo >&8
until_state b stopped
assert_exit 1 reeve daemon health >/dev/null

step "those without relations start in the order of the file"
{
	printf '[reeved]\nmin-free = 0\n[pool one]\nslots = 1\n'
	for s in z1 m2 a3; do
		printf '[service %s]\ncommand = sleep 1000\npool = one\n' $s
	done
} >"$tmp/conf"
reeve daemon reload >/dev/null
until_state z1 running
assert_eq "the others" "queued queued" "$(state_of m2) $(state_of a3)"
assert_eq "order" "z1 m2 a3" "$(reeve service ls --json | jq -r 'sort_by(.order) | [.[].name] | join(" ")')"
reeve stop --all
reeve start --no-wait --all
until_state z1 running
assert_eq "the others" "queued queued" "$(state_of m2) $(state_of a3)"

step "services that have no instances, or not more than they are to have"
reeve service scale a3 0
reeve start a3 2>said
assert_match "what it says" "*service 'a3' is to have no instances: reeve service scale a3 1" "$(cat said)"
reeve restart a3 2>said
assert_eq "what it says" "reeve: service 'a3' is to have no instances: reeve service scale a3 1" \
	"$(cat said)"
assert_match "why" "a3*it is to have no instances*" "$(reeve service why a3)"
mkfifo "$tmp/none"
cat >"$tmp/conf" <<-EOC
	[reeved]
	min-free = 0
	[service many]
	shell-command = trap 'read line <$tmp/linger; exit 0' TERM; echo up; while :; do read line <$tmp/none || :; done
	ready = output:up
	instances = 2
	stop-timeout = 1h
EOC
reeve daemon reload >/dev/null
reeve start many
reeve service scale --no-wait many 1
until [ "$(reeve service status --json many | jq -r '.[0].instances[1].state')" = stopping ]; do
	settle
done
assert_eq "one is on its way out" running "$(state_of many)"
echo >&8
until [ "$(reeve service status --json many | jq '.[0].instances | length')" = 1 ]; do
	settle
done

step "restarts are told beside starts"
assert_eq "names alone" many "$(reeve service ls -q)"
echo >&8
reeve restart many
assert_eq "both" "2 1" "$(reeve service status --json many | jq -r '.[0].instances[0] | "\(.starts) \(.restarts)"')"
assert_match "the table" "*STARTS RESTARTS NOTES" "$(reeve service ls | head -n 1 | tr -s ' ')"
assert_match "status" "*starts: 2, restarts: 1*" "$(reeve service status many | grep '^instance 0')"

step "reload leaves out what cannot, where that is not named"
assert_exit 3 reeve reload --all 2>said
assert_match "none can" "*none of these services has reload-signal or reload-command*" "$(cat said)"
assert_exit 1 reeve reload many 2>/dev/null
sed -i '/^instances/d; $a reload-signal = CONT\n[service other]\ncommand = sleep 1000' "$tmp/conf"
reeve daemon reload >/dev/null
until_state other running
reeve reload --all 2>said
assert_eq "no word of the other" "" "$(cat said)"
assert_exit 1 reeve reload many other 2>said
assert_match "by name" "*'other' has no reload-signal*" "$(cat said)"

step "names of instances are none of services"
assert_exit 3 reeve stop many.0 2>said
assert_match "the error" "*no service 'many.0': services are meant as a whole*'many'" "$(cat said)"
reeve stop other
reeve restart --rolling other 2>said
assert_match "a roll of what is stopped" "*nothing is restarted: the service is stopped" "$(cat said)"
assert_eq "state" stopped "$(state_of other)"

step "logs say where the lines are that are not kept"
printf 'output = null\n[service away]\ncommand = echo lost\nrestart = no\noutput = file:%s/away\n' "$tmp" >>"$tmp/conf"
reeve daemon reload >/dev/null
until_state away exited
assert_eq "nothing is printed" "" "$(reeve service logs away 2>said)"
assert_eq "what it says" \
	"reeve: service 'away': its output is not kept here: output = file:$tmp/away" "$(cat said)"
reeve service logs other 2>said
assert_eq "what it says" "reeve: service 'other': its output is dropped: output = null" "$(cat said)"
echo >&8
