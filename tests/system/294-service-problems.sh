#!/bin/sh
# What a reload brings is there for the services that it brings with it; one that cannot be started
# as it is now keeps nothing of its group from being restarted.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # LINE...: of service a
	{
		printf '%s\n' '[reeved]' 'min-free = 0' '[service a]' 'command = sleep 1000' "$@"
		printf '%s\n' '[service b]' 'command = sleep 1000' \
			'[group g]' 'services = a b'
	} >"$tmp/conf"
}
conf
start_reeved --config="$tmp/conf"
until_instance running a .state
until_instance running b .state
before=$(instance a .pid)

step "a resource, and a service that needs it, by one reload"
conf 'need = gpu=1' '[resource gpu]' 'amount = 1'
reeve daemon reload >/dev/null
until [ "$(instance a .state)" = running ] && [ "$(instance a .pid)" != "$before" ]; do
	settle
done

step "one that cannot be started again does not keep its group from it"
conf 'pool = work' '[pool work]' 'slots = 1'
reeve daemon reload >/dev/null
until_instance running a .state
reeve pool drain work >/dev/null
conf 'pool = work' 'nice = 5' '[pool work]' 'slots = 1'
reeve daemon reload >/dev/null
before=$(instance b .pid)
assert_exit 1 reeve restart g >out 2>said
assert_match "said" "*'a', instance 0: it cannot be started: *" "$(cat said)"
until_instance running b .state
[ "$(instance b .pid)" != "$before" ] || fail "b was not restarted"

step "and comes back with it"
reeve pool resume work >/dev/null
reeve start a
until_instance running a .state
stop_reeved
finish
