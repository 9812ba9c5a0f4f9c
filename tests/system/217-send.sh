#!/bin/sh
# send: the stdin of a job that was submitted with --stdin-open.
. "${srcdir:-.}/tests/support/system.sh"
# what a sanitizer keeps of freed memory is not what the daemon holds
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1"
cat >"$tmp/conf" <<-END
	[reeved]
	send-waiting-max = 2
	shutdown = detach
	[pool default]
	slots = 8
	[pool full]
	slots = 1
END
start_reeved --config="$tmp/conf"
mkfifo "$tmp/told" "$tmp/go"
told() {
	timeout 60 head -n 1 "$tmp/told"
}
# a full pipe: what goes in before it is full is said
fill() {
	assert_exit 1 reeve send --timeout 1ms "$1" </dev/zero 2>err
	assert_match "a full pipe" "reeve: job $1 reads nothing; [1-9]* bytes went in" "$(cat err)"
	filled=$(sed 's/.*; \([0-9]*\) bytes.*/\1/' err)
}
shown() {
	reeve show --json "$1" | jq .stdin_open
}
# begun ID: until it is started, or is being started
begun() {
	until [ "$(reeve ls --json "$1" | jq -r '.[0].state')" != queued ]; do
		settle
	done
}
# three_send ID: of three calls two may wait: $kept are their numbers, pid1 ... the processes
three_send() {
	rm -f err1 err2 err3
	for i in 1 2 3; do
		"$REEVE" send "$1" "text $i" 2>"err$i" &
		eval "pid$i=\$!"
	done
	until grep -qs send-waiting-max err1 err2 err3; do
		settle
	done
	kept=
	for i in 1 2 3; do
		grep -q send-waiting-max "err$i" && refused=$i || kept="$kept $i"
	done
	assert_eq "the limit" \
		"reeve: the daemon refuses: the limit send-waiting-max = 2 is reached" \
		"$(cat "err$refused")"
	assert_ended 6 "$refused"
}
# assert_ended STATUS NUMBER
assert_ended() {
	status=0
	eval "wait \$pid$2" || status=$?
	assert_eq "exit status of the call $2" "$1" "$status"
}

step "what is sent is read, and the end ends it"
id=$(reeve add --stdin-open cat)
begun "$id"
reeve send "$id" one two
reeve send "$id" -n thr
printf 'ee\nfour\n' | reeve send "$id"
assert_eq "shown" true "$(shown "$id")"
assert_match "shown to people" "*stdin-open*yes*" "$(reeve show "$id" | tr '\n' ' ')"
reeve send --eof "$id" -- -five
reeve wait "$id"
assert_eq "read" "one two
three
four
-five" "$(reeve logs "$id")"
assert_eq "of a finished one nothing is said" null "$(shown "$id")"

step "as JSON"
id=$(reeve add --stdin-open cat)
begun "$id"
assert_eq "reply" "{\"id\":$id,\"run\":1,\"sent\":3}" "$(reeve send --json "$id" ab | jq -c .)"
reeve send --eof "$id" </dev/null
reeve wait "$id"

step "the end is sent whatever patience there is"
id=$(reeve add --stdin-open cat)
begun "$id"
reeve send "$id" one
reeve send --timeout 0 --eof "$id" two
reeve wait "$id"
assert_eq "read" "one
two" "$(reeve logs "$id")"

step "only to jobs that have it open and run"
assert_exit 1 reeve send "$id" x 2>err
assert_eq "finished" "reeve: job $id is finished" "$(cat err)"
id=$(reeve add --hold --stdin-open cat)
assert_exit 1 reeve send "$id" x 2>err
assert_eq "held" "reeve: job $id is held" "$(cat err)"
reeve cancel "$id"
id=$(reeve add -- sh -c "echo >'$tmp/told'; exec tail -f /dev/null")
told
assert_exit 1 reeve send "$id" x 2>err
assert_eq "not open" "reeve: job $id was not submitted with --stdin-open" "$(cat err)"
reeve cancel "$id"
assert_exit 3 reeve send 999 x
assert_exit 2 reeve send
assert_exit 2 reeve send - x
assert_exit 2 reeve send "$id-$((id + 1))" x
assert_exit 2 reeve send --timeout soon "$id" x
assert_exit 2 reeve varlink io.reeve.Job.Send '{"select":{"newest":true},"data_b64":"?"}'
assert_exit 2 reeve varlink io.reeve.Job.Send '{"select":{"newest":true}}'

step "stdin is either open or from somewhere"
assert_exit 2 reeve add --stdin-open --stdin /etc/passwd cat 2>err
assert_match "both" "*stdin-open and stdin cannot both be given, which is: '/etc/passwd'" \
	"$(cat err)"
assert_exit 2 reeve add --stdin-open --function sleep 2>err
assert_match "a function" "*stdin-open: a function reads no stdin" "$(cat err)"
id=$(reeve add --stdin-open --stdin null -- sh -c "cat; echo >'$tmp/told'")
reeve send --eof "$id" null is none
told
reeve wait "$id"
echo not this | reeve run --stdin-open -n its-own -- head -n 1 >out &
until reeve send its-own this 2>/dev/null; do
	settle
done
wait $!
assert_eq "run passes nothing else" this "$(cat out)"

step "a job that has closed it"
id=$(reeve add --stdin-open -- sh -c "exec <&-; echo >'$tmp/told'; exec tail -f /dev/null")
told
assert_exit 1 reeve send "$id" x 2>err
assert_eq "closed" "reeve: job $id has closed its stdin; 0 bytes went in" "$(cat err)"
reeve cancel "$id"

step "after the end nothing more, and the end again"
id=$(reeve add --stdin-open -- sh -c "cat; echo >'$tmp/told'; exec tail -f /dev/null")
begun "$id"
reeve send --eof "$id" last
told
assert_exit 1 reeve send "$id" more 2>err
assert_eq "eof" "reeve: the end of job $id's stdin was sent before; 0 bytes went in" \
	"$(cat err)"
reeve send --eof "$id" </dev/null 2>err || true
assert_exit 0 reeve varlink io.reeve.Job.Send \
	"{\"select\":{\"ids\":[{\"first\":$id,\"last\":$id}]},\"eof\":true}"
assert_eq "shown" false "$(shown "$id")"
reeve cancel "$id"

step "a full pipe waits, for a while, and the job ends nevertheless"
id=$(reeve add --stdin-open -- sh -c "echo >'$tmp/told'; read x <'$tmp/go'; exec wc -c")
told
fill "$id"
head -c 100000 /dev/zero | tr '\0' x | reeve send "$id" 2>err &
sender=$!
echo >"$tmp/go"
wait "$sender"
reeve send --eof "$id" </dev/null
reeve wait "$id"
assert_eq "read" $((filled + 100000)) "$(reeve logs "$id")"

step "so many wait, and are told when the job ends"
id=$(reeve add --stdin-open -- sh -c "echo >'$tmp/told'; exec tail -f /dev/null")
told
fill "$id"
three_send "$id"
reeve cancel "$id"
reeve wait "$id" || true
for i in $kept; do
	assert_ended 1 "$i"
	assert_eq "said" "reeve: job $id has ended; 0 bytes went in" "$(cat "err$i")"
done

step "one that dies waits no more"
id=$(reeve add --stdin-open -- sh -c "echo >'$tmp/told'; read x <'$tmp/go'; exec cat >'$tmp/out'")
told
fill "$id"
three_send "$id"
# shellcheck disable=SC2086 # two words
set -- $kept
eval "kill -s KILL \$pid$1"
eval "wait \$pid$1" || true
until ! reeve send --timeout 1ms "$id" probe 2>err && grep -q "reads nothing" err; do
	settle
done
echo >"$tmp/go"
assert_ended 0 "$2"
reeve send --eof "$id" end
reeve wait "$id"
assert_eq "the rest" "text $2
end" "$(tr -d '\0' <"$tmp/out")"

step "calls do not mix"
id=$(reeve add --stdin-open -- sh -c "uniq -c")
begun "$id"
a=$(head -c 8000 /dev/zero | tr '\0' a)
b=$(head -c 8000 /dev/zero | tr '\0' b)
for text in "$a" "$b"; do
	(for i in 1 2 3 4 5 6 7 8 9 10; do
		reeve send "$id" "$text"
	done) &
	senders="${senders:-} $!"
done
for pid in $senders; do
	wait "$pid"
done
reeve send --eof "$id" </dev/null
reeve wait "$id"
assert_eq "lines that are none of theirs" 0 \
	"$(reeve logs "$id" | awk '$2 !~ /^(a+|b+)$/ || length($2) != 8000 { n++ } END { print n + 0 }')"
assert_eq "lines" 20 "$(reeve logs "$id" | awk '{ n += $1 } END { print n }')"

step "ten megabytes, in constant memory"
head -c 10485760 /dev/urandom >"$tmp/data"
id=$(reeve add --stdin-open md5sum)
begun "$id"
reeve send "$id" a >/dev/null
before=$(awk '/^VmHWM/ { print $2 }' "/proc/$reeved_pid/status")
reeve send --eof "$id" <"$tmp/data"
after=$(awk '/^VmHWM/ { print $2 }' "/proc/$reeved_pid/status")
reeve wait "$id"
assert_eq "sum" "$( (echo a && cat "$tmp/data") | md5sum)" "$(reeve logs "$id")"
[ $((after - before)) -lt 4096 ] || fail "reeved grew by $((after - before)) KiB"

step "it stays open while the daemon is killed, stopped, and started again"
id=$(reeve add --stdin-open -- sh -c \
	"while read x; do echo \"got \$x\"; echo \"\$x\" >'$tmp/told'; done; echo the end")
begun "$id"
reeve send "$id" one
assert_eq "before" one "$(told)"
kill -s KILL "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
reeve send "$id" two
assert_eq "after a crash" two "$(told)"
stop_reeved
start_reeved --config="$tmp/conf"
reeve send "$id" three
assert_eq "after a stop" three "$(told)"
reeve send --eof "$id" </dev/null
reeve wait "$id"
assert_eq "read" "got one
got two
got three
the end" "$(reeve logs "$id")"

step "the end that was sent outlives the daemon too"
id=$(reeve add --stdin-open -- sh -c "cat; echo >'$tmp/told'; exec tail -f /dev/null")
begun "$id"
reeve send --eof "$id" x
kill -s KILL "$reeved_pid"
reeved_ended
told
start_reeved --config="$tmp/conf"
assert_eq "shown" false "$(shown "$id")"
assert_exit 1 reeve send "$id" x 2>err
assert_match "said" "*was sent before*" "$(cat err)"
reeve cancel "$id"

step "who waits when the daemon stops is told how far it came"
id=$(reeve add --stdin-open -- sh -c "echo >'$tmp/told'; read x <'$tmp/go'; exec cat >/dev/null")
told
fill "$id"
three_send "$id"
stop_reeved
for i in $kept; do
	assert_ended 1 "$i"
	assert_eq "said" "reeve: the daemon is shutting down; 0 bytes went to job $id" \
		"$(cat "err$i")"
done
start_reeved --config="$tmp/conf"
echo >"$tmp/go"
reeve send --eof "$id" </dev/null
reeve wait "$id"

step "a retry has one of its own"
id=$(reeve add --stdin-open cat)
begun "$id"
reeve send --eof "$id" first
reeve wait "$id"
reeve retry "$id"
begun "$id"
reeve send --eof "$id" second
reeve wait "$id"
assert_eq "first" first "$(reeve logs --run 1 "$id")"
assert_eq "second" second "$(reeve logs --run 2 "$id")"

step "when the spawner is killed, this daemon still has it; the next does not"
id=$(reeve add --stdin-open -- sh -c \
	"echo ready >'$tmp/told'; while read x; do echo \"\$x\" >'$tmp/told'; done; echo end >'$tmp/told'
	exec tail -f /dev/null")
assert_eq "ready" ready "$(told)"
until [ "$(reeve ls -q --state running | wc -l)" -eq 1 ]; do
	settle
done
kill_spawner
reeve send "$id" still
assert_eq "still" still "$(told)"
kill -s KILL "$reeved_pid"
reeved_ended
assert_eq "nobody keeps it" end "$(told)"
start_reeved --config="$tmp/conf"
assert_exit 1 reeve send "$id" x 2>err
assert_eq "said" "reeve: the stdin of job $id was closed when its spawner was killed; \
0 bytes went in" "$(cat err)"
reeve cancel "$id"
reeve wait "$id" || true
id=$(reeve add --stdin-open -- sh -c "echo >'$tmp/told'; cat; echo >'$tmp/told'")
told
until [ "$(reeve ls -q --state running | wc -l)" -eq 1 ]; do
	settle
done
spawner=$(reeve daemon status --json | jq .spawner_pid)
kill -s KILL "$spawner"
reeve send --eof "$id" and an end
told

step "it can be changed until it runs"
id=$(reeve add --hold cat)
reeve set "$id" stdin-open=yes
assert_exit 1 reeve set "$id" stdin=/etc/passwd
reeve release "$id"
until reeve send --eof "$id" changed 2>/dev/null; do
	settle
done
reeve wait "$id"
assert_eq "read" changed "$(reeve logs "$id")"
stop_reeved

step "of other users' jobs nobody has it but root"
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
	echo "not tested: only root can be two users" >&2
	exit
fi
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
chmod 711 "$tmp"
if ! nobody "$REEVE" version >/dev/null 2>&1; then
	echo "not tested: others cannot reach the build folder" >&2
	exit
fi
chmod 666 "$tmp/told"
# shellcheck disable=SC2034  # start_reeved reads it
reeved_mode=--system
start_reeved --config="$tmp/conf"
id=$(nobody "$REEVE" add --stdin-open -- sh -c "echo \$\$ >'$tmp/told'; exec cat /dev/stdin")
pid=$(told)
nobody "$REEVE" send "$id" from its owner
reeve send --user nobody "$id" from root
assert_exit 3 reeve send "$id" whose
nobody sh -c "echo by its name >/proc/$pid/fd/0"
if setpriv --reuid 65533 --regid 65533 --clear-groups \
	sh -c "echo a stranger >/proc/$pid/fd/0" 2>/dev/null; then
	fail "a stranger may write to it"
fi
nobody "$REEVE" send --eof "$id" </dev/null
nobody "$REEVE" wait "$id"
assert_eq "read" "from its owner
from root
by its name" "$(nobody "$REEVE" logs "$id")"
id=$(reeve add --stdin-open -- sh -c "echo >'$tmp/told'; exec cat")
told
assert_exit 4 nobody "$REEVE" send "$id" x
reeve send --eof "$id" </dev/null
reeve wait "$id"
assert_eq "read" "" "$(reeve logs "$id")"
stop_reeved
