#!/bin/sh
# Probes by command where service-commands-max are running: one that has no turn says nothing of
# its service, and hooks do not keep probes from theirs.
. "${srcdir:-.}/tests/support/system.sh"

mkfifo go begun hook
exec 7<>go
cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
service-commands-max = 1
[service hooked]
command = sleep 1000
pre-start = read x <$PWD/hook
hook-timeout = infinity
[service holder]
command = sleep 1000
live = command: echo >$PWD/begun; read x <$PWD/go
live-interval = 20ms
live-timeout = 1h
[service waiter]
command = sleep 1000
live = command: true
live-interval = 20ms
live-timeout = 20ms
live-failures = 1
live-action = none
EOC
start_reeved --config="$tmp/conf"

step "a hook without a time limit goes on, and probes have their turns"
until_instance pre-start hooked .hook
read -r _ <begun

step "a probe that waits says nothing of its service"
reeved_says 1 "have to wait for their turn, or for the spawner"
until_instance null waiter .live.ok_since_usec
assert_eq "the service" "true 0 false" \
	"$(instance waiter '"\(.ready) \(.live.failures) \(.live.unresponsive)"')"
assert_eq "how often it is told" 1 "$(grep -c "have to wait for their turn" "$tmp/reeved.log")"

step "it has its turn"
echo >&7
until [ "$(instance waiter .live.ok_since_usec)" != null ]; do
	echo >&7
	read -r _ <begun
done
assert_eq "ready" true "$(instance waiter .ready)"
echo >hook
until_instance running hooked .state
