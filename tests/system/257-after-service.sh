#!/bin/sh
# Jobs that wait until a service is ready, all instances of it.
. "${srcdir:-.}/tests/support/system.sh"
command -v python3 >/dev/null || skip "no python3"

cat >says.py <<'EOP'
import os, socket, sys, time
# says.py FIFO: is ready once a line can be read
open(sys.argv[1]).readline()
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    time.sleep(1000)
EOP
conf() { # [LINE...]
	cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[service none]
command = true
instances = 0
EOC
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$tmp/conf"
}
state_of() {
	reeve ls --json "$1" | jq -r '.[0] | if .state == "finished" then .result else .state end'
}
mkfifo fifo0 fifo1
conf '[service web]' "command = python3 $tmp/work/says.py $tmp/work/fifo%i" 'ready = notify' \
	'ready-timeout = infinity' 'instances = 2'
start_reeved --config="$tmp/conf"
until [ "$(reeve ls --json | jq '[.[] | select(.service == "web" and .state == "running")] | length')" = 2 ]; do
	settle
done

step "one that waits for it"
id=$(reeve add --after web -- true)
either=$(reeve add --after "$id|web" -- true)
assert_eq "its state" waiting "$(state_of "$id")"
assert_match "why" "*it waits for service 'web' (not ready)*" "$(reeve why "$id")"
assert_match "why, of one of two" "*one of $id (waiting), service 'web' (not ready)*" "$(reeve why "$either")"
echo >fifo0
until [ "$(reeve ls --json | jq '[.[] | select(.ready_usec)] | length')" = 1 ]; do
	settle
done
assert_eq "with one of two instances" waiting "$(state_of "$id")"

step "over the death of the daemon"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "its state" waiting "$(state_of "$id")"
echo >fifo1
reeve wait "$id" "$either"
assert_eq "its end" succeeded "$(state_of "$id")"

step "one that comes when it is ready"
id=$(reeve add --after web -- true)
reeve wait "$id"

step "what cannot be waited for"
for option in --after-any --after-failure; do
	assert_exit 2 reeve add $option web -- true 2>said
	assert_match "what $option says" "*after waits until it is ready*" "$(cat said)"
done
assert_exit 2 reeve add --after none -- true 2>said
assert_match "of a service without instances" "*'none' has no instance to wait for*" "$(cat said)"

step "one whose service is gone is skipped"
kill -9 "$(reeve ls --json | jq '[.[] | select(.service == "web")][0].pid')"
until [ "$(reeve ls --json | jq '[.[] | select(.ready_usec)] | length')" = 1 ]; do
	settle
done
id=$(reeve add --after web -- true)
assert_eq "its state" waiting "$(state_of "$id")"
stop_reeved
conf
start_reeved --config="$tmp/conf"
assert_exit 1 reeve wait "$id" 2>/dev/null
assert_eq "its end" skipped "$(state_of "$id")"
assert_eq "why" "service 'web' is gone" "$(reeve ls --json "$id" | jq -r '.[0].reason')"
