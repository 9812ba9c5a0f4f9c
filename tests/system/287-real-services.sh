#!/bin/sh
# Programs as people run them, from Debian's packages: a Redis server, workers that cannot do
# without it, Python's web server. Started in order, killed, made unready, reloaded, scaled,
# restarted one after the other, stopped in the other order.
. "${srcdir:-.}/tests/support/system.sh"
command -v redis-cli >/dev/null || skip "no redis-cli (package redis-tools)"
command -v python3 >/dev/null || skip "no python3"
# redis-tools has the server's program, which goes by the name that it is called by; the package
# redis-server would start one for the whole machine
ln -s "$(command -v redis-server || command -v redis-check-rdb)" "$tmp/redis-server"

# One of its own jobs after the other from Redis; each is done once its answer is there. Lines
# of order.log say when what began.
cat >worker.py <<'END'
import os, signal, socket, sys

def notify(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])

number = os.environ["REEVE_INSTANCE"]
redis = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
redis.connect(sys.argv[1])  # whoever starts us too early ends us
stream = redis.makefile("rb")

def call(*words):
    out = b"*%d\r\n" % len(words)
    for w in words:
        out += b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode())
    redis.sendall(out)
    return answer()

def answer():
    line = stream.readline()
    if not line:
        sys.exit("redis has gone")
    if line[:1] == b"*":
        return [answer() for i in range(int(line[1:]))]
    if line[:1] == b"$":
        n = int(line[1:])
        return None if n < 0 else stream.read(n + 2)[:-2].decode()
    return line[1:-2].decode()

def reread(signum, frame):
    print("read again by", number, flush=True)

signal.signal(signal.SIGHUP, reread)
assert call("PING") == "PONG"
print("worker", number, "has a redis", flush=True)
notify("READY=1\nSTATUS=waiting")
while True:
    job = call("BLPOP", "jobs", "0")[1]
    if job == "unready":
        notify("STOPPING=1")
    elif job == "fail":
        sys.exit(5)
    call("RPUSH", "finished", number + " " + job)
END
port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
conf() { # [SED SCRIPT]
	sed "${1:-}" >"$tmp/conf" <<-END
		[reeved]
		min-free = 0

		[service worker]
		command = python3 $tmp/work/worker.py $tmp/work/redis.sock
		requires = redis
		ready = notify
		instances = 2
		reload-signal = HUP
		restart-delay = 10ms
		restart-delay-max = 100ms

		[service redis]
		command = $tmp/redis-server --port 0 --unixsocket $tmp/work/redis.sock --dir $tmp/work --appendonly yes --save ""
		ready = unix:$tmp/work/redis.sock
		restart-delay = 10ms

		[service web]
		command = python3 -m http.server --bind 127.0.0.1 --directory $tmp/work/site $port
		ready = tcp:$port
		restart-delay = 10ms
	END
}
of() { # SERVICE FILTER of its jobs, in the order of their numbers
	reeve ls --json |
		jq -r "[.[] | select(.service == \"$1\")] | sort_by(.instance) | [.[] | $2] | join(\" \")"
}
n_ready() { # SERVICE
	of "$1" 'select(.state == "running" and .ready_usec != null) | .id' | wc -w
}
until_ready() { # HOW MANY SERVICE
	until [ "$(n_ready "$2")" -eq "$1" ]; do
		settle
	done
}
redis() {
	redis-cli -s "$tmp/work/redis.sock" "$@"
}
# what was done of it, once it is
do_job() { # NAME: "INSTANCE NAME"
	redis rpush jobs "$1" >/dev/null
	redis blpop finished 60 | tail -n 1
}
site() {
	python3 -c "import urllib.request
print(urllib.request.urlopen('http://127.0.0.1:$port/hello').read().decode(), end='')"
}

mkdir site
echo "hello" >site/hello
conf
start_reeved --config="$tmp/conf"

step "they are started in order, each once what it needs is ready"
until_ready 2 worker
until_ready 1 redis
until_ready 1 web
[ "$(of redis '.ready_usec')" -le "$(of worker '.started_usec' | tr ' ' '\n' | sort -n | head -n 1)" ] ||
	fail "a worker was started before redis was ready"
assert_eq "starts of the workers" "1 1" "$(of worker .runs)"
assert_eq "the site" hello "$(site)"
assert_match "a job" "[01] first" "$(do_job first)"
assert_match "status" "*running*worker 0 has a redis*" \
	"$(reeve service status worker | tr '\n' ' ') $(reeve service logs worker 2>&1 | tr '\n' ' ')"

step "redis is killed: it comes back with its data, and the workers that lost it too"
pids=$(of worker .pid)
redis set kept yes >/dev/null
kill -9 "$(of redis .pid)"
until [ "$(of redis .runs)" = 2 ] && [ "$(n_ready redis)" = 1 ]; do
	settle
done
assert_eq "what it knew" yes "$(redis get kept)"
until_ready 2 worker
for pid in $pids; do
	case " $(of worker .pid) " in
	*" $pid "*) fail "worker $pid did not notice" ;;
	esac
done
assert_match "a job" "[01] second" "$(do_job second)"
assert_eq "the site was left alone" 1 "$(of web .runs)"

step "a worker ends, and another says that it is not ready"
redis rpush jobs fail >/dev/null
until [ "$(reeve service status --json worker | jq '[.[0].instances[].starts] | add')" -ge 5 ] &&
	[ "$(n_ready worker)" = 2 ]; do
	settle
done
assert_match "a job" "[01] unready" "$(do_job unready)"
until_ready 1 worker
assert_eq "it runs" "running running" "$(of worker .state)"
reeve service restart worker
until_ready 2 worker

step "they are told to read their files again: the same processes"
pids=$(of worker .pid)
reeve reload worker
until [ "$(reeve service logs worker 2>&1 | grep -c '^.*read again by')" -eq 2 ]; do
	settle
done
assert_eq "processes" "$pids" "$(of worker .pid)"

step "a file that is changed: what is not in it stays"
pids="$(of redis .pid) $(of web .pid)"
conf 's/^instances = 2/instances = 2\
nice = 3/'
reeve daemon reload >/dev/null
until [ "$(n_ready worker) $(for pid in $(of worker .pid); do
	ps -o ni= -p "$pid"
done | xargs)" = "2 3 3" ]; do
	settle
done
assert_eq "redis and the site" "$pids" "$(of redis .pid) $(of web .pid)"

step "more of them, and fewer"
reeve service scale worker 4
until_ready 4 worker
assert_eq "the first two" "3 3 3 3" "$(for pid in $(of worker .pid); do
	ps -o ni= -p "$pid"
done | xargs)"
for i in 1 2 3 4 5 6 7 8; do
	do_job "job$i"
done | cut -d ' ' -f 1 | sort -u >workers
assert_eq "workers that had some" 4 "$(wc -l <workers)"
reeve service scale worker 1
until [ "$(of worker .state)" = running ]; do
	settle
done
reeve service reset worker
until_ready 2 worker

step "rolled, one after the other: there is always one that is ready"
pids=$(of worker .pid)
reeve restart --rolling worker &
restarts=$!
while kill -0 "$restarts" 2>/dev/null; do
	[ "$(n_ready worker)" -ge 1 ] || fail "no worker is ready"
done
wait "$restarts" || fail "the roll did not come to its end"
assert_eq "both are ready when it is over" 2 "$(n_ready worker)"
for pid in $pids; do
	case " $(of worker .pid) " in
	*" $pid "*) fail "worker $pid was not restarted" ;;
	esac
done

step "what they need is stopped: they are, too, before it, and come with it"
reeve stop redis
until [ "$(of worker .state) $(of redis .state)" = "finished finished finished" ]; do
	settle
done
[ "$(of worker '.finished_usec' | tr ' ' '\n' | sort -n | tail -n 1)" -le "$(of redis .finished_usec)" ] ||
	fail "redis was stopped before a worker"
assert_eq "the site" hello "$(site)"
reeve start redis
until_ready 2 worker
assert_match "a job" "[01] last" "$(do_job last)"
stop_reeved
