#!/bin/sh
# As in a container: reeved is process 1 of its own namespace, without journal, HOME or
# cgroups. It runs jobs, reaps what is left to it, and ends when it is told to.
. "${srcdir:-.}/tests/support/system.sh"
unshare --pid --fork --mount-proc true 2>/dev/null ||
	skip "namespaces of processes are not permitted here"

rm -f "$tmp/ready"
mkfifo "$tmp/ready"
env -i ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} PATH="$PATH" \
	unshare --pid --fork --mount-proc --kill-child "$REEVED" --user \
	--socket="$REEVE_SOCKET" --state-dir="$state" --ready-fd=3 \
	3>"$tmp/ready" >>"$tmp/reeved.log" 2>&1 </dev/null &
reeved_pid=$! # of unshare, which ends as reeved does
assert_eq "readiness" READY=1 "$(timeout 60 head -n 1 "$tmp/ready")"
assert_eq "its own number" 1 "$(reeve daemon status --json | jq .pid)"

step "jobs"
assert_eq "a job" ok "$(reeve run echo ok)"
assert_exit 7 reeve run -c 'exit 7'
id=$(reeve add -c 'echo $$ >&2; exec tail -f /dev/null')
settle
reeve cancel "$id"
assert_exit 1 reeve wait -q "$id"

step "orphans"
# what a job leaves behind on purpose is nobody's child when it ends
mkfifo gone
for i in 1 2 3 4 5; do
	reeve run --leftovers leave -c "(exec setsid sh -c 'exec 3>$tmp/work/gone; exit 0') & exit 0" &
done
timeout 60 cat gone >/dev/null
wait_for_runs() {
	reeve wait -q --all
}
wait_for_runs
init=$(pgrep -P "$reeved_pid" | head -n 1)
[ -n "$init" ] || fail "process 1 of the namespace is not found"
# no zombie is left in the namespace; each round trip is a chance to reap
no_zombies() {
	i=0
	while [ $i -lt 200 ]; do
		# shellcheck disable=SC2009
		zombies=$(ps -o stat= --ppid "$init" | grep -c '^Z' || :)
		[ "$zombies" -gt 0 ] || break
		settle
		i=$((i + 1))
	done
	assert_eq "zombies" 0 "$zombies"
}
no_zombies

step "a run whose spawner was killed is its own child, and it knows how that ends"
mkfifo up go
reeve add -n orphan -c "echo >up; read -r x <go; exit 7" >/dev/null
timeout 60 head -n 1 up >/dev/null
until [ "$(reeve ls -q --state running | wc -l)" -eq 1 ]; do
	settle
done
before=$(reeve daemon status --json | jq .spawner_pid)
pkill -KILL -P "$init" -x reeve-spawner
until [ "$(reeve daemon status --json | jq .spawner_pid)" -ne "$before" ] 2>/dev/null; do
	settle
done
echo go >go
assert_exit 1 reeve wait -q orphan
assert_eq "how it ended" "failed 7" \
	"$(reeve ls --json orphan | jq -r '.[0] | "\(.result) \(.exit_code)"')"
no_zombies

step "the end"
reeve daemon stop
reeved_ended
assert_eq "exit status" 0 "$reeved_status"
