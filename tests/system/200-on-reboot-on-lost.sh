#!/bin/sh
# A run whose end nobody can tell is lost: held, run again, or finished, as the job says.
# The machine's reboot is played by another boot id in the records; the spawner is killed
# with its jobs.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 8
END
python3 -c 'import sqlite3' 2>/dev/null || skip "no python3 with sqlite3"
# change ASSIGNMENT: of the records of all runs
change() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE run SET " + sys.argv[2])
db.commit()' "$state/reeve.db" "$1"
}
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
# a job may say that it runs before reeved has heard of it from the spawner
until [ "$(reeve ls -q --state running | wc -l)" -eq 3 ]; do
	settle
done
pids=$(reeve ls --json --state running | jq '.[].pid')
kill -s KILL "$reeved_pid"
reeved_ended
kill -s KILL "$spawner"
for pid in $pids; do
	kill -s KILL -- "-$pid"
done
await_gone 10
# Who reaps them is not ours to say, and a zombie would still tell how it ended: the pids
# are those of strangers now.
change "pid_start = pid_start + 1"
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
begun hold --on-reboot hold >/dev/null
begun rerun --on-reboot rerun >/dev/null
begun lost --on-reboot lost >/dev/null
spawner=$(reeve daemon status --json | jq .spawner_pid)
# a job may say that it runs before reeved has heard of it from the spawner
until [ "$(reeve ls -q --state running | wc -l)" -eq 3 ]; do
	settle
done
pids=$(reeve ls --json --state running | jq '.[].pid')
kill -s KILL "$reeved_pid"
reeved_ended
kill -s KILL "$spawner"
for pid in $pids; do
	kill -s KILL -- "-$pid"
done
await_gone 10
change "boot_id = '00000000000000000000000000000000'"
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
