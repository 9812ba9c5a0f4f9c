#!/bin/sh
# Restarts that count for restart-burst do so over the death of the daemon, until somebody starts the
# service, or says reset.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/services.sh"

conf() { # INSTANCES
	printf '[reeved]\nmin-free = 0\n'
	service web "" 'restart-burst = 3' 'restart-interval = 1h' "instances = $1" |
		sed 's/^restart-delay = .*/&\nrestart-delay-max = 1ms/'
}
instance() { # NUMBER FILTER
	reeve service status --json web | jq -r ".[0].instances[] | select(.instance == $1) | $2"
}
until_starts() { # NUMBER HOW-OFTEN
	until [ "$(instance "$1" '"\(.starts) \(.state)"')" = "$2 running" ]; do
		settle
	done
}
crash() { # NUMBER HOW-OFTEN: it comes again each time
	for _ in $(seq "$2"); do
		crash_starts=$(instance "$1" .starts)
		kill -9 "$(instance "$1" .pid)"
		until_starts "$1" $((crash_starts + 1))
	done
}
last_crash() { # NUMBER: it does not come again
	kill -9 "$(instance "$1" .pid)"
	until [ "$(instance "$1" .state)" = failed ]; do
		settle
	done
	assert_match "why" "*given up: 3 restarts in 1h were too many*" "$(instance "$1" .why)"
}
restart_reeved() {
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
	until [ "$(reeve service status --json web | jq -c '[.[0].instances[].state] - ["running", "failed"]')" = "[]" ]; do
		settle
	done
}
conf 2 >"$tmp/conf"
start_reeved --config="$tmp/conf"
until_starts 0 1
until_starts 1 1

step "each instance for itself"
crash 0 2
crash 1 1
restart_reeved
crash 0 1
restart_reeved
last_crash 0
crash 1 1

step "reset"
reeve service reset web
restart_reeved
crash 1 3
restart_reeved
assert_eq "the one that was given up" failed "$(instance 0 .state)"

step "start"
reeve start web
until_starts 0 5
restart_reeved
crash 0 3
last_crash 0

step "an instance that has gone takes them with it"
last_crash 1
reeve start web
until_starts 1 7
crash 1 3
conf 1 >"$tmp/conf"
reeve daemon reload >/dev/null
until [ "$(reeve ls --json | jq '[.[] | select(.service == "web")] | length')" = 1 ]; do
	settle
done
restart_reeved
conf 2 >"$tmp/conf"
reeve daemon reload >/dev/null
until_starts 1 1
crash 1 3
last_crash 1

step "and a service that has gone while no daemon was there"
kill -9 "$reeved_pid"
reeved_ended
printf '[reeved]\nmin-free = 0\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
until [ "$(reeve ls --json | jq length)" = 0 ]; do
	settle
done
restart_none() {
	stop_reeved
	conf 1 >"$tmp/conf"
	start_reeved --config="$tmp/conf"
}
restart_none
until_starts 0 1
crash 0 3
last_crash 0
