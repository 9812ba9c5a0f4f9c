#!/bin/sh
# start and restart wait until what they started is ready, and say which instance was not, and why;
# nothing keeps them waiting that is not on its way.
. "${srcdir:-.}/tests/support/system.sh"
fails() { # PATTERN COMMAND...: with 1, and such words
	fails_want=$1
	shift
	assert_exit 1 "$@" >out 2>said
	assert_match "what '$*' says" "$fails_want" "$(cat said)"
}
cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[service gate]
command = sleep 1000
ready = command:test -e $tmp/open
ready-timeout = infinity
[service behind]
command = sleep 1000
requires = gate
[service ends]
shell-command = exit 3
ready = notify
restart-delay = 1h
restart-delay-max = 1h
[service done]
command = true
ready = notify
restart = no
[service silent]
command = sleep 1000
ready = notify
ready-timeout = 50ms
restart = no
[service missing]
command = $tmp/missing
restart-delay = 1h
restart-delay-max = 1h
[service gives-up]
shell-command = exit 4
ready = notify
restart-delay = 1ms
restart-burst = 1
restart-interval = 1h
[service short]
shell-command = exit 5
restart-delay = 1h
restart-delay-max = 1h
[service once]
command = true
restart = on-failure
[service needs]
command = sleep 1000
requires = ends
[service needs-silent]
command = sleep 1000
requires = silent
[service after]
command = sleep 1000
after = ends
[service two]
shell-command = test \$REEVE_INSTANCE = 0 || test -e $tmp/repaired || exit 6; exec sleep 1000
instances = 2
ready = command:test -e $tmp/repaired || test \$REEVE_INSTANCE = 0
restart-delay = 1h
restart-delay-max = 1h
[service hooked]
command = sleep 1000
post-start = exit 7
restart = no
EOC
start_reeved --config="$tmp/conf"
reeve stop --all

step "it waits until it is ready"
reeve start gate &
client=$!
until_instance running gate .state
for _ in 1 2 3; do
	settle
	kill -0 "$client" || fail "it has not waited"
done
: >"$tmp/open"
wait "$client" || fail "exit status $?"
assert_eq "ready" true "$(instance gate .ready)"
reeve start gate || fail "one that is ready"
rm "$tmp/open"
reeve restart gate &
client=$!
until_instance false gate .ready
kill -0 "$client" || fail "restart has not waited"
: >"$tmp/open"
wait "$client" || fail "exit status $?"
assert_eq "ready" "true 3" "$(instance gate .ready) $(instance gate .starts)"

step "what it requires, too, and the way it says so"
reeve stop gate
rm "$tmp/open"
reeve start behind &
client=$!
until_instance running gate .state
until_instance waiting behind .state
kill -0 "$client" || fail "it has not waited for what is required"
: >"$tmp/open"
wait "$client" || fail "exit status $?"
assert_eq "ready" true "$(instance behind .ready)"
assert_eq "one answer" '{"changed":false}' "$(reeve start --json behind)"

step "unless it is not to wait, or is ended"
reeve stop gate
rm "$tmp/open"
reeve start --no-wait gate
until_instance false gate .ready
"$REEVE" start gate & # itself, to be ended; a background job takes no SIGINT
client=$!
until [ "$(cat "/proc/$client/comm")" = reeve ]; do
	settle
done
kill "$client"
wait "$client" && fail "it was ended"
assert_eq "as it was" "running false" "$(instance gate .state) $(instance gate .ready)"

step "until somebody stops it"
reeve stop gate
reeve start gate 2>said &
client=$!
until_instance running gate .state
reeve stop gate
client_status=0
wait "$client" || client_status=$?
assert_eq "exit status" 1 "$client_status"
assert_match "why" "*service 'gate', instance 0: it was stopped*" "$(cat said)"

step "what does not get ready, and why"
fails "*service 'ends', instance 0: it has ended with status 3 before it was ready*" reeve start ends
assert_eq "it is tried again" restarting "$(instance ends .state)"
fails "*'ends', instance 0: *status 3 before*" reeve restart ends
fails "*'done', instance 0: it has ended with status 0 before it was ready*" reeve start "done"
fails "*'silent', instance 0: not ready within 50ms*" reeve start silent
fails "*'missing', instance 0: it could not be started: *" reeve start missing
fails "*'gives-up', instance 0: it has ended with status 4 before it was ready*" reeve start gives-up
until_instance failed gives-up .state
assert_match "one restart" "given up: 1 restart in 1h was too many; *" "$(instance gives-up .reason)"
fails "*'two', instance 1: it has ended with status 6 before it was ready*" reeve start two
assert_eq "only that one" 1 "$(grep -c instance said)"
fails "*'hooked', instance 0: *post-start*" reeve start hooked
fails "*'ends', instance 0: *'silent', instance 0: *" reeve start ends silent
reeve start short || fail "it was started, which is all that ready = exec says"
reeve start once || fail "it was started and has succeeded"
: >"$tmp/repaired"
reeve start two || fail "what was repaired"

step "what waits for others is not waited for when these are not on their way"
reeve stop ends silent
fails "*'needs', instance 0: it waits for service 'ends' (restarting)*" reeve start needs
fails "*'needs-silent', instance 0: it *service 'silent' (failed)*" reeve start needs-silent
fails "*'after', instance 0: it waits for service 'ends' (restarting)*" reeve start after
stop_reeved
