#!/bin/sh
# The file system of the state directory is full: submits are refused with a clear text,
# running jobs and the daemon go on, ends are kept and recorded when there is space again.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/small_disk.sh"
cat >some.conf <<'EOF'
[reeved]
min-free = 0
[pool default]
slots = 8
EOF

start_reeved --config=some.conf
mkfifo go
running=$(reeve add -c "read -r x <'$tmp/work/go'; exit 7")
quick=$(reeve add echo early)
reeve wait "$quick"

step "full"
fill
refused=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	code=0
	reeve add --hold true >/dev/null 2>error || code=$?
	case $code in
	0) fill ;; # it still found a page
	6)
		refused=1
		break
		;;
	*) fail "exit status $code: $(cat error)" ;;
	esac
done
assert_eq "refused" 1 "$refused"
assert_match "what reeve says" "*no space left*" "$(cat error)"
settle
assert_eq "the running job" running \
	"$(reeve ls --json | jq -r ".[] | select(.id == $running).state")"
assert_eq "an old log" early "$(reeve logs "$quick")"
assert_exit 6 reeve add true 2>/dev/null
n=$(reeve ls -q | wc -l)

step "a change of a job that runs, refused, has no effect"
hours=1
while reeve set "$running" timeout="${hours}h" >/dev/null 2>error; do
	fill # it still found a page
	hours=$((hours + 1))
done
assert_match "what set says" "*job $running: *o space left*" "$(cat error)"
timeout=$(reeve show --json "$running" | jq .spec.timeout_usec)
[ "$timeout" != $((hours * 3600000000)) ] || fail "the job has the timeout that was refused"
assert_exit 1 reeve set "$running" timeout=1ms 2>/dev/null # else it is stopped
assert_eq "its timeout" "$timeout" "$(reeve show --json "$running" | jq .spec.timeout_usec)"
settle

step "a job ends while nothing can be recorded"
echo >go
settle
assert_exit 124 reeve wait -t 300ms "$running"
# Once its end is known, which cannot be recorded, verbs do not wait for that.
while reeve kill -s CONT "$running" 2>error; do settle; done
assert_match "what a verb says" "*o space left*" "$(cat error)"
settle

step "space again"
rm -f "$state/filler" "$state/filler2"
assert_exit 1 reeve wait -q -t 60s "$running"
assert_eq "its exit code" 7 "$(reeve ls --json | jq -r ".[] | select(.id == $running).exit_code")"
id=$(reeve add echo healed)
reeve wait "$id"
assert_eq "a new job" healed "$(reeve logs "$id")"
assert_eq "jobs" $((n + 1)) "$(reeve ls -q | wc -l)"

step "no number is given out twice"
kill -s KILL "$reeved_pid"
reeved_ended
start_reeved --config=some.conf
next=$(reeve add true)
[ "$next" -gt "$id" ] || fail "$next after $id"
assert_eq "after a crash" 7 "$(reeve ls --json | jq -r ".[] | select(.id == $running).exit_code")"

step "full under min-free: nothing starts, and it says so"
stop_reeved
sed -i 's/^min-free.*/min-free = 1G/' some.conf
start_reeved --config=some.conf
id=$(reeve add true)
settle
assert_eq "state" queued "$(reeve ls --json | jq -r ".[] | select(.id == $id).state")"
assert_match "why" "*min-free*" "$(reeve show "$id")"
stop_reeved
umount "$state"
trap finish EXIT
