#!/bin/sh
# EXTEND_TIMEOUT_USEC of sd_notify(3): while a service stops, while it runs and has a limit, with
# and without a daemon; and that it has to be said again.
. "${srcdir:-.}/tests/support/system.sh"
command -v python3 >/dev/null || skip "no python3"

cat >slow.py <<'EOP'
import os, select, signal, socket, sys
# slow.py NAME HOW SECONDS: is ready, and takes so long to end. Asks for more time, in microseconds,
# as HOW says: "term:N" when it is told to end, "held:N" then, but after a word on NAME.go,
# "early:N" when it gets SIGUSR1, "run:N" when it is ready, and it ends by itself
name, how, seconds = sys.argv[1:]
when, _, usec = how.partition(":")
def send(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    s.send(text.encode())
def extend():
    send("EXTEND_TIMEOUT_USEC=" + usec)
def early(*_):
    extend()
    open(name + ".said", "w").write("\n")
def end(*_):
    if when == "held":
        open(name + ".told", "w").write("\n")
        open(name + ".go").readline()
    if when in ("term", "held"):
        extend()
    select.select([], [], [], float(seconds))
    open("over", "a").write(name + "\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGUSR1, early)
send("READY=1" if when != "run" else "READY=1\nEXTEND_TIMEOUT_USEC=" + usec)
if when == "run":
    end()
while True:
    signal.pause()
EOP
state() { # SERVICE [FILTER of its first instance]
	reeve service status "$1" --json | jq -r ".[0].instances[0] | ${2:-.state}"
}
until_state() { # SERVICE STATE
	until [ "$(state "$1")" = "$2" ]; do
		settle
	done
}
section() { # NAME HOW SECONDS STOP-TIMEOUT [LINE]
	echo "[service $1]"
	echo "command = python3 $PWD/slow.py $1 $2 $3"
	echo "cwd = $PWD"
	echo "ready = notify"
	echo "restart = no"
	echo "stop-timeout = $4"
	echo "${5:-}"
}
hour=3600000000
: >over
mkfifo early.said held.told held.go
{
	printf '[reeved]\nmin-free = 0\n'
	section asks term:$hour 1.5 1s
	section short term:200000 1000 1s
	section mute none:0 1000 100ms
	section early early:$hour 1.5 1s "pre-stop = kill -USR1 \$MAINPID; read x <$PWD/early.said"
	section held held:$hour 3.5 3s
	section runs run:$hour 1.5 1s "timeout = 1s"
	section limited run:1 1000 1s "timeout = 1s"
} >"$tmp/conf"
start_reeved --config="$tmp/conf" --shutdown=detach

step "while it runs"
until_state runs exited
until_state limited failed
assert_eq "the one that asked" "runs" "$(cat over)"
: >over

step "while it stops"
for s in asks short mute early held; do
	until_state $s running
done
reeve service stop asks
assert_eq "it came to its end" asks "$(cat over)"
reeve service stop short
reeve service stop mute
assert_eq "these did not" asks "$(cat over)"
: >over

step "asked for in pre-stop"
reeve service stop early
assert_eq "it came to its end" early "$(cat over)"
: >over

step "while no daemon is there"
(reeve service stop held || :) &
read -r _ <held.told
kill -9 "$reeved_pid"
reeved_ended
wait $! || :
echo >held.go
start_reeved --config="$tmp/conf"
until_state held stopped
assert_eq "it came to its end" held "$(cat over)"
stop_reeved
