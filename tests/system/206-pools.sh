#!/bin/sh
# Pools: what jobs ask of them and of the machine, and what is changed of them at run time.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # SLOTS OF default
	cat >"$tmp/conf" <<EOF
[reeved]
min-free = 0
pools-max = 2
demands-max = 16
memory-max = 3G
slots-max = 6
[pool default]
slots = $1
[pool net]
slots = 2
[resource gpu]
amount = 2
EOF
}
states() { # ID...: one line
	reeve ls --json "$@" | jq -r 'map(.state) | join(" ")'
}
until_states() { # STATES ID...
	want=$1
	shift
	until [ "$(states "$@")" = "$want" ]; do
		settle
	done
}
why() { # ID
	reeve show --json "$1" | jq -r .why
}
pool() { # NAME FILTER
	reeve pool ls --json | jq -r ".[] | select(.name == \"$1\") | $2"
}
hold="sleep 3600"
conf 4
start_reeved --config="$tmp/conf"

step "a job takes as many slots as it says, and why says who has them"
# shellcheck disable=SC2086 # two words
big=$(reeve add -N 3 -- $hold)
small=$(reeve add -c "$hold")
late=$(reeve add -c "$hold")
until_states "running running queued" "$big" "$small" "$late"
assert_eq "taken" 4 "$(pool default .taken)"
assert_eq "running" 2 "$(pool default .running)"
assert_eq "why" "pool 'default' has 4 of 4 slots taken" "$(why "$late")"
next=$(reeve add true)
assert_eq "why, of the next one" \
	"job $next: it is queued: pool 'default' has 4 of 4 slots taken; 1 job comes before it; held by jobs $big, $small" \
	"$(reeve why)"
assert_eq "as JSON" "[$big,$small]" "$(reeve why --json "$late" | jq -c .held_by)"
reeve cancel "$next"
assert_eq "why it ended" "job $next: it is over: cancelled" "$(reeve why "$next")"
reeve cancel "$small"
until_states "running running" "$big" "$late"

step "a heavy job is not starved by light ones"
heavy=$(reeve add -N 2 -c "$hold")
light=$(reeve add -c true)
reeve cancel "$late"
until_states "running queued queued" "$big" "$heavy" "$light"
assert_eq "why the light one waits" \
	"the free slots of pool 'default' are kept for jobs before it" "$(why "$light")"
reeve cancel "$big"
until_states "finished running finished" "$big" "$heavy" "$light"
reeve cancel --all

step "what asks for more than there is is refused"
assert_exit 2 reeve add -N 5 true
assert_match "more slots" "*slots: it asks for 5 slots of pool 'default', which has 4*" \
	"$(reeve add -N 5 true 2>&1)"
assert_match "no such pool" "*no such pool: 'nett', did you mean 'net'?*" \
	"$(reeve add -g nett true 2>&1)"
assert_match "no such resource" "*no such resource: 'tpu'*" \
	"$(reeve add --need tpu=1 true 2>&1)"
assert_match "more of a resource" "*it needs 3 of resource 'gpu', of which there is 2*" \
	"$(reeve add --need gpu=3 true 2>&1)"
assert_match "more memory" "*memory_bytes: it reserves 4294967296 bytes*" \
	"$(reeve add --memory 4G true 2>&1)"
assert_match "mixed pools" "*not the name of a pool*" "$(reeve add -g 'a,b|c' true 2>&1)"
assert_match "slots of a function" "*a function takes no slot*" \
	"$(reeve call -N 2 sleep seconds=0 2>&1)"

step "a slot in each of two pools, or in either"
n1=$(reeve add -g net -c "$hold")
both=$(reeve add -g default,net -c "$hold")
more=$(reeve add -g net -c "$hold")
either=$(reeve add -g 'net|default' -c "$hold")
until_states "running running queued running" "$n1" "$both" "$more" "$either"
assert_eq "taken of net" 2 "$(pool net .taken)"
assert_eq "taken of default" 2 "$(pool default .taken)"
assert_eq "found by either name" "$both $either" \
	"$(reeve ls --json --pool default --state running | jq -r 'map(.id) | join(" ")')"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
until_states "running running queued running" "$n1" "$both" "$more" "$either"
assert_eq "taken of net after a crash" 2 "$(pool net .taken)"
assert_eq "taken of default after a crash" 2 "$(pool default .taken)"
reeve cancel "$either"
until [ "$(pool default .taken)" = 1 ]; do
	settle
done
reeve cancel --all

# shellcheck disable=SC2016 # the shell of the job expands it
step "each has a slot number of its own, whatever it takes"
reeve pool set default -N 4
i=0
while [ "$i" -lt 60 ]; do
	# shellcheck disable=SC2016 # the job's
	printf '{"shell_command": "mkdir %s/$REEVE_SLOT && [ $REEVE_SLOT -lt 4 ] && rmdir %s/$REEVE_SLOT", "slots": %s, "pool": "%s"}\n' \
		"$tmp" "$tmp" "$((i % 7 == 3 ? 2 : 1))" "$([ $((i % 11)) -eq 4 ] && echo default,net || echo default)"
	i=$((i + 1))
done | reeve add -l numbers --batch - >/dev/null
reeve wait -l numbers
reeve pool reset default
assert_eq "a function has none, a job has" "" \
	"$(reeve run -c 'env' | grep REEVE_SLOT | grep -v '^REEVE_SLOT=[0-3]$')"
assert_eq "what the caller has under that name" 0 "$(REEVE_SLOT=77 reeve run -c 'echo $REEVE_SLOT')"

step "resources, memory, and a limit over all pools"
a=$(reeve add --need gpu=2 -c "$hold")
b=$(reeve add --need gpu=1 -c "$hold")
until_states "running queued" "$a" "$b"
assert_eq "why" "it needs 1 of resource 'gpu', of which 2 of 2 is taken" "$(why "$b")"
reeve cancel "$a"
until_states running "$b"
m=$(reeve add --memory 2G -c "$hold")
n=$(reeve add --memory 2G -g net -c "$hold")
until_states "running queued" "$m" "$n"
assert_match "why" "*it reserves 2147483648 bytes of memory*" "$(why "$n")"
reeve cancel --all
reeve add -N 4 -c "$hold" >/dev/null
x=$(reeve add -N 2 -g net -c "$hold")
reeve pool set net -N 5
y=$(reeve add -g net -c "$hold")
until_states "running queued" "$x" "$y"
assert_eq "why" "6 of 6 slots of all pools are taken (slots-max)" "$(why "$y")"
reeve cancel --all

step "a rate"
reeve pool set net -N 5 --rate 2/1h
assert_eq "the rate" 2/1h "$(pool net .rate)"
for _ in 1 2; do
	reeve run -g net true
done
z=$(reeve add -g net true)
assert_match "why" "*pool 'net' has had its 2 starts in 3600 s (rate)*" "$(why "$z")"
reeve pool set net --rate infinity
reeve wait "$z"

step "what a file says can be changed until a reload that changes its section"
assert_eq "changed keys" '["slots"]' "$(pool net '.changed - ["rate"] | tojson')"
reeve daemon restart
start_pid=$(reeve daemon status --json | jq .pid)
reeved_pid=$start_pid
assert_eq "slots after a restart" 5 "$(pool net .slots)"
conf 3
reeve daemon reload >/dev/null
assert_eq "slots after another section changed" 5 "$(pool net .slots)"
sed 's/^slots = 2$/slots = 1/' "$tmp/conf" >"$tmp/conf2"
mv "$tmp/conf2" "$tmp/conf"
reeve daemon reload >/dev/null
assert_eq "slots after its own section changed" 1 "$(pool net .slots)"
assert_eq "set to what it is" '{"changed":false}' "$(reeve pool set net -N 1 --json)"
assert_eq "set to something else" '{"changed":true}' "$(reeve pool set net -N 7 --json)"
assert_eq "reset" '{"changed":true}' "$(reeve pool reset net --json)"
assert_eq "slots after a reset" 1 "$(pool net .slots)"
assert_eq "reset again" '{"changed":false}' "$(reeve pool reset net --json)"

step "a pool of run time"
assert_exit 0 reeve pool add build -N 2
assert_exit 1 reeve pool add build
assert_exit 1 reeve pool add net
assert_exit 1 reeve pool reset build
assert_exit 1 reeve pool rm net
assert_exit 3 reeve pool rm nothing
assert_exit 2 reeve pool set build
assert_exit 2 reeve pool set build -N many
assert_exit 2 reeve pool add build2 --rate often
assert_exit 2 reeve pool add build2 --rate 1/9000000000000s
assert_exit 2 reeve pool add 'a b'
assert_exit 2 reeve pool pause
reeve pool add build2
assert_exit 6 reeve pool add build3
reeve pool rm build2
c=$(reeve add -g build -c "$hold")
assert_exit 1 reeve pool rm build
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "after a crash" "2 run time" "$(pool build '"\(.slots) \(.origin)"')"
printf '[pool build]\nslots = 9\n' >>"$tmp/conf"
assert_exit 1 reeve daemon reload
assert_match "a file that defines it too" "*added at run time, too: reeve pool rm 'build'*" \
	"$(reeve daemon reload 2>&1)"
reeve cancel "$c"
reeve wait -q "$c" || :
reeve pool rm build
reeve daemon reload >/dev/null
assert_eq "as the file says" 9 "$(pool build .slots)"

step "pause, drain, resume"
reeve pool pause net build
d=$(reeve add -g net true)
assert_match "why" "*pool 'net' is paused: reeve pool resume net*" "$(why "$d")"
assert_eq "queued" queued "$(states "$d")"
reeve pool drain net
assert_match "draining" "*pool 'net' is draining, it takes no new jobs*" \
	"$(reeve add -g net true 2>&1)"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "after a crash" "true true" "$(pool net '"\(.paused) \(.draining)"')"
assert_eq "still queued" queued "$(states "$d")"
reeve pool resume net build
reeve wait "$d"
reeve run -g net true

step "pause-on-failure"
reeve pool set build -N 1 --pause-on-failure yes
f=$(reeve add -g build false)
g=$(reeve add -g build true)
reeve wait -q "$f" || :
assert_eq "what comes after" queued "$(states "$g")"
assert_eq "why it is paused" "job $f failed" "$(pool build .reason)"
reeve pool resume build
reeve wait "$g"
h=$(reeve add -g build --retries 1 --retry-delay 1ms -- sh -c "test -e $tmp/second || { touch $tmp/second; exit 1; }")
reeve wait "$h"
assert_eq "not by one that is run again" false "$(pool build .paused)"

step "a daemon with many different demands refuses more"
i=1
while [ "$i" -le 16 ]; do
	reeve add --hold --memory "${i}M" true >/dev/null
	i=$((i + 1))
done
assert_exit 6 reeve add --hold --memory 17M true
assert_match "which limit" "*demands-max = 16*" "$(reeve add --hold --memory 17M true 2>&1)"
reeve add --hold --memory 3M true >/dev/null
sed -i 's/^demands-max = 16$/demands-max = 17/' "$tmp/conf"
reeve daemon reload >/dev/null
reeve add --hold --memory 17M true >/dev/null
sed -i 's/^demands-max = 17$/demands-max = 16/' "$tmp/conf"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_exit 6 reeve add --hold --memory 18M true
assert_eq "accepted before the limit was lowered" 18 \
	"$(reeve ls --json --state held | jq length)"
reeve cancel --all
reeve run --memory 17M true

step "amounts that are too many to count together"
sed -i '/^memory-max/d; s/^slots-max.*/slots-max = 100/' "$tmp/conf"
reeve daemon reload >/dev/null
reeve pool add wide -N 20
i=0
while [ "$i" -lt 10 ]; do
	echo "{\"shell_command\": \"$hold\", \"memory_bytes\": 1152921504606846976, \"pool\": \"wide\"}"
	i=$((i + 1))
done | reeve add -l huge --batch - >/dev/null
small=$(reeve add -g wide --memory 10 true)
assert_match "why" "*what is free of memory-max is kept for jobs before it*" \
	"$(reeve why "$small")"
forced=$(reeve add -g wide --force --memory 1048576T true)
assert_match "why not even that one" "*it reserves 1152921504606846976 bytes*" \
	"$(reeve why "$forced")"
reeve cancel -l huge
reeve wait "$small" "$forced"
assert_exit 0 reeve pool set wide --rate 10000/366d
reeve run -g wide true

step "a file that defines what was added at run time counts, also after a start"
printf '[pool wide]\nslots = 4\n' >>"$tmp/conf"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "as the file says" "4 infinity" "$(pool wide '"\(.slots) \(.rate)"')"
assert_eq "changed keys" '[]' "$(pool wide '.changed | tojson')"
assert_eq "nothing to reset" '{"changed":false}' "$(reeve pool reset wide --json)"
reeve pool set wide --rate 5/1h
assert_eq "what is set is laid over the file" "4 5/1h" \
	"$(pool wide '"\(.slots) \(.rate)"')"
assert_eq "which it says" '["rate"]' "$(pool wide '.changed | tojson')"
assert_eq "reset" '{"changed":true}' "$(reeve pool reset wide --json)"
assert_eq "as the file says again" "4 infinity" "$(pool wide '"\(.slots) \(.rate)"')"
reeve pool set wide --rate 5/1h
sed -i '/^\[pool wide\]/,$d' "$tmp/conf"
reeve daemon reload >/dev/null
reeve pool rm wide

step "nothing gets into a pool while it is removed"
if command -v python3 >/dev/null; then
	reeve pool add brief
	python3 - "$REEVE_SOCKET" >"$tmp/replies" <<'EOF'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
calls = [("Pool.Remove", {"name": "brief"}),
         ("Job.Submit", {"jobs": [{"command": ["true"], "pool": "brief"}],
                         "cwd": "/", "umask": 18})]
s.sendall(b"".join(json.dumps({"method": "io.reeve." + m, "parameters": p}).encode()
                   + b"\0" for m, p in calls))
replies = b""
while replies.count(b"\0") < 2:
    replies += s.recv(65536)
for reply in replies.split(b"\0")[:2]:
    print(json.loads(reply).get("error", "done"))
EOF
	assert_eq "replies" "done,io.reeve.Job.Invalid," "$(sort "$tmp/replies" | tr '\n' ,)"
	assert_eq "it is gone, and forgotten" "" "$(pool brief .name)"
fi

finish
