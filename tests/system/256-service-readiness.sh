#!/bin/sh
# Services say when they are ready: by sd_notify, by taking connections; one that does not in
# time has failed. What is ready stays so over the death of the daemon.
. "${srcdir:-.}/tests/support/system.sh"
command -v python3 >/dev/null || skip "no python3"

cat >says.py <<'EOP'
import os, socket, sys
# says.py FIFO: sends each line that it reads, "|" being a newline, and "child:LINE" from a
# child, that has left the session where it is "away:LINE"
def send(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    s.send(text.replace("|", "\n").encode())
    return s
def barrier(s): # until what was sent has been read, as sd_notify_barrier(3)
    r, w = os.pipe()
    socket.send_fds(s, [b"BARRIER=1"], [w])
    os.close(w)
    os.read(r, 1)
def child(text, away):
    pid = os.fork()
    if pid == 0:
        if away:
            os.setsid()
        barrier(send(text))
        os._exit(0)
    os.waitpid(pid, 0)
for line in open(sys.argv[1]):
    how, _, text = line.rstrip("\n").partition(":")
    if how == "child" or how == "away":
        child(text, how == "away")
    elif how == "pids":
        send("MAINPID=%d" % os.getpid())
    elif how == "exit":
        sys.exit()
    elif how == "long":
        send("STATUS=" + "x" * int(text))
    else:
        send(line.rstrip("\n"))
EOP
cat >listens.py <<'EOP'
import os, socket, sys
# listens.py FIFO tcp|unix WHERE: once a line can be read
open(sys.argv[1]).readline()
if sys.argv[2] == "tcp":
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(sys.argv[3])))
else:
    if os.path.exists(sys.argv[3]):
        os.unlink(sys.argv[3])
    s = socket.socket(socket.AF_UNIX)
    s.bind(sys.argv[3])
s.listen()
while True:
    s.accept()
EOP
jobs_of() { # SERVICE [FILTER of each job]
	reeve ls --json | jq -c "[.[] | select(.service == \"$1\")] | .[] | ${2:-.}"
}
is_ready() { # SERVICE
	jobs_of "$1" '.state == "running" and .ready_usec != null'
}
say() { # LINE: the service says it; fd 8 is its FIFO
	printf '%s\n' "$1" >&8
}
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
for f in says tcp unix; do
	mkfifo "$f"
done
cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[service plain]
command = sleep 1000
[service says]
command = python3 $tmp/work/says.py $tmp/work/says
ready = notify
ready-timeout = infinity
restart-delay = 1ms
[service tcp]
command = python3 $tmp/work/listens.py $tmp/work/tcp tcp $port
ready = tcp:$port
ready-timeout = infinity
restart-delay = 1ms
[service unix]
command = python3 $tmp/work/listens.py $tmp/work/unix unix $tmp/work/%n.sock
ready = unix:$tmp/work/%n.sock
ready-timeout = infinity
restart-delay = 1ms
[service never]
shell-command = trap 'exit 0' TERM; while :; do sleep 1000 & wait; done
ready = notify
ready-timeout = 50ms
restart-delay = 1ms
restart-delay-max = 1ms
restart-burst = 2
restart-interval = 1h
no-restart-codes = 0
EOC
start_reeved --config="$tmp/conf"

step "one of which nothing but its start tells"
until_is true is_ready plain
assert_eq "no socket for it" "" "$(tr '\0' '\n' <"/proc/$(jobs_of plain .pid)/environ" | grep NOTIFY_SOCKET || :)"

step "one that says it"
exec 8>says
until_is '"running"' jobs_of says .state
say 'STATUS=warming up'
until_is '"warming up"' jobs_of says .status
assert_eq "before it has said it" false "$(is_ready says)"
say 'READY=1|STATUS=serving	7'
until_is true is_ready says
assert_eq "its status, in one line" '"serving 7"' "$(jobs_of says .status)"
since=$(jobs_of says .ready_usec)
[ "$since" -ge "$(jobs_of says .started_usec)" ] || fail "ready before it was started"

step "its processes speak for it, others do not"
say 'child:STATUS=of a child'
until_is '"of a child"' jobs_of says .status
say 'away:STATUS=of one that left'
until_is '"of one that left"' jobs_of says .status
NOTIFY_SOCKET=$state/notify python3 -c '
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for i in range(100):
    s.sendto(b"STATUS=of a stranger", os.environ["NOTIFY_SOCKET"])'
say 'STATUS=of its own'
until_is '"of its own"' jobs_of says .status
assert_eq "lines in the log of 100 messages of a stranger" 5 \
	"$(grep -c 'belongs to no service' "$tmp/reeved.log")"

step "what is too much"
say long:300
until_is 255 jobs_of says '.status | length'
say long:5000
say long:5000
say 'MAINPID=1'
say 'pids'
say 'STATUS=after it'
until_is '"after it"' jobs_of says .status
assert_eq "lines in the log of that run" 1 "$(grep -c "of more than 4096 bytes" "$tmp/reeved.log")"
assert_eq "still ready" "$since" "$(jobs_of says .ready_usec)"

step "those that take connections"
for f in tcp unix; do
	assert_eq "$f before it listens" false "$(is_ready $f)"
	echo >$f
	until_is true is_ready $f
done

step "one that is not ready in time has failed, however it ends"
until_is '"finished"' jobs_of never .state
assert_match "its end" "given up: 2 restarts*" "$(jobs_of never .reason | jq -r .)"
assert_eq "its runs" '["failed","not ready within 50ms"]' "$(reeve show --json \
	"$(jobs_of never .id)" | jq -c '[.run_history[0] | .result, .reason]')"
assert_eq "its starts" 3 "$(jobs_of never .runs)"

step "a daemon that is killed loses nothing of it"
ready=$(for f in plain says tcp unix; do jobs_of $f '[.pid, .ready_usec]'; done)
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
for f in plain says tcp unix; do
	until_is true is_ready $f
done
assert_eq "since when they are ready" "$ready" \
	"$(for f in plain says tcp unix; do jobs_of $f '[.pid, .ready_usec]'; done)"
say 'STATUS=to the next one'
until_is '"to the next one"' jobs_of says .status

step "one that says it is stopping is not ready any more"
say 'STOPPING=1'
until_is false is_ready says
assert_eq "its state" '"running"' "$(jobs_of says .state)"

step "its next run is another one"
say exit
until_is 2 jobs_of says .runs
assert_eq "ready" false "$(is_ready says)"

step "the daemon is killed while they become ready"
for i in 2 3 4; do
	kill -9 "$(jobs_of tcp .pid)" "$(jobs_of unix .pid)"
	until_is "$i $i" eval 'echo "$(jobs_of tcp .runs) $(jobs_of unix .runs)"'
	echo >tcp
	echo >unix
	say 'READY=1'
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
	say 'READY=1' # the first may have come between two daemons
	for f in plain says tcp unix; do
		until_is true is_ready $f
	done
	assert_eq "runs" "$i $i 2" "$(jobs_of tcp .runs) $(jobs_of unix .runs) $(jobs_of says .runs)"
done
