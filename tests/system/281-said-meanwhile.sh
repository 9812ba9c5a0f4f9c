#!/bin/sh
# What services say of themselves while no daemon is there is heard by the next one, and blocks
# none of them; what they said before is not forgotten. So with those that write to a descriptor.
. "${srcdir:-.}/tests/support/system.sh"
command -v python3 >/dev/null || skip "no python3"

cat >says.py <<'EOP'
import os, select, socket, sys
# says.py FIFO DONE: sends each line that it reads, "|" being a newline; "child:LINE" from a child
# that ends once it was read, "many:N" N times STATUS=, "late:LINE" after 2.1 seconds. Then it writes a line to DONE.
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
for line in open(sys.argv[1]):
    how, _, text = line.rstrip("\n").partition(":")
    if how == "child":
        pid = os.fork()
        if pid == 0:
            barrier(send(text))
            os._exit(0)
        os.waitpid(pid, 0)
    elif how == "late":
        select.select([], [], [], 2.1)
        send(text)
    elif how == "many":
        for i in range(int(text)):
            send("STATUS=number %d" % i)
    else:
        send(line.rstrip("\n"))
    with open(sys.argv[2], "w") as done:
        done.write("\n")
EOP
say() { # SERVICE LINE: it has been sent when this returns
	case $1 in
	one) echo "$2" >&8 && read -r _ <&6 ;;
	two) echo "$2" >&9 && read -r _ <&7 ;;
	esac
}
kill_reeved() {
	kill -9 "$reeved_pid"
	reeved_ended
}

for f in one two; do
	mkfifo $f $f.done
done
cat >stranger.py <<'EOP'
import socket, sys
# stranger.py PATH: sixty words, of which no more than ten have room at one time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(sys.argv[1])
for i in range(60):
    s.send(b"STATUS=of nobody")
EOP
for f in line early prints hook behind; do
	mkfifo $f
done
cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[defaults]
cwd = $tmp/work
[service one]
command = python3 says.py one one.done
ready = notify
ready-timeout = infinity
watchdog = 10ms
live-action = none
[service two]
command = python3 says.py two two.done
ready = notify
ready-timeout = infinity
[service hooked]
command = sleep 1000
pre-start = read -r x <hook
hook-timeout = infinity
ready = notify
[service line]
shell-command = cat line >&7; exec sleep 1000
ready = fd:7
ready-timeout = infinity
[service early]
shell-command = printf 'almost ' >&3; cat early >&3; exec sleep 1000
ready = fd
ready-timeout = infinity
[service prints]
shell-command = yes 'almost ready' | head -n 20000; printf 'now re'; read -r x <prints; echo ady; exec sleep 1000
ready = output:^now (ready|done)\$
timestamps = yes
ready-timeout = infinity
[service behind]
shell-command = read -r x <behind; touch behind.ok; echo ready; exec sleep 1000
pre-start = for i in 1 2 3; do echo ready; done; printf 'or '
post-start = test -e behind.ok
ready = output:^ready
ready-timeout = infinity
[service splits]
shell-command = head -c 100000 /dev/zero | tr '\\0' x; echo; echo ready >&2; exec sleep 1000
split-output = yes
ready = output:^ready
[service closed]
shell-command = printf 'no line' >&3; exec 3>&-; exec sleep 1000
ready = fd:3
ready-timeout = 50ms
restart = no
EOC
start_reeved --config="$tmp/conf"
# opened for good: a shell that is told of a child while it opens a FIFO begins anew with that
exec 6<>one.done 7<>two.done 8>one 9>two

step "what is said while a daemon is there"
say one 'STATUS=before|WATCHDOG_USEC=3600000000'
until_instance before one .status
assert_eq "ready" false "$(instance one .ready)"
# until the spawner knows it, too
pings=1
until [ -n "${kept:-}" ]; do
	say one "STATUS=before"
	pings=$((pings * 2))
	for _ in $(seq $pings); do
		settle
	done
	kill_reeved
	start_reeved --config="$tmp/conf"
	until_instance running one .state
	[ "$(instance one .status)" = before ] && kept=yes
done

step "what is said while none is there"
kill_reeved
say one 'READY=1|STATUS=meanwhile'
say two 'child:READY=1'
start_reeved --config="$tmp/conf"
until_instance true one .ready
until_instance true two .ready
until_instance meanwhile one .status
assert_eq "its own watchdog time is kept" "3600000000 false" \
	"$(instance one '"\(.live.watchdog_usec) \(.live.unresponsive)"')"
assert_eq "starts" "1 1" "$(instance one .starts) $(instance two .starts)"

step "none of them is blocked while none is there, however much it says"
kill_reeved
say two many:2000
say two 'STOPPING=1|MAINPID=1'
say one 'many:50'
start_reeved --config="$tmp/conf"
until_instance "number 1999" two .status
until_instance stopping two .says
until_instance "number 49" one .status
assert_eq "ready" "true false" "$(instance one .ready) $(instance two .ready)"
assert_eq "of a process that is none of it" null "$(instance two .main_pid)"

step "and the next daemon hears them as before"
say one 'STATUS=to the next one'
until_instance "to the next one" one .status
assert_eq "one socket, that of the first" 1 "$(grep -c "$state/notify\$" /proc/net/unix)"

step "a daemon that was held up hears what was said before it judges"
n=$(reeve events --json | jq -c "select(.id == $(instance one .job) and .ready == false)" | wc -l)
say one 'WATCHDOG_USEC=2000000|STATUS=two seconds'
until_instance "two seconds" one .status
kill -STOP "$reeved_pid"
say one 'late:WATCHDOG=1|WATCHDOG_USEC=3600000000|STATUS=in time'
kill -CONT "$reeved_pid"
until_instance "in time" one .status
assert_eq "times that it was not ready any more" "$n" \
	"$(reeve events --json | jq -c "select(.id == $(instance one .job) and .ready == false)" | wc -l)"
assert_eq "ready" true "$(instance one .ready)"

step "nobody waits for the words of strangers while a hook keeps one from starting"
assert_eq "the hook" pre-start "$(instance hooked .hook)"
timeout 15 python3 stranger.py "$state/notify" || fail "strangers were held up"
timeout 15 "$REEVE" run -- python3 "$tmp/work/stranger.py" "$state/notify" || fail "a job was held up"
say one 'STATUS=behind them'
until_instance "behind them" one .status

step "those that write to a descriptor"
assert_eq "before" "false false" "$(instance line .ready) $(instance early .ready)"
assert_eq "by" "fd:7 fd:3" "$(instance line .ready_by) $(instance early .ready_by)"
echo ready >early
until_instance true early .ready
ready=$(instance early .ready_usec)

step "also while no daemon is there"
kill_reeved
echo >line
start_reeved --config="$tmp/conf"
until_instance true line .ready
assert_eq "the other" "true $ready" "$(instance early '"\(.ready) \(.ready_usec)"')"
assert_eq "starts" "1 1" "$(instance line .starts) $(instance early .starts)"

step "those that print it"
until_instance true splits .ready
until [ "$(reeve service logs prints | tail -c 6)" = "now re" ]; do
	settle
done
assert_eq "before" "false output:^now (ready|done)\$" "$(instance prints '"\(.ready) \(.ready_by)"')"
kill_reeved
echo >prints
start_reeved --config="$tmp/conf"
until_instance true prints .ready
assert_eq "starts" "1 1" "$(instance prints .starts) $(instance splits .starts)"

step "what a hook printed before it is not its own, also for the next daemon"
until reeve service logs behind | grep -q "^ready"; do
	settle
done
until [ "$(instance behind '"\(.pid != null) \(.hook)"')" = "true null" ]; do
	settle
done
kill_reeved
start_reeved --config="$tmp/conf"
for _ in 1 2 3 4 5 6 7 8; do
	settle
done
assert_eq "ready" false "$(instance behind .ready)"
echo >behind
until_instance true behind .ready
assert_eq "starts" 1 "$(instance behind .starts)"

step "one that closes it without a line is not ready"
until_instance failed closed .state
assert_eq "its end" "not ready within 50ms" "$(instance closed .reason)"

step "without its file a new socket is made"
kill_reeved
rm "$state/notify"
start_reeved --config="$tmp/conf"
until [ -S "$state/notify" ]; do
	settle
done
say one 'STATUS=after it'
until_instance "after it" one .status
assert_eq "starts" 1 "$(instance one .starts)"
