# shellcheck shell=sh
# For system tests of services: a program that writes down when it starts, is ready and ends, and
# what to wait for. Read after system.sh, whose $tmp it uses.
command -v python3 >/dev/null || skip "no python3"

cat >"$tmp/runs.py" <<'EOP'
import os, signal, socket, sys
# runs.py NAME LOG [FIFO]: writes into LOG when it starts, is ready and ends; it is ready once a
# line of FIFO can be read. LINGER: a FIFO that it reads a line of before it ends; BAD: a file
# with which it fails at once
name, log = sys.argv[1:3]
def say(what):
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, (what + ":" + name + "\n").encode())
    os.close(fd)
def end(*_):
    if "LINGER" in os.environ:
        say("asked")
        open(os.environ["LINGER"]).readline()
    say("end")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
if os.path.exists(os.environ.get("BAD", "")):
    sys.exit(3)
say("start")
if len(sys.argv) > 3:
    open(sys.argv[3]).readline()
say("ready")
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    signal.pause()
EOP
log=$tmp/log
service() { # NAME FIFO LINE...
	printf '[service %s]\ncommand = python3 %s/runs.py %s %s %s\n' \
		"$1" "$tmp" "$1" "$log" "$2"
	printf '%s\n' 'ready = notify' 'ready-timeout = infinity' 'restart-delay = 1ms'
	shift 2
	[ $# -eq 0 ] || printf '%s\n' "$@"
}
said() { # what was written since the last time, in one line
	xargs <"$log"
	: >"$log"
}
state_of() {
	reeve service status --json "$1" | jq -r '.[0].state'
}
is_ready() { # SERVICE...: all of them
	reeve ls --json | jq -e --arg n "$*" '($n | split(" ")) -
		[.[] | select(.ready_usec and .state == "running") | .name] == []' >/dev/null
}
pid_of() { # SERVICE
	reeve ls --json | jq ".[] | select(.service == \"$1\").pid"
}
until_ready() {
	until is_ready "$@"; do
		settle
	done
}
until_state() { # SERVICE STATE
	until [ "$(state_of "$1")" = "$2" ]; do
		settle
	done
}
until_said() { # LINE
	until grep -qx "$1" "$log"; do
		settle
	done
}
