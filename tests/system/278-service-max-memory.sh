#!/bin/sh
# max-memory of services: a run that takes more, with what is below it, is ended and has failed,
# which counts; what processes share counts once; over the death of the daemon.
. "${srcdir:-.}/tests/support/system.sh"
command -v python3 >/dev/null || skip "no python3"

cat >takes.py <<'EOP'
import os, signal, sys
# takes.py BYTES CHILDREN FIFO: has so much, shared by so many children, and says so
x = bytearray(b"x") * int(sys.argv[1])
for i in range(int(sys.argv[2])):
    if os.fork() == 0:
        signal.pause()
signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))
open(sys.argv[3], "w").write("up\n")
while True:
    signal.pause()
EOP
mkfifo up

state() { # SERVICE [FILTER of its instance]
	reeve service status "$1" --json | jq -r ".[0].instances[0] | ${2:-.state}"
}
until_state() { # SERVICE STATE
	until [ "$(state "$1")" = "$2" ]; do
		settle
	done
}
conf() {
	cat >"$tmp/conf.new"
	mv "$tmp/conf.new" "$tmp/conf"
	[ -z "${reeved_pid:-}" ] || reeve daemon reload >/dev/null
}

step "what is below it counts"
conf <<-EOC
	[service greedy]
	shell-command = python3 $PWD/takes.py 80000000 0 $PWD/up & wait
	max-memory = 40M
	memory-interval = 100ms
	restart = on-failure
	restart-burst = 1
	restart-delay = 1ms
EOC
start_reeved --config="$tmp/conf" --shutdown=detach
until_state greedy failed
assert_eq "starts" 2 "$(state greedy .starts)"
assert_match "it counts" "given up: 1 restart in *" "$(state greedy .reason)"
reeve show "$(state greedy .job)" --json | jq -r '.run_history | first | .reason' >said
assert_match "the reason" "memory: [4-9]*, max-memory = 40M" "$(cat said)"
assert_match "the log" "*memory: *, max-memory = 40M, ending it*" "$(cat "$tmp/reeved.log")"

step "reloads do not put it off"
conf <<-EOC
	[service greedy]
	command = python3 $PWD/takes.py 80000000 0 /dev/null
	max-memory = 40M
	memory-interval = 1s
	restart = no
EOC
reeve service start greedy >/dev/null 2>&1 || :
until [ "$(state greedy '"\(.state) \(.reason // "" | startswith("memory"))"')" = "failed true" ]; do
	reeve daemon reload >/dev/null
done

if [ -r /proc/self/smaps_rollup ]; then
	step "what is shared counts once"
	conf <<-EOC
		[service shared]
		command = python3 $PWD/takes.py 60000000 3 $PWD/up
		max-memory = 150M
		memory-interval = 100ms
		[service greedy]
		command = sleep 1000
		max-memory = 1G
	EOC
	read -r _ <up
	conf <<-EOC
		[service shared]
		command = python3 $PWD/takes.py 60000000 3 $PWD/up
		max-memory = 150M
		memory-interval = 100ms
		[service greedy]
		command = python3 $PWD/takes.py 80000000 0 /dev/null
		max-memory = 40M
		restart = no
	EOC
	until_state greedy failed # so shared was looked at, too
	assert_eq "it runs" "running 1" "$(state shared '"\(.state) \(.starts)"')"
fi

step "another daemon looks, too"
conf <<-EOC
	[service later]
	command = python3 $PWD/takes.py 80000000 0 $PWD/up
	max-memory = 1G
	restart = no
EOC
read -r _ <up
kill -9 "$reeved_pid"
reeved_ended
sed 's/1G/40M/; $a memory-interval = 100ms' "$tmp/conf" >conf.new
mv conf.new "$tmp/conf"
start_reeved --config="$tmp/conf"
until_state later failed
assert_match "the reason" "memory: *, max-memory = 40M" "$(state later .reason)"

step "too small a limit is refused"
printf '[service x]\ncommand = true\nmax-memory = 5\n' >bad
assert_exit 1 reeve config check bad >said 2>&1 || :
assert_match "why" "*max-memory*outside of 1M*" "$(cat said)"
stop_reeved
