#!/bin/sh
# Every limit of the configuration at its edge: exactly at it works, one more is refused
# with the name of the key.
. "${srcdir:-.}/tests/support/system.sh"
hostile="$build/tests/support/hostile"
job=io.reeve.Job

# with LINES...: a daemon with these settings
with() {
	[ -z "$reeved_pid" ] || stop_reeved
	{
		echo "[reeved]"
		printf '%s\n' "$@"
	} >limits.conf
	step "$@"
	rm -rf "$state"
	start_reeved --config=limits.conf
}

talk() {
	"$hostile" "$REEVE_SOCKET" talk -n 1
}

# specs N: that many jobs that are held
specs() {
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "%s{\"command\":[\"true\"],\"hold\":true}", i ? "," : ""
	}'
}

submit() {
	printf '{"method":"%s.Submit","parameters":{"jobs":[%s]}}\0' $job "$1" | talk
}

# limited KEY MAXIMUM REPLY
limited() {
	assert_eq "past $1" \
		"{\"error\":\"$job.LimitReached\",\"parameters\":{\"limit\":\"$1\",\"maximum\":$2}}" \
		"$3"
}

# await_running ID
await_running() {
	i=0
	while [ "$(reeve show "$1" --json | jq -r .job.state)" != running ]; do
		i=$((i + 1))
		[ $i -lt 1000 ] || fail "job $1 does not run"
	done
}

with "submit-max = 5"
assert_match "at submit-max" '{"parameters":{"ids":?1,2,3,4,5?}}' "$(submit "$(specs 5)")"
limited submit-max 5 "$(submit "$(specs 6)")"
yes true | head -n 23 | reeve add --hold --batch - >ids
assert_eq "a longer batch" "$(seq 6 28 | xargs)" "$(xargs <ids)"
yes true | head -n 7 | reeve add --hold --key k --batch - >ids
stop_reeved
sed 's/= 5/= 3/' limits.conf >less.conf
start_reeved --config=less.conf
yes true | head -n 9 | reeve add --hold --key k --batch - >again
assert_eq "the same key with another limit" "$(seq 29 37 | xargs)" "$(xargs <again)"
assert_eq "jobs" 37 "$(reeve ls -q | wc -l)"

with "jobs-max = 7"
assert_match "at jobs-max" '*"ids"*' "$(submit "$(specs 7)")"
limited jobs-max 7 "$(submit "$(specs 1)")"
assert_exit 6 reeve add true 2>error
assert_match "what reeve says" "*jobs-max*7*" "$(cat error)"
reeve cancel 3
assert_match "room again" '*"ids"*' "$(submit "$(specs 1)")"
limited jobs-max 7 "$(submit "$(specs 1)")"

with "jobs-per-user-max = 3"
assert_match "at jobs-per-user-max" '*"ids"*' "$(submit "$(specs 3)")"
limited jobs-per-user-max 3 "$(submit "$(specs 1)")"
# calls that come together do not slip through side by side
reeve cancel 1 2 3
{
	printf '{"method":"%s.Submit","parameters":{"jobs":[%s]}}\0' $job "$(specs 2)"
	printf '{"method":"%s.Submit","parameters":{"jobs":[%s]}}\0' $job "$(specs 2)"
} | "$hostile" "$REEVE_SOCKET" talk -n 2 >replies
assert_eq "of two at once" 1 "$(grep -c '"ids"' replies)"
assert_eq "of two at once" 1 "$(grep -c jobs-per-user-max replies)"

with "input-max = 1000"
head -c 1000 /dev/zero >input
assert_eq "at input-max" 1000 "$(reeve run wc -c <input)"
echo >>input
assert_exit 125 reeve run wc -c <input 2>error
assert_match "what reeve says" "*input-max*1000*" "$(cat error)"
# the first job has its own as long as it may be run again; of the second nothing is left
assert_eq "inputs that are left" 1 "$(find "$state/input" -type f | wc -l)"
reeve rm 1
assert_eq "inputs that are left" 0 "$(find "$state/input" -type f | wc -l)"

with "environments-max = 1M" "message-max = 16M"
# "A=" + value + NUL
env_of() {
	printf '{"method":"%s.Submit","parameters":{"jobs":[{"command":["true"],"hold":true}],"env":["A=' $job
	head -c "$1" /dev/zero | tr '\0' "$2"
	printf '"]}}\0'
}
assert_match "at environments-max" '*"ids":?1?*' "$(env_of $((1048576 - 3)) a | talk)"
# the same again is no other one
assert_match "the same again" '*"ids":?2?*' "$(env_of $((1048576 - 3)) a | talk)"
limited environments-max 1048576 "$(env_of 1 b | talk)"
reeve cancel 1 2
reeve rm 1 2
assert_match "room again" '*"ids"*' "$(env_of $((1048576 - 3)) b | talk)"
limited environments-max 1048576 "$(env_of 1 c | talk)"

put_input() {
	printf '{"method":"%s.PutInput","parameters":{"data_b64":"YQ==","last":true}}\0' $job
}
with "untaken-inputs-max = 2"
{
	put_input
	put_input
	put_input
} | "$hostile" "$REEVE_SOCKET" talk -n 3 >replies
assert_eq "at untaken-inputs-max" 2 "$(grep -c '"input"' replies)"
# where only the whole is set, that of one user follows, and is as soon reached
limited untaken-inputs-max 2 "$(put_input | talk)"
with "untaken-inputs-per-user-max = 1"
assert_match "at untaken-inputs-per-user-max" '*"input"*' "$(put_input | talk)"
limited untaken-inputs-per-user-max 1 "$(put_input | talk)"

with "submit-keys-max = 2"
for key in a b c; do
	reeve add --key $key true
done
assert_eq "a key that is remembered" 3 "$(reeve add --key c true)"
assert_eq "a key that is remembered" 2 "$(reeve add --key b true)"
# the oldest was forgotten, but its call is not run a second time
assert_exit 6 reeve add --key a true 2>error
assert_eq "jobs" 3 "$(reeve ls --all -q | wc -l)"

with "functions-max = 1"
# functions take no slot: it is this that the second waits for
printf '{"function":"sleep","arguments":{"seconds":%s}}\n' 1000 1000 | reeve add --batch -
await_running 1
assert_eq "past functions-max" "running queued" \
	"$(reeve ls --json | jq -r '[sort_by(.id)[].state] | join(" ")')"
assert_match "what it waits for" "*1 of 1 functions go on (functions-max)*" \
	"$(reeve show 2 --json | jq -r .why)"
reeve cancel 1
await_running 2
reeve cancel 2

with "message-max = 16K"
sized() {
	printf '{"method":"io.reeve.Daemon.Ping"'
	head -c $(($1 - 33)) /dev/zero | tr '\0' ' '
	printf '}\0'
}
assert_eq "at message-max" '{"parameters":{}}' "$(sized 16384 | talk)"
assert_match "past message-max" '*"message over 16384 bytes"*' "$(sized 16385 | talk)"
seq 400 | sed 's/.*/echo & and so much more that it takes several calls/' |
	env -i "$REEVE" --socket "$REEVE_SOCKET" add -l many --hold --batch - >ids
assert_eq "a batch" 400 "$(wc -l <ids)"
reeve ls -q | awk 'NR % 2' | reeve rm --force -
assert_eq "many ids" 200 "$(reeve ls -q -l many | wc -l)"
head -c 50000 /dev/zero >input
assert_eq "input" 50000 \
	"$(env -i PATH="$PATH" "$REEVE" --socket "$REEVE_SOCKET" run wc -c <input)"
long=$(head -c 16384 /dev/zero | tr '\0' x)
assert_exit 6 reeve add -c ": $long" 2>error
assert_match "what reeve says" "*message-max = 16384*" "$(cat error)"
echo ": $long" >line
assert_exit 6 reeve add --batch line 2>error
assert_match "what reeve says" "*line 1*message-max = 16384*" "$(cat error)"

with "executor-threads = 1" "executor-queue-max = 1"
# one is being hashed, one waits for the thread, the others for a place: none fails by it
head -c 2000000 /dev/zero >zeros
i=0
while [ $i -lt 50 ]; do
	printf '{"function":"file.hash","arguments":{"path":"%s"}}\n' "$tmp/work/zeros"
	i=$((i + 1))
done | reeve add --batch - >/dev/null
reeve wait --all
assert_eq "past executor-queue-max" 50 \
	"$(reeve ls --json | jq '[.[] | select(.result == "succeeded")] | length')"
stop_reeved

with "keep-finished-max = 3" "keep-finished = 30d"
for i in 1 2 3 4 5; do
	reeve run true
done
reeve wait --all
# retention goes on behind the replies: it is over when the oldest is gone
i=0
while [ "$(reeve ls -q | wc -l)" -gt 3 ] && [ $i -lt 200 ]; do
	settle
	i=$((i + 1))
done
assert_eq "kept" "3 4 5" "$(reeve ls -q | sort -n | tr '\n' ' ' | sed 's/ $//')"
assert_exit 3 reeve show 1 2>error
assert_match "what became of it" "*removed*" "$(cat error)"

with "output-total-max = 1M"
for i in 1 2 3; do
	reeve run -c 'head -c 400000 /dev/zero' >/dev/null
done
i=0
while [ "$(du -sb "$state/output" | cut -f 1)" -gt 1500000 ] && [ $i -lt 200 ]; do
	settle
	i=$((i + 1))
done
assert_eq "the newest output" 400000 "$(reeve logs 3 | wc -c)"
assert_exit 0 reeve show 1 >/dev/null
stop_reeved
