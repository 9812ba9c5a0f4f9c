#!/bin/sh
# A run whose end nobody can tell is lost: held, run again, or finished, as the job says.
# The machine's reboot is played by another boot id in the records; the spawner is killed
# with its jobs.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 8
END
start_reeved --config="$tmp/conf" --shutdown=detach
mkfifo "$tmp/started"
# begun OPTION...: a job that says so when it runs, and whose second run ends at once
begun() {
	reeve add -n "$1" "$2" "$3" -c "echo >'$tmp/started'
		[ ! -e '$tmp/second' ] || exit 0
		exec sleep 1000"
	head -n 1 "$tmp/started" >/dev/null
}
judge() {
	assert_eq "$1" "$2" "$(reeve ls --json "$1" | jq -r '.[0] | "\(.state) \(.result) \(.runs)"')"
}
step "the spawner and its jobs are killed while no daemon runs"
begun hold --on-lost hold >/dev/null
begun rerun --on-lost rerun >/dev/null
begun lost --on-lost lost >/dev/null
queued=$(reeve add --hold true)
spawner=$(reeve daemon status --json | jq .spawner_pid)
pids=$(reeve ls --json --state running | jq '.[].pid')
kill -s KILL "$reeved_pid"
reeved_ended
kill -s KILL "$spawner"
for pid in $pids; do
	kill -s KILL -- "-$pid"
done
await_gone 10
: >"$tmp/second"
timeout 60 head -n 1 "$tmp/started" >/dev/null &
again=$!
start_reeved --config="$tmp/conf" --shutdown=detach
wait "$again"
reeve wait rerun
judge hold "held lost 1"
judge rerun "finished succeeded 2"
judge lost "finished lost 1"
judge "$queued" "held null 0"
reeve cancel hold
reeve rm hold rerun lost
rm "$tmp/second"

step "the machine was started anew"
if ! command -v sqlite3 >/dev/null; then
	echo "no sqlite3: a reboot was not tried"
	stop_reeved --mode terminate
	exit 0
fi
begun hold --on-reboot hold >/dev/null
begun rerun --on-reboot rerun >/dev/null
begun lost --on-reboot lost >/dev/null
spawner=$(reeve daemon status --json | jq .spawner_pid)
pids=$(reeve ls --json --state running | jq '.[].pid')
kill -s KILL "$reeved_pid"
reeved_ended
kill -s KILL "$spawner"
for pid in $pids; do
	kill -s KILL -- "-$pid"
done
await_gone 10
column=$(sqlite3 "$state/reeve.db" "SELECT name FROM pragma_table_info('run')
	WHERE name LIKE '%boot%' LIMIT 1")
[ -n "$column" ] || fail "the records have no boot id any more"
sqlite3 "$state/reeve.db" "UPDATE run SET $column = '00000000000000000000000000000000'"
: >"$tmp/second"
timeout 60 head -n 1 "$tmp/started" >/dev/null &
again=$!
start_reeved --config="$tmp/conf"
wait "$again"
reeve wait rerun
judge hold "held lost 1"
judge rerun "finished succeeded 2"
judge lost "finished lost 1"
stop_reeved
