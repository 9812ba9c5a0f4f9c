#!/bin/sh
# Groups of services: who is restarted with one that comes again, in which order, and what is given
# up with it, whatever moment the daemon is killed at.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/services.sh"

conf() { # LINE OF THE GROUP...
	{
		printf '[reeved]\nmin-free = 0\n'
		# their order is that of the list
		service e "" 'stop-timeout = 1h' "env = LINGER=$tmp/linger" | sed "$linger"
		service d ""
		service b "" 'restart = on-failure'
		service a ""
		service c "$tmp/fifo" 'restart-delay-max = 1ms' | sed "$fifo"
		printf '[group app]\nservices = a b c d e\n'
		printf '%s\n' "$@"
	} >"$tmp/conf"
}
without_fifo="s|$tmp/fifo||"
without_linger='/LINGER/d'
fifo=$without_fifo
linger=$without_linger
reload() {
	conf "$@"
	reeve daemon reload >/dev/null
}
restart_reeved() {
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
}
end_of() { # SERVICE...: they crash
	for end_name in "$@"; do
		kill -9 "$(pid_of "$end_name")"
	done
}
all_start="start:a ready:a start:b ready:b start:c ready:c start:d ready:d start:e ready:e"
mkfifo "$tmp/fifo" "$tmp/linger"
: >"$log"

step "they start in the order of the list"
conf
start_reeved --config="$tmp/conf"
until_ready a b c d e
assert_eq "their order" "$all_start" "$(said)"
assert_eq "what it shows" app "$(reeve service status --json c | jq -r '.[0].group')"

step "one-for-one"
end_of c
until_said ready:c
until_ready a b c d e
assert_eq "what happened" "start:c ready:c" "$(said)"

step "one-for-all"
reload 'strategy = one-for-all'
assert_eq "the reload itself" "" "$(said)"
end_of c
until_said ready:e
until_ready a b c d e
assert_eq "what happened" "end:e end:d end:b end:a $all_start" "$(said)"
reeved_says 1 "group 'app': service 'c' comes again, stopping e, d, b, a, starting a, b, c, d, e"

step "one that a person stopped stays so, one that had ended is started, too"
reeve stop d
kill "$(pid_of b)"
until_state b exited
said >/dev/null
end_of c
until_said ready:e
until_ready a b c e
assert_eq "what happened" \
	"end:e end:a start:a ready:a start:b ready:b start:c ready:c start:e ready:e" "$(said)"
assert_eq "the one that was stopped" stopped "$(state_of d)"
reeve start d
until_ready d

step "rest-for-one"
reload 'strategy = rest-for-one'
said >/dev/null
end_of c
until_said ready:e
until_ready a b c d e
assert_eq "what happened" "end:e end:d start:c ready:c start:d ready:d start:e ready:e" "$(said)"
end_of e
until_said ready:e
until_ready e
assert_eq "of the last" "start:e ready:e" "$(said)"
end_of a
until_said ready:e
until_ready a b c d e
assert_eq "of the first" "end:e end:d end:c end:b $all_start" "$(said)"

step "two at once"
reload 'strategy = one-for-all'
kill -9 "$(pid_of b)" "$(pid_of d)"
until_said ready:e
until_ready a b c d e
assert_eq "all were started, in their order" "$all_start" \
	"$(said | tr ' ' '\n' | grep -v end: | tail -n 10 | xargs)"

step "the daemon is killed while the others end"
linger=
reload 'strategy = one-for-all'
until_said ready:e
until_ready e
said >/dev/null
end_of c
until_said asked:e
restart_reeved
until_state e stopping
assert_eq "the next is not asked" "asked:e running" "$(said) $(state_of d)"
restart_reeved
echo >"$tmp/linger"
until_said ready:e
until_ready a b c d e
assert_eq "it goes on" "end:e end:d end:b end:a $all_start" "$(said)"

step "it is killed while they start"
linger=$without_linger
fifo=
reload 'strategy = one-for-all'
echo >"$tmp/linger"
echo >"$tmp/fifo"
until_said end:e
until_ready a b c d e
said >/dev/null
end_of a
until_said start:c
assert_eq "so far" "end:e end:d end:c end:b start:a ready:a start:b ready:b start:c" "$(said)"
for _ in 1 2; do
	restart_reeved
	until_state d waiting
done
assert_eq "nothing before its time" "" "$(said)"
echo >"$tmp/fifo"
until_ready a b c d e
assert_eq "it goes on" "ready:c start:d ready:d start:e ready:e" "$(said)"

step "more than so many restarts of all of them together: all of it is given up"
fifo=$without_fifo
reload 'strategy = one-for-one' 'restart-burst = 2' 'restart-interval = 1h' 'give-up = escalate'
until_said ready:c
until_ready a b c d e
assert_eq "before" healthy "$(reeve daemon health)"
for s in a d; do
	end_of $s
	until_ready a b c d e
	restart_reeved # it counts on
	until_ready a b c d e
done
said >/dev/null
end_of b
until_state a stopped
assert_eq "what happened" "end:e end:d end:c end:a" "$(said)"
assert_eq "states" "stopped failed stopped stopped stopped" \
	"$(for s in a b c d e; do state_of $s; done | xargs)"
assert_match "why" "*given up with its group: 2 restarts in 1h were too many: reeve service start b*" \
	"$(reeve service why b)"
assert_match "why" "*its group 'app' was given up, 2 restarts in 1h were too many*" \
	"$(reeve service why a)"
assert_exit 1 reeve daemon health >said
assert_match "health" "*group 'app' was given up" "$(cat said)"

step "that stays so over the death of the daemon, until one of them is started"
restart_reeved
assert_eq "states" "stopped failed stopped stopped stopped" \
	"$(for s in a b c d e; do state_of $s; done | xargs)"
assert_exit 1 reeve daemon health >/dev/null
reeve start d
until_ready a b c d e
assert_eq "they start" "$all_start" "$(said)"
assert_eq "health" healthy "$(reeve daemon health)"
restart_reeved
until_ready a b c d e
assert_eq "nothing more happens" "" "$(said)"

step "a service that is too often for itself escalates to its group"
reload 'strategy = one-for-one' 'restart-burst = 3' 'restart-interval = 1h'
sed -i '/^\[service b\]/a restart-burst = 1\nrestart-interval = 1h\ngive-up = escalate\ninstances = 2' "$tmp/conf"
reeve daemon reload >/dev/null
until [ "$(reeve ls --json | jq '[.[] | select(.name == "b" and .state == "running" and .ready_usec)] | length')" = 2 ]; do
	settle
done
said >/dev/null
b() { # INSTANCE: its process crashes
	kill -9 "$(reeve ls --json | jq ".[] | select(.name == \"b\" and .instance == $1).pid")"
}
starts() {
	reeve service status --json b | jq -c '[.[0].instances[].starts]'
}
before=$(starts)
b 1
until [ "$(starts)" != "$before" ] && [ "$(reeve ls --json | jq '[.[] | select(.name == "b" and .state == "running" and .ready_usec)] | length')" = 2 ]; do
	settle
done
assert_eq "only that" "start:b ready:b" "$(said)"
before=$(starts)
b 1
until [ "$(grep -c ready:b "$log")" = 2 ] && [ "$(reeve ls --json | jq '[.[] | select(.name == "b" and .state == "running" and .ready_usec)] | length')" = 2 ]; do
	settle
done
assert_eq "all of the service" "end:b ready:b ready:b start:b start:b" \
	"$(said | tr ' ' '\n' | sort | xargs)"
b 1
until_ready a b c d e
until_said ready:b
b 1
until_state a stopped
assert_match "its third is too many for the group" "*given up with its group: 3 restarts*" "$(reeve service why b)"

step "without a group the daemon is not healthy"
cat >"$tmp/conf" <<-EOC
	[reeved]
	min-free = 0
	[service alone]
	command = false
	restart-delay = 1ms
	restart-delay-max = 1ms
	restart-burst = 1
	give-up = escalate
EOC
reeve daemon reload >/dev/null
until_state alone failed
assert_exit 1 reeve daemon health >said
assert_match "health" "*service 'alone' was given up" "$(cat said)"
