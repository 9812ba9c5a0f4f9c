#!/bin/sh
# Services that are ready are asked whether they are alive, or say so themselves: what becomes of
# those that do not answer, and that nobody is ended for what a daemon could not hear.
. "${srcdir:-.}/tests/support/system.sh"
command -v python3 >/dev/null || skip "no python3"

cat >web.py <<'EOP'
import os, socket, sys, time
# web.py PORT FILE: answers as FILE says, which may change: a status, "hang", "close", "noise",
# "long"; or, after the first time, as its second word says
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(64)
hung = []
once = None
while True:
    c, _ = s.accept()
    request = b""
    while b"\r\n\r\n" not in request:
        got = c.recv(4096)
        if not got:
            break
        request += got
    if not request: # of a readiness by tcp
        continue
    print(request.split(b"\r\n")[0].decode(), flush=True)
    how, *then = open(sys.argv[2]).read().split()
    if then and once == (how, then):
        how = then[0]
    elif then:
        once = (how, then)
    if how == "hang":
        hung.append(c)
        continue
    if how == "noise":
        c.sendall(b"220 ftp ready\r\n\r\n")
    elif how == "long":
        try:
            c.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000)
        except OSError:
            pass
    elif how != "close":
        print(how, flush=True)
        c.sendall(b"HTTP/1.1 %s Text\r\nContent-Length: 0\r\n\r\n" % how.encode())
    c.close()
EOP
cat >dog.py <<'EOP'
import os, socket, sys
# dog.py FIFO: says READY=1, then each line that it reads
def send(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    s.send(text.encode())
assert int(os.environ["WATCHDOG_PID"]) == os.getpid()
print(os.environ["WATCHDOG_USEC"], flush=True)
send("READY=1")
while True:
    for line in open(sys.argv[1]):
        send(line.rstrip("\n"))
EOP
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
last_end() { # SERVICE: of its runs that have ended
	reeve show --json "$(instance "$1" .job)" | jq -c '[.run_history[] | select(.finished_usec) | .result, .reason] | .[-2:]'
}
answer() { # FILE HOW: from now on
	echo "$2" >"$1.new"
	mv "$1.new" "$1"
}

web=$(free_port)
quiet=$(free_port)
echo A=1 >filed.env
for f in web quiet; do
	answer $f 200
done
mkfifo dog lazy
cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
shutdown-timeout = 1s
[defaults]
cwd = $tmp/work
[service web]
command = python3 web.py $web web
ready = http:$web/ready
restart-delay = 1ms
live = http:$web/health?a=1
live-interval = 100ms
live-timeout = 300ms
live-failures = 2
[service quiet]
command = python3 web.py $quiet quiet
ready = tcp:$quiet
live = http:$quiet/
live-interval = 20ms
live-failures = 3
live-action = none
[service down]
shell-command = trap 'exit 0' TERM; while :; do sleep 1000 & wait; done
live = unix:$tmp/work/nobody.sock
live-interval = 20ms
live-failures = 2
live-action = stop
post-stop = echo "\$SERVICE_RESULT" >>down.result
[service asked]
timestamps = yes
shell-command = touch asked.ok; while :; do sleep 1000 & wait; done
ready = command: echo "\$MAINPID \$NOTIFY_SOCKET\$WATCHDOG_USEC" >asked.by; test -e asked.ready
live = command: test -e asked.ok || { echo more than this; echo 'it is	gone'; exit 3; }
restart-delay = 1ms
live-interval = 20ms
live-failures = 1
[service refused]
command = sleep 1000
ready = command: exit 3
ready-timeout = 2s
restart = no
[environment filed]
env-file = $tmp/work/filed.env
[service filed]
environment = filed
command = sleep 1000
live = command: test ! -e filed.bad
live-interval = 20ms
live-failures = 1
live-action = none
[service asleep]
shell-command = while :; do sleep 1000 & wait; done
live = command: exec sleep 1000
live-interval = 20ms
live-timeout = 20ms
live-action = none
[service stubborn]
shell-command = trap '' TERM; while :; do sleep 1000 & wait; done
live = unix:$tmp/work/nobody.sock
live-interval = 20ms
live-failures = 1
stop-timeout = 1h
[service dog]
command = python3 dog.py dog
ready = notify
restart-delay = 1ms
watchdog = 1h
[service lazy]
command = python3 dog.py lazy
ready = notify
restart-delay = 1ms
watchdog = 20ms
live-action = none
EOC
start_reeved --config="$tmp/conf"

step "what was wrong when one was asked last whether it is ready"
until_instance "exit status 1" asked .ready_why
assert_match "why" "*it is running, and is not ready yet: ready = command:*; asked last: exit status 1" \
	"$(reeve service why asked)"
assert_match "status" "*ready no (command:*), asked last: exit status 1*" "$(reeve service status asked | xargs -0 | tr -s ' ')"
until_instance failed refused .state
assert_eq "its end" "not ready within 2s; asked last: exit status 3" "$(instance refused .reason)"

step "one that answers"
until_instance true web '.live.ok_since_usec != null'
assert_eq "nothing is wrong" null "$(instance web .ready_why)"
assert_eq "what it was asked" "GET /health?a=1 HTTP/1.1" "$(reeve service logs web | grep -m 1 health)"
assert_eq "what was asked before it was ready" "GET /ready HTTP/1.1" \
	"$(reeve service logs web | grep -m 1 ready)"
assert_match "status" "*live http:$web/health?a=1, answers since*" \
	"$(reeve service status web | tr -s ' ' | tr '\n' ' ')"

step "one that does not is ended, and comes again"
run=1
for how in 500 199 hang close noise long; do
	answer web $how
	run=$((run + 1))
	until_instance $run web .starts
	case $how in
	500 | 199) why="HTTP status $how" ;;
	hang) why="no answer within 300ms" ;;
	close) why="closed before the answer was whole" ;;
	noise) why="an answer that is not HTTP" ;;
	long) why="an answer with a head of over 8191 bytes" ;;
	esac
	assert_eq "its end" "[\"failed\",\"unresponsive: http:$web/health?a=1: $why\"]" "$(last_end web)"
	answer web 302
	until_instance true web '.live.ok_since_usec != null'
done

step "one failure is not too many"
starts=$(instance web .starts)
answer web "503 204"
until [ "$(reeve service logs web | grep -c 204)" -gt 2 ]; do
	settle
done
assert_eq "failures, and one of them" "1 0 $starts" \
	"$(reeve service logs web | grep -c 503) $(instance web '"\(.live.failures) \(.starts)"')"

step "with live-action = none it is unready, and that is all"
until_instance true quiet '.live.ok_since_usec != null'
assert_eq "ready" true "$(instance quiet .ready)"
pid=$(instance quiet .pid)
answer quiet 500
until_instance true quiet .live.unresponsive
assert_eq "ready" "false $pid" "$(instance quiet '"\(.ready) \(.pid)"')"
assert_eq "why" "it is running, and unresponsive: http:$quiet/: HTTP status 500" "$(instance quiet .why)"
assert_match "ls" "*unresponsive: http:*" "$(reeve service ls)"
answer quiet 200
until_instance true quiet .ready
assert_eq "events" 'true null
false http:'"$quiet"'/: HTTP status 500
true null' "$(reeve events --json | jq -r "select(.id == $(instance quiet .job) and .ready != null) | \"\(.ready) \(.reason)\"")"
assert_match "events for people" "*job $(instance quiet .job) (quiet)  not ready any more: http:*" \
	"$(reeve events | grep 'not ready')"

step "with live-action = stop it stays down"
until_instance failed down .state
assert_match "why" "*unresponsive: unix:*nobody.sock: *live-action = stop*" "$(instance down .why)"
assert_eq "what post-stop is told" watchdog "$(cat down.result)"
assert_match "the log" "*service 'down', instance 0: it was unresponsive: unix:*nobody.sock: *, and is not started again*" \
	"$(grep "'down', instance 0" "$tmp/reeved.log")"
reeve service start down
until_instance 2 down .starts
until_instance failed down .state

step "one that has to say so itself"
assert_eq "WATCHDOG_USEC" 3600000000 "$(reeve service logs dog)"
exec 8>dog 9>lazy
echo WATCHDOG=1 >&8
echo WATCHDOG_USEC=20000 >&8
until_instance 2 dog .starts
assert_eq "its end" '["failed","unresponsive: no WATCHDOG=1 within 20ms"]' "$(last_end dog)"
until_instance true dog .ready
echo WATCHDOG=trigger >&8
until_instance 3 dog .starts
assert_eq "its end" '["failed","unresponsive: it said WATCHDOG=trigger"]' "$(last_end dog)"
until_instance true lazy .live.unresponsive
assert_eq "ready" false "$(instance lazy .ready)"
echo WATCHDOG_USEC=3600000000 >&9
echo WATCHDOG=1 >&9
until_instance true lazy .ready

step "commands that ask"
until [ -s asked.by ]; do
	settle
done
assert_eq "who is asked" "$(instance asked .pid) " "$(cat asked.by)"
assert_eq "before it is" false "$(instance asked .ready)"
touch asked.ready
until_instance true asked '.live.ok_since_usec != null'
rm asked.ok
until_instance 2 asked .starts
assert_eq "its end" '["failed","unresponsive: command: exit status 3: it is gone"]' "$(last_end asked)"
until_instance true asleep .live.unresponsive
assert_match "why" "*unresponsive: command: not ended within 20ms" "$(instance asleep .why)"

step "a command that cannot be started says nothing"
until_instance true filed '.live.ok_since_usec != null'
mv filed.env filed.away
reeved_says 1 "goes on being tried: it could not be started: env-file $tmp/work/filed.env: "
assert_eq "ready" "true 0" "$(instance filed '"\(.ready) \(.live.failures)"')"
touch filed.bad
mv filed.away filed.env
until_instance true filed .live.unresponsive
assert_match "why" "*unresponsive: command: exit status 1" "$(instance filed .why)"

step "a daemon that was killed ends nobody for what it did not hear"
pids=$(for s in web dog; do instance $s '"\(.pid) \(.starts)"'; done)
kill -9 "$reeved_pid"
reeved_ended
answer web 200
start_reeved --config="$tmp/conf"
for s in web dog; do
	until_instance true $s .ready
done
until_instance true web '.live.ok_since_usec != null'
assert_eq "pids and starts" "$pids" "$(for s in web dog; do instance $s '"\(.pid) \(.starts)"'; done)"

step "the daemon is killed while it ends one"
until_instance stopping stubborn .state
run=$(instance stubborn .starts)
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
until_instance stopping stubborn .state
assert_eq "starts" "$run" "$(instance stubborn .starts)"
kill -s KILL -- "-$(instance stubborn .pid)"
until_instance $((run + 1)) stubborn .starts
assert_eq "its end" '["failed","unresponsive"]' "$(last_end stubborn)"
