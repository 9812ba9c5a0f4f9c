#!/bin/sh
# Clients that connect and say nothing, that never read, that vanish in the middle of a
# call or are stopped: what they hold is bounded, and everyone else is served.
. "${srcdir:-.}/tests/support/system.sh"
hostile="$build/tests/support/hostile"
job=io.reeve.Job
# what a sanitizer keeps of freed memory is not what the daemon holds
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1"
start_reeved

memory_kib() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$reeved_pid/status"
}

# but for the output files that are kept ready: jobs that are over give theirs back
open_files() {
	find "/proc/$reeved_pid/fd" -mindepth 1 ! -lname "$state/output/*" | wc -l
}

# hold CONNECTIONS FILE: they are there until release
hold() {
	rm -f held said
	mkfifo held said
	"$hostile" "$REEVE_SOCKET" mute -n "$1" "$2" <held >said &
	holder_pid=$!
	exec 8>held
	assert_eq "the clients" ready "$(head -n 1 said)"
}

let_go() {
	exec 8>&-
	wait "$holder_pid"
}

step "clients that say nothing"
: >nothing
before=$(memory_kib)
hold 200 nothing
settle
id=$(reeve add true)
reeve wait "$id"
printf '{"meth' >half
let_go
hold 200 half
settle
let_go
grown=$(($(memory_kib) - before))
[ "$grown" -lt 65536 ] || fail "$grown KiB for clients that say nothing"

step "clients that never read while they follow a large log"
big=$(reeve add -c 'head -c 60000000 /dev/zero | tr "\0" x; echo')
reeve wait "$big"
for i in 1 2 3 4; do
	printf '{"method":"%s.Logs","more":true,"parameters":{"select":{"ids":[{"first":%s,"last":%s}]},"follow":true}}\0' \
		$job "$big" "$big"
done >follow-it
before=$(memory_kib)
hold 20 follow-it
# another reads all of it meanwhile
n=$(reeve logs "$big" | wc -c)
assert_eq "bytes of the log" 60000001 "$n"
settle
grown=$(($(memory_kib) - before))
echo "20 clients that do not read cost $grown KiB" >&2
# each: 256 KiB of watermark, a page on its way, a task
[ "$grown" -lt 40000 ] || fail "$grown KiB for 20 clients that do not read"
id=$(reeve add echo served)
reeve wait "$id"
assert_eq "log" served "$(reeve logs "$id")"
let_go

step "clients that ask much and never read"
i=0
while [ $i -lt 2000 ]; do
	printf '{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"%s"}}\0' $job
	i=$((i + 1))
done >ask-much
# they block while they send: the daemon has stopped to read them
rm -f held said
before=$(memory_kib)
for i in 1 2 3 4 5; do
	"$hostile" "$REEVE_SOCKET" mute ask-much </dev/null >/dev/null 2>&1 &
	echo $! >>askers
done
for i in 1 2 3 4 5 6 7 8; do
	settle
done
grown=$(($(memory_kib) - before))
[ "$grown" -lt 65536 ] || fail "$grown KiB for clients that ask and never read"
while read -r pid; do
	kill "$pid" 2>/dev/null || :
done <askers
while read -r pid; do
	wait "$pid" || :
done <askers

step "clients that vanish in the middle of a call"
files=$(open_files)
mkfifo go
long=$(reeve add -c "echo begun; read -r x <'$tmp/work/go'")
for what in Wait Logs Show Cancel; do
	case $what in
	Wait) p='"more":true,"parameters":{"select":{"ids":[{"first":'$long',"last":'$long'}]}}' ;;
	Logs) p='"more":true,"parameters":{"select":{"ids":[{"first":'$long',"last":'$long'}]},"follow":true}' ;;
	Show) p='"parameters":{"select":{"newest":true}}' ;;
	Cancel) p='"parameters":{"select":{"ids":[{"first":999,"last":9999}]}}' ;;
	esac
	printf '{"method":"%s.%s",%s}\0' $job $what "$p" >message
	"$hostile" "$REEVE_SOCKET" vanish -n 50 message
done
printf '{"method":"%s.Submit","parameters":{"jobs":[{"command":["true"],"name":"vanished"}]}}\0' \
	$job >message
"$hostile" "$REEVE_SOCKET" vanish -n 50 message
head -c 40 message >half
"$hostile" "$REEVE_SOCKET" vanish -n 50 half
# on disk after all that came before it
reeve add --hold true >/dev/null
# a Submit whose client vanished was done or not, but never half: each job has its run
reeve wait --name vanished || [ $? -eq 3 ]
n=$(reeve ls --json --name vanished | jq '[.[] | select(.result == "succeeded" and .runs == 1)] | length')
assert_eq "jobs of vanished clients" "$(reeve ls --json --name vanished | jq length)" "$n"
assert_eq "the job they watched" running \
	"$(reeve ls --json | jq -r ".[] | select(.id == $long).state")"
now=$(open_files)
[ "$now" -le $((files + 12)) ] || fail "$now files are open, $files were before"

step "a client that is stopped"
reeve logs -f "$long" >followed &
cli=$!
kill -s STOP "$cli"
settle
echo >go
reeve wait "$long"
kill -s CONT "$cli"
wait "$cli"
assert_eq "what it followed" begun "$(cat followed)"

stop_reeved

step "one that reads nothing for long is let go"
cat >stall.conf <<'END'
[reeved]
stall-timeout = 200ms
END
start_reeved --config=stall.conf
hold 1 follow-it
reeved_says 1 "process $holder_pid reads nothing, closing its connection"
let_go
stop_reeved
