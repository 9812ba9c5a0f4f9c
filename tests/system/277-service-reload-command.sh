#!/bin/sh
# reload-command of services, beside reload-signal: waited for, for each instance; those that
# fail, take too long, or are of a service that ends meanwhile; RELOADING=1 until READY=1.
. "${srcdir:-.}/tests/support/system.sh"

log=$tmp/log
mkfifo go begun
exec 7<>go

conf() {
	cat >"$tmp/conf.new"
	mv "$tmp/conf.new" "$tmp/conf"
	[ -z "${reeved_pid:-}" ] || reeve daemon reload >/dev/null
}
pids() {
	reeve service status web --json | jq -r '[.[0].instances[].pid] | join(" ")'
}
until_ready() { # HOW MANY instances
	until [ "$(reeve ls --json | jq '[.[] | select(.service == "web" and .ready_usec)] | length')" = "$1" ]; do
		settle
	done
}

step "of each instance, with its main process"
conf <<-EOC
	[service web]
	command = sleep 1000
	instances = 2
	reload-command = echo "\$REEVE_INSTANCE \$MAINPID" >>$log
	  echo over >>$log
EOC
start_reeved --config="$tmp/conf"
until_ready 2
reeve reload web
# shellcheck disable=SC2046 # two words
set -- $(pids)
assert_eq "both" "0 $1;1 $2;over;over;" "$(sort "$log" | tr '\n' ';')"
assert_eq "not started again" "$1 $2" "$(pids)"

step "one that fails"
conf <<-EOC
	[service web]
	command = sleep 1000
	instances = 2
	reload-command = exit \$REEVE_INSTANCE
	  echo \$REEVE_INSTANCE >>$log
EOC
until_ready 2
: >"$log"
assert_exit 1 reeve reload web 2>said
assert_match "which" "*service 'web', instance 1: reload-command: exit status 1" "$(cat said)"
assert_eq "and no further" 0 "$(cat "$log")"

step "past its time"
conf <<-EOC
	[service web]
	command = sleep 1000
	reload-command = sleep 1000
	hook-timeout = 100ms
EOC
until_ready 1
assert_exit 1 reeve reload web 2>said
assert_match "why" "*: reload-command: not ended within 100ms" "$(cat said)"

step "a service that ends meanwhile; two at once"
conf <<-EOC
	[service web]
	command = sleep 1000
	reload-command = echo >$PWD/begun; read x <$PWD/go
EOC
until_ready 1
{ reeve reload web && echo one; } >one 2>&1 &
first=$!
read -r _ <begun
{ reeve reload web && echo two; } >two 2>&1 &
second=$!
echo >&7
wait "$first"
read -r _ <begun
assert_eq "the first" one "$(cat one)"
reeve service restart web
wait "$second" && fail "it was said to have reloaded"
assert_match "why" "*instance 0: it has ended meanwhile" "$(cat two)"
until_ready 1

step "nothing to reload it by"
conf <<-EOC
	[service web]
	command = sleep 1000
EOC
assert_exit 1 reeve reload web 2>said
assert_match "why" "*reload*" "$(cat said)"

command -v python3 >/dev/null || skip "no python3"
cat >speaks.py <<'EOP'
import os, signal, socket, sys, time
# speaks.py FIFO: says READY=1; upon SIGHUP what a line of the FIFO has, "|" being a newline, then a
# line for each further one, until one that is "over"
def send(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    s.send(text.replace("|", "\n").replace("NOW", str(time.monotonic_ns() // 1000)).encode())
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
send("READY=1")
while True:
    signal.sigwait([signal.SIGHUP])
    for line in open(sys.argv[1]):
        if line.strip() == "over":
            break
        send(line.strip())
EOP
step "it says how far it is"
mkfifo words
conf <<-EOC
	[service web]
	command = python3 $PWD/speaks.py $PWD/words
	ready = notify
	reload-signal = HUP
	hook-timeout = 20s
EOC
until_ready 1
exec 8<>words
reeve reload web &
reload=$!
echo "RELOADING=1|MONOTONIC_USEC=NOW" >&8
echo "STATUS=at it" >&8
until [ "$(reeve ls --json | jq -r '.[] | select(.service == "web") | .status')" = "at it" ]; do
	settle
done
kill -0 "$reload" || fail "it was not waited for"
echo "READY=1" >&8
echo over >&8
wait "$reload" || fail "it was not reloaded"

step "one that is never through with it"
sed "s/20s/200ms/" "$tmp/conf" | conf
echo "RELOADING=1|MONOTONIC_USEC=NOW" >&8
echo over >&8
assert_exit 1 reeve reload web 2>said
assert_match "why" "*RELOADING=1, and no READY=1 within 200ms" "$(cat said)"

step "what it says of an earlier one does not count, nor one that says nothing"
echo "RELOADING=1|MONOTONIC_USEC=1" >&8
echo over >&8
reeve reload web
stop_reeved
