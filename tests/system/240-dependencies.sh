#!/bin/sh
# Jobs that wait for others: which end lets whom go on, what is skipped, what comes back, and
# what a kill -9 of the daemon in between changes: nothing.
# shellcheck disable=SC2119 # the functions take arguments that are not wanted here
. "${srcdir:-.}/tests/support/system.sh"

field() { # JOB KEY
	reeve ls --json "$1" | jq -r ".[0].$2"
}

results() { # JOB...
	for job; do
		field "$job" result
	done | xargs
}

printf '[pool default]\nslots = 4\n' >"$tmp/conf"

kill_and_start() {
	signal_reeved KILL
	start_reeved --config="$tmp/conf"
}

start_reeved --config="$tmp/conf"
mkfifo go
gate='read -r code <go; exit $code'

step "each end lets those go on whom it satisfies, over a kill -9"
a=$(reeve add -n a -c "$gate")
ok=$(reeve add --after a true)
any=$(reeve add --after-any a true)
bad=$(reeve add --after-failure "$a" true)
one=$(reeve add -a "$ok|$bad" true)
both=$(reeve add -a "$ok,$any" true)
last=$(reeve add -l end -a "$both" true)
assert_eq "state" waiting "$(field "$ok" state)"
assert_eq "what it waits for" "$ok|$bad" "$(field "$one" 'after[0]')"
assert_match "why" "it waits for job $a (running)" "$(reeve show --json "$ok" | jq -r .why)"
assert_match "why" "it waits for one of $ok (waiting), $bad (waiting)" \
	"$(reeve show --json "$one" | jq -r .why)"
kill_and_start
assert_eq "state" waiting "$(field "$last" state)"
echo 3 >go
reeve wait -q || :
assert_eq "results" "failed skipped succeeded succeeded succeeded skipped skipped" \
	"$(results "$a" "$ok" "$any" "$bad" "$one" "$both" "$last")"
assert_eq "reason" "job $a failed" "$(field "$ok" reason)"
assert_eq "reason" "job $ok was skipped" "$(field "$both" reason)"
assert_exit 1 reeve wait -q "$last"

step "run again: those that were skipped because of it wait again, over a kill -9"
assert_exit 1 reeve retry "$last" 2>err
assert_match "refusal" "*job $last: it would be skipped: job $both was skipped*" "$(cat err)"
reeve retry "$a" "$last"
assert_eq "states" "waiting waiting waiting" \
	"$(for job in "$ok" "$both" "$last"; do field "$job" state; done | xargs)"
kill_and_start
echo 0 >go
reeve wait
assert_eq "results" "succeeded succeeded succeeded succeeded" \
	"$(results "$a" "$ok" "$both" "$last")"
assert_eq "runs of one that was not skipped" 1 "$(field "$any" runs)"

step "held, released, cancelled"
a=$(reeve add -c "$gate")
b=$(reeve add --after "$a" --hold true)
c=$(reeve add --after "$a" true)
d=$(reeve add --after "$c" true)
e=$(reeve add --after-any "$c" true)
f=$(reeve add --after-failure "$c" true)
reeve release "$b"
assert_eq "released" waiting "$(field "$b" state)"
reeve hold "$b"
reeve cancel "$c"
reeve wait -q "$d" "$e" "$f" || :
assert_eq "results" "cancelled skipped succeeded skipped" "$(results "$c" "$d" "$e" "$f")"
echo 0 >go
reeve wait "$a"
assert_eq "held" held "$(field "$b" state)"
kill_and_start
reeve release "$b"
reeve wait "$b"

step "what has ended before, and what is no job"
assert_exit 125 reeve run --after-failure "$a" true
[ "$(reeve ls --json --result skipped | jq length)" -gt 0 ] || fail "nothing was skipped"
reeve run --after "$a" --after @end true
n=$(reeve ls -q | wc -l)
assert_exit 3 reeve add --after 4711 true 2>err
assert_match "unknown id" "*job 4711 does not exist*" "$(cat err)"
assert_exit 3 reeve add --after nobody true 2>err
assert_match "unknown name" "*nobody*" "$(cat err)"
assert_exit 3 reeve add --after @nobody true 2>err
assert_match "unknown label" "*label 'nobody'*" "$(cat err)"
assert_exit 2 reeve add --after '3-5' true 2>err
assert_exit 2 reeve add --after '#0' true 2>err
reeve rm "$d"
assert_exit 3 reeve add --after "$d" true 2>err
assert_match "removed" "*job $d was removed on *" "$(cat err)"
assert_eq "jobs" "$((n - 1))" "$(reeve ls -q | wc -l)"

step "jobs of one call: names, numbers, cycles; all or none"
cat >lines <<-'END'
	{"command": ["true"], "name": "first", "label": ["both"]}
	{"command": ["true"], "name": "second", "after": ["first"], "label": ["both"]}
	{"command": ["true"], "name": "third", "after": ["@both"]}
END
reeve add --batch lines >ids
second=$(sed -n 2p ids)
third=$(sed -n 3p ids)
assert_eq "name" "$(sed -n 1p ids)" "$(field "$second" 'after[0]')"
assert_eq "label" "$(sed -n 1,2p ids | xargs)" "$(field "$third" 'after | join(" ")')"
reeve wait
{
	seq 1200 | sed 's/.*/{"command": ["true"], "name": "many&"}/'
	echo '{"command": ["true"], "name": "after-many", "after": ["many1200"]}'
} | reeve add --batch - >ids
assert_eq "a name of the call before" "$(sed -n 1200p ids)" \
	"$(field "$(sed -n 1201p ids)" 'after[0]')"
n=$(reeve ls -q | wc -l)
printf 'true\n{"command": ["true"], "after": ["nowhere"]}\n' >lines
assert_exit 3 reeve add --batch lines 2>err
assert_match "the line" "*line 2: after: no job is named 'nowhere'*" "$(cat err)"
echo '{"command": ["true"], "after": ["#0"]}' >lines
assert_exit 2 reeve add --batch lines 2>err
assert_exit 2 reeve varlink io.reeve.Job.Submit '{"jobs": [{"command": ["true"], "after": ["#1"]},
	{"command": ["true"], "after_any": ["#2|#2"]}, {"command": ["true"], "after": ["#0"]}]}' 2>err
assert_match "cycle" "*a cycle: job 0 waits for 1 waits for 2 waits for 0*" "$(cat err)"
assert_exit 2 reeve varlink io.reeve.Job.Submit \
	'{"jobs": [{"command": ["true"], "after": ["#1"]}]}' 2>err
assert_match "beyond the call" "*no such job in this call*" "$(cat err)"
assert_eq "jobs" "$n" "$(reeve ls -q | wc -l)"
assert_eq "a later one of the call" succeeded "$(reeve varlink io.reeve.Job.Submit \
	'{"jobs": [{"command": ["true"], "after": ["#1"]}, {"command": ["true"]}]}' |
	jq -r '.ids[0]' | { read -r id && reeve wait "$id" && field "$id" result; })"
reeve wait

step "changed before it starts"
set_deps() { # JOB MEMBERS
	reeve varlink io.reeve.Job.SetDependencies \
		"{\"select\": {\"ids\": [{\"first\": $1, \"last\": $1}]}, $2}"
}
a=$(reeve add -n a -c "$gate")
b=$(reeve add --after "$a" true)
c=$(reeve add --after-any "$b" true)
set_deps "$b" '"after": ["a"], "after_failure": []'
assert_exit 2 set_deps "$b" "\"after_any\": [\"$c\"]" 2>err
assert_match "cycle" "*a cycle: job $b waits for $c waits for $b*" "$(cat err)"
assert_exit 2 set_deps "$b" "\"after\": [\"$b\"]" 2>err
assert_exit 2 set_deps "$b" '"after": ["#0"]' 2>err
assert_exit 3 set_deps "$b" '"after": ["4711"]' 2>err
assert_match "unknown id" "*job 4711 does not exist*" "$(cat err)"
assert_exit 1 set_deps "$a" '"after": []' 2>err
assert_match "it runs" "*job $a is running*" "$(cat err)"
assert_eq "as it was" "$a" "$(field "$b" 'after | join(" ")')"
set_deps "$c" "\"after_any\": [], \"after_failure\": [\"$a\"]"
kill_and_start
assert_eq "after a kill" "null $a" "$(field "$c" after_any) $(field "$c" 'after_failure[0]')"
set_deps "$b" '"after": []'
reeve wait "$b"
late=$(reeve add --after "$a" --delay 1h true)
set_deps "$late" '"after": []'
assert_eq "one that has a delay as well" delayed "$(field "$late" state)"
kill_and_start
assert_eq "after a kill" delayed "$(field "$late" state)"
reeve cancel "$late"
echo 1 >go
reeve wait "$c"
d=$(reeve add --after "$a" true)
assert_exit 1 reeve wait -q "$d"
assert_exit 1 reeve retry "$d" 2>err
set_deps "$d" "\"after\": null, \"after_any\": [\"$a\"]"
assert_exit 1 reeve retry "$d" 2>err
set_deps "$d" '"after": []'
reeve retry "$d"
reeve wait "$d"
e=$(reeve add --hold true)
set_deps "$e" "\"after\": [\"$a\"]"
assert_eq "held" held "$(field "$e" state)"
reeve release "$e"
reeve wait -q "$e" || :
assert_eq "result" skipped "$(field "$e" result)"

step "changed by others while a cycle is looked for"
if command -v python3 >/dev/null; then
	python3 - "$REEVE_SOCKET" <<'EOF' || fail "a change was lost"
import json, socket, sys

class Connection:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(sys.argv[1])
        self.data = b""
    def send(self, method, **parameters):
        self.s.sendall(json.dumps({"method": "io.reeve.Job." + method,
            "parameters": parameters}).encode() + b"\0")
    def reply(self):
        while b"\0" not in self.data:
            self.data += self.s.recv(65536)
        reply, self.data = self.data.split(b"\0", 1)
        reply = json.loads(reply)
        if "error" in reply:
            sys.exit(str(reply))
        return reply["parameters"]

def select(job):
    return {"ids": [{"first": job, "last": job}]}

a, b = Connection(), Connection()
chain = []
for _ in range(8): # 4000 that wait for one another: several steps of the search
    before = ["after", [str(chain[-1])]] if chain else ["hold", True]
    a.send("Submit", cwd="/", umask=18, jobs=[{"command": ["true"],
        **({"after": ["#%d" % (i - 1)]} if i else dict([before]))} for i in range(500)])
    chain += a.reply()["ids"]
a.send("Submit", cwd="/", umask=18, jobs=[{"command": ["true"], "hold": True}])
job = a.reply()["ids"][0]
for i in range(10):
    after = [str(chain[-1 - i])]
    a.send("SetDependencies", select=select(job), after=after)
    for priority in (10 + i, 50 + i, 30 + i):
        b.send("Set", select=select(job), spec={"priority": priority})
    for _ in range(3):
        b.reply()
    a.reply()
    a.send("Show", select=select(job))
    spec = a.reply()["spec"]
    if (spec["after"], spec["priority"]) != (after, 30 + i):
        sys.exit("%d: %s, %d" % (i, spec["after"], spec["priority"]))
for id in (chain[0], job):
    a.send("Cancel", select=select(id))
    a.reply()
EOF
fi

step "nobody is skipped for a shutdown"
lost=$(reeve add --on-reboot=lost -c "$gate")
held=$(reeve add -c "$gate")
after_lost=$(reeve add --after "$lost" true)
after_held=$(reeve add --after "$held" true)
any=$(reeve add --after-any "$lost" true)
until [ "$(field "$lost" state) $(field "$held" state)" = "running running" ]; do settle; done
stop_reeved
start_reeved --config="$tmp/conf"
assert_eq "ended" "lost shutdown" "$(field "$lost" result) $(field "$lost" reason)"
reeve wait "$any"
assert_eq "states" "held waiting waiting" \
	"$(field "$held" state) $(field "$after_lost" state) $(field "$after_held" state)"
assert_match "why" "it waits for job $lost (lost)" "$(reeve show --json "$after_lost" | jq -r .why)"
reeve retry "$lost"
echo 0 >go
reeve wait "$after_lost"
reeve release "$held"
echo 0 >go
reeve wait "$after_held"

step "what is needed is kept"
a=$(reeve add true)
b=$(reeve add --after-any "$a" --hold true)
reeve wait "$a"
assert_exit 1 reeve rm "$a" 2>err
assert_match "who needs it" "*job $a: job $b needs it*" "$(cat err)"
reeve clean --finished >/dev/null
assert_eq "what is left" "$a $b" "$(reeve ls -q | xargs)"
reeve rm --force "$a" "$b"
assert_eq "what is left" "" "$(reeve ls -q | xargs)"

step "at the limit"
stop_reeved
printf '[reeved]\ndependencies-max = 3\nkeep-finished-max = 1\n[pool default]\nslots = 1\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
yes "$gate" | head -n 4 | reeve add -l four --batch - >/dev/null
assert_exit 6 reeve add --after @four true 2>err
assert_match "limit" "*dependencies-max = 3*" "$(cat err)"
ids=$(reeve ls -q -l four)
b=$(reeve add --after-any "$(echo "$ids" | head -n 3 | xargs | tr ' ' ,)" true)

step "more finished ones than are kept, while they are needed"
for id in $ids; do
	echo 1 >go
	[ "$id" = "$(echo "$ids" | tail -n 1)" ] || reeve wait -q "$id" || :
done
reeve wait "$b"
assert_eq "all that were needed ended first" succeeded "$(field "$b" result)"
stop_reeved

step "what a job waits for can be changed"
start_reeved
a=$(reeve add --hold true)
b=$(reeve add --hold true)
c=$(reeve add -a "$a" true)
reeve set "$c" after="$a,$b" priority=3
assert_eq "both" "[\"$a\",\"$b\"]" "$(reeve show --json "$c" | jq -c .spec.after)"
assert_eq "and the rest" 3 "$(reeve ls --json "$c" | jq '.[0].priority')"
assert_exit 3 reeve set "$c" after=4711000
assert_exit 2 reeve set "$c" after="$c"
reeve set "$c" after= after-any="$b"
assert_eq "another one" "null [\"$b\"]" \
	"$(reeve show --json "$c" | jq -cr '"\(.spec.after) \(.spec.after_any | tojson)"')"
reeve cancel "$b"
reeve wait "$c"
reeve cancel "$a"
