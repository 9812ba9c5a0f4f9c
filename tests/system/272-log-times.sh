#!/bin/sh
# timestamps: each line of output has the time at its front, from a pipe that outlives reeved; the
# end of a run comes after its last line; nothing of it is lost, and output-max holds.
. "${srcdir:-.}/tests/support/system.sh"
mkfifo begun go
start_reeved
plain() { # lines that have a time, without it
	sed -nE 's/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z //p'
}

step "every line, one without an end, and an empty one"
id=$(reeve add --timestamps -c 'echo one; echo two >&2; echo; printf "no end"')
reeve wait "$id"
assert_eq "lines" "one/two//no end" "$(reeve logs "$id" | plain | tr '\n' '/')"
assert_eq "all have a time" 4 "$(reeve logs "$id" | grep -c "^$(date -u +%Y)-")"
at=$(date -u -d "$(reeve logs "$id" | head -n 1 | cut -d' ' -f1)" +%s)
began=$(reeve show --json "$id" | jq '.run_history[0].started_usec / 1000000 | floor')
if [ "$at" -lt "$began" ] || [ "$at" -gt "$(date +%s)" ]; then
	fail "$at is not the time, it began at $began"
fi
assert_eq "show" yes "$(reeve show "$id" | awk '$1 == "timestamps" { print $2 }')"

step "streams apart, and one that printed nothing"
id=$(reeve add --timestamps --split-output -c 'echo good; echo bad >&2')
reeve wait "$id"
assert_eq "stdout" good "$(reeve logs --stream stdout "$id" | plain)"
assert_eq "stderr" bad "$(reeve logs --stream stderr "$id" | plain)"
id=$(reeve add --timestamps true)
reeve wait "$id"
assert_eq "nothing" "" "$(reeve logs "$id")"
assert_exit 3 reeve run --timestamps -- sh -c 'echo shown; exit 3' >out
assert_eq "run" shown "$(plain <out)"
assert_exit 2 reeve add --timestamps --output "file:$tmp/x" true 2>err
assert_match "a file of its own" "*timestamps are for output that is kept here*" "$(cat err)"

step "much of it, as fast as it goes: no line is lost, and the end comes behind it"
seq 200000 >numbers
for _ in 1 2 3; do
	id=$(reeve add --timestamps -c 'seq 200000')
	reeve wait "$id"
	reeve logs "$id" | plain | cmp - numbers || fail "lines are missing"
done
reeve logs "$id" | cut -d' ' -f1 | sort -c || fail "times go back"

step "a part of a line is there at once"
id=$(reeve add --timestamps -c "printf 'half '; echo >'$tmp/work/begun'; cat '$tmp/work/go'")
head -n 1 begun >/dev/null
until [ "$(reeve logs "$id" | plain)" = "half " ] || [ "$(reeve logs "$id" | wc -c)" -eq 33 ]; do settle; done
echo whole >go
reeve wait "$id"
assert_eq "one line" "half whole" "$(reeve logs "$id" | plain)"

step "its spawner is killed: who writes to it then gets SIGPIPE, and without times nothing happens"
mkfifo go.plain
writes="echo before; echo >'$tmp/work/begun'; read x <'$tmp/work"
id=$(reeve add --timestamps -c "$writes/go'; echo after; echo >'$tmp/work/beyond'")
head -n 1 begun >/dev/null
other=$(reeve add -c "$writes/go.plain'; echo after")
head -n 1 begun >/dev/null
until reeve logs "$id" | grep -q before && [ "$(reeve ls -q --state running | wc -l)" -eq 2 ]; do
	settle
done
kill_spawner
echo >go
echo >go.plain
assert_exit 1 reeve wait "$id" "$other"
assert_eq "how they ended" "failed 13/succeeded null" \
	"$(reeve ls --json "$id" "$other" | jq -r 'map("\(.result) \(.signal)") | join("/")')"
assert_eq "what it wrote before" before "$(reeve logs "$id" | plain)"
[ ! -e beyond ] || fail "it went on"
assert_eq "the other" "before after" "$(reeve logs "$other" | tr '\n' ' ' | sed 's/ $//')"

step "--since by line"
id=$(reeve add --timestamps -c "echo early; echo >'$tmp/work/begun'; cat '$tmp/work/go'")
head -n 1 begun >/dev/null
until reeve logs "$id" | grep -q early; do settle; done
early=$(reeve logs "$id" | cut -d. -f1 | head -n 1)
until [ "$(date -u +%Y-%m-%dT%H:%M:%S)" != "$early" ]; do settle; done
since=$(date '+%Y-%m-%d %H:%M:%S')
echo late >go
reeve wait "$id"
assert_eq "since" late "$(reeve logs --since "$since" "$id" | plain)"

step "reeved is killed: the run goes on, and nothing of it is missing"
id=$(reeve add -n long --timestamps -c "seq 1000; echo >'$tmp/work/begun'; cat '$tmp/work/go'; seq 1001 50000; cat '$tmp/work/go'")
head -n 1 begun >/dev/null
kill -9 "$reeved_pid"
reeved_ended
echo 1000.5 >go
start_reeved
: >go
reeve wait "$id"
{
	seq 1000
	echo 1000.5
	seq 1001 50000
} >expected
reeve logs "$id" | plain | cmp - expected || fail "lines are missing"

step "output-max holds"
id=$(reeve add --timestamps --output-max 64K -c 'seq 20000')
reeve wait "$id"
reeve logs "$id" 2>err >out
assert_eq "the last" 20000 "$(tail -n 1 out | plain)"
[ "$(wc -c <out)" -le 73728 ] || fail "$(wc -c <out) bytes are kept"
plain <out >kept
seq "$(head -n 1 kept)" 20000 | cmp - kept || fail "torn, or missing"

step "what it leaves behind goes on to write, and does not keep its end"
id=$(reeve add --timestamps --leftovers leave -c "
	(trap '' HUP; read -r x <'$tmp/work/go'; echo \"later \$x\"; echo >'$tmp/work/begun') &
	echo first")
reeve wait "$id"
assert_eq "at the end" first "$(reeve logs "$id" | plain)"
echo on >go
head -n 1 begun >/dev/null
until [ "$(reeve logs "$id" | plain | tail -n 1)" = "later on" ]; do settle; done

step "a service with times, many runs"
printf '[service s]\nshell-command = echo "run $REEVE_RUN"\nrestart-delay = 1ms\nrestart-delay-max = 1ms\nkeep-runs = 50\ntimestamps = yes\n' >"$tmp/conf"
stop_reeved
start_reeved --config="$tmp/conf"
until [ "$(reeve service ls --json s | jq '.[0].instances[0].starts')" -ge 20 ]; do settle; done
assert_eq "a line of each" "" "$(reeve service logs --since 1h --grep run s | plain |
	awk '{ if (NR > 1 && $2 != last + 1) print last " and then " $2; last = $2 }')"
stop_reeved
