#!/bin/sh
# The units, started as systemd starts them: socket activation, readiness, status text and
# watchdog; which process may start and end without the other. What is only systemd's (that
# a unit is started again, cgroups, dependencies) is not seen here.
. "${srcdir:-.}/tests/support/system.sh"
command -v python3 >/dev/null || skip "there is no python3"
SPAWNER=$(find_program "$build" reeve-spawner)
cat >manager.py <<'EOF'
import json
import os
import signal
import socket
import subprocess
import sys

tmp, units, reeved, spawner, manager = sys.argv[1:]
state = tmp + "/" + manager
path = os.environ["REEVE_SOCKET"]
log_path = tmp + "/reeved.log"
log = open(log_path, "ab", buffering=0)


def reeve(*words, status=0):
    done = subprocess.run([os.environ["REEVE"], *words], stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == status, (words, done)
    return done.stdout.decode()


def await_log(*texts):
    """until the daemon's log has one of them, from now on: which"""
    with subprocess.Popen(["timeout", "60", "tail", "-c", "+%d" % (await_log.seen + 1), "-f",
                           log_path], stdout=subprocess.PIPE) as tail:
        for line in tail.stdout:
            await_log.seen += len(line)
            for text in texts:
                if text in line.decode():
                    tail.kill()
                    return text
    sys.exit("the log says nothing of " + " or ".join(texts))


await_log.seen = os.path.getsize(log_path)


class Unit:
    """What systemd does for a service of Type=notify"""

    def __init__(self, name, program, listen=None):
        self.name, self.program, self.listen = name, program, listen
        self.path = "%s/%s-%s.notify" % (tmp, manager, name)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path)
        self.notify.settimeout(60)

    def words(self):
        with open("%s/%s/%s.service" % (units, manager, self.name)) as file:
            line, = [x for x in file if x.startswith("ExecStart=")]
        words = line.split("=", 1)[1].split()
        assert os.path.basename(words[0]) == self.name
        for place in "%h/.local/state/reeve/%m", "%S/reeve":
            words = [x.replace(place, state) for x in words]
        assert "%" not in "".join(words), words
        return [self.program] + words[1:]

    def start(self):
        words = self.words()
        env = dict(os.environ, NOTIFY_SOCKET=self.path)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                if self.listen:
                    env.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()),
                               WATCHDOG_USEC="400000", WATCHDOG_PID=str(os.getpid()))
                    os.dup2(self.listen.fileno(), 3)
                    os.set_inheritable(3, True)
                os.execve(words[0], words, env)
            finally:
                os._exit(127)
        return self.until("READY=1")

    def until(self, line):
        """reads messages to one that has this line; its lines"""
        while True:
            lines = self.notify.recv(4096).decode().split("\n")
            if line in lines:
                return lines

    def end(self, sig, status):
        os.kill(self.pid, sig)
        _, found = os.waitpid(self.pid, 0)
        assert os.waitstatus_to_exitcode(found) == status, (self.name, found)


def ask():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(path)
    client.sendall(b'{"method":"io.reeve.Daemon.Ping"}\0')
    return client


def state_of(job):
    return json.loads(reeve("ls", "--json", job))[0]["state"]


os.mkdir(state, 0o700)
listen = socket.socket(socket.AF_UNIX)
listen.bind(path)
listen.listen(64)
runs = Unit("reeve-spawner", spawner)
daemon = Unit("reeved", reeved, listen)

print("who comes before the daemon waits and is answered")
unable, connected = "cannot reach or start the spawner", "connected to spawner"
early = ask()
runs.start()
lines = daemon.start()
assert "STATUS=0 running, 0 queued" in lines, lines
assert early.recv(4096)[-1:] == b"\0"
await_log(connected)
status = json.loads(reeve("daemon", "status", "--json"))
assert status["pid"] == daemon.pid and status["spawner_pid"] == runs.pid, status

print("the watchdog is fed, and the status text tells of the jobs")
for _ in range(3):
    daemon.until("WATCHDOG=1")
job = reeve("add", "--", "tail", "-f", "/dev/null").strip()
daemon.until("STATUS=1 running, 0 queued")

print("a reload is told")
os.kill(daemon.pid, signal.SIGHUP)
assert any(x.startswith("MONOTONIC_USEC=") for x in daemon.until("RELOADING=1"))
daemon.until("READY=1")

print("the daemon stops: neither job, spawner nor socket does")
os.kill(daemon.pid, signal.SIGTERM)
daemon.until("STOPPING=1")
_, found = os.waitpid(daemon.pid, 0)
assert found == 0, found
late = ask()
daemon.start()
assert late.recv(4096)[-1:] == b"\0"
await_log(connected)
assert state_of(job) == "running"
status = json.loads(reeve("daemon", "status", "--json"))
assert status["spawner_pid"] == runs.pid, status

print("the spawner dies: it is the manager's to start another")
runs.end(signal.SIGKILL, -signal.SIGKILL)
assert await_log(unable, connected) == unable
after = reeve("add", "true").strip()
assert state_of(after) == "queued"
runs.start()
reeve("wait", "-q", after)
status = json.loads(reeve("daemon", "status", "--json"))
assert status["spawner_pid"] == runs.pid, status
reeve("cancel", job)

print("the spawner stops: so do the jobs")
job = reeve("add", "--on-reboot", "lost", "--", "tail", "-f", "/dev/null").strip()
while state_of(job) != "running":  # the status text may still be of the other one
    pass
runs.end(signal.SIGTERM, 0)
reeve("wait", "-q", job, status=1)
daemon.end(signal.SIGTERM, 0)
os.unlink(path)
EOF
: >>"$tmp/reeved.log"
managers=user
[ "$(id -u)" -ne 0 ] || managers="user system"
for manager in $managers; do
	step "$manager"
	timeout 300 python3 manager.py "$tmp" "$build/conf" "$REEVED" "$SPAWNER" "$manager"
done
