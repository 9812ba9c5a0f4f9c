#!/bin/sh
# User mode needs no set-up: verbs that submit start the daemon, others say that it does
# not run; after `daemon stop` only `daemon start` starts it.
if [ "$(id -u)" -eq 0 ]; then
	# root has to start it by hand: the same as somebody else, where that can be done
	command -v setpriv >/dev/null || { echo "skipped: no setpriv"; exit 77; }
	set -e
	. "${srcdir:-.}/tests/support/programs.sh"
	dir=$(mktemp -d "${TMPDIR:-/tmp}/reeve-test.XXXXXX")
	chmod 777 "$dir"
	# copies, because nobody else may look into root's home
	mkdir -p "$dir/tests/support"
	for program in reeve reeved reeve-spawner; do
		cp "$(find_program "$(pwd)" $program)" "$dir"
	done
	cp tests/support/await_gone "${srcdir:-.}"/tests/support/*.sh "$dir/tests/support"
	cp "$0" "$dir/tests/autostart.sh"
	status=0
	(cd "$dir" && TMPDIR=$dir srcdir=. setpriv --reuid=65534 --regid=65534 \
		--clear-groups sh tests/autostart.sh) || status=$?
	rm -rf "$dir"
	exit "$status"
fi
. "${srcdir:-.}/tests/support/system.sh"
unset REEVE_SOCKET
export XDG_STATE_HOME="$tmp/xdg-state"
no_manager() {
	# a user manager that knows an installed reeved.service would be asked
	! systemctl --user cat reeved.service >/dev/null 2>&1
}
no_manager || skip "the user manager would start an installed reeved"

# the daemon is nobody's child here: by its pid from `daemon status`
daemon_pid() {
	reeve daemon status --json | jq .pid
}

step "nothing is started by those that only look"
for verb in "ls" "show 1" "logs 1" "wait 1" "daemon ping" "daemon status"; do
	# shellcheck disable=SC2086
	assert_exit 5 reeve $verb 2>"$tmp/err"
	assert_match "$verb" "*not running*" "$(cat "$tmp/err")"
done
[ ! -e "$XDG_STATE_HOME/reeve" ] || fail "looking made a state directory"

step "nor by those that submit, where that is forbidden"
assert_exit 5 reeve add true 2>"$tmp/err"
assert_match "why" "*REEVE_AUTOSTART=0*" "$(cat "$tmp/err")"
assert_exit 125 reeve run true 2>/dev/null

step "two at once get one daemon"
unset REEVE_AUTOSTART
reeve add true >"$tmp/one" &
reeve add true >"$tmp/two"
wait $!
assert_eq "ids" "1 2" "$(sort "$tmp/one" "$tmp/two" | xargs)"
reeve wait 1 2
pid=$(daemon_pid)
assert_eq "cwd" / "$(readlink "/proc/$pid/cwd")"
assert_eq "umask" 0077 "$(awk '/^Umask/ { print $2 }' "/proc/$pid/status")"
tr '\0' '\n' <"/proc/$pid/environ" | sed 's/=.*//' | sort >"$tmp/env"
assert_eq "environment" "" "$(grep -vxE \
	'PATH|HOME|USER|LOGNAME|SHELL|XDG_RUNTIME_DIR|XDG_STATE_HOME|XDG_CONFIG_HOME' \
	"$tmp/env" | xargs)"
assert_eq "socket" "$XDG_RUNTIME_DIR/reeve/control.sock" \
	"$(reeve daemon status --json | jq -r .socket)"

step "stopped, it says what is queued and stays stopped"
reeve add --hold true >/dev/null
reeve daemon stop
assert_exit 5 reeve ls 2>"$tmp/err"
assert_match "not running" "*not running*1 held*" "$(cat "$tmp/err")"
assert_exit 5 reeve add true 2>"$tmp/err"
assert_match "stopped" "*daemon start*" "$(cat "$tmp/err")"
reeve daemon start
assert_eq "state" held "$(reeve ls --json | jq -r '.[-1].state' | head -n 1)"
reeve add true >/dev/null

step "a restart touches no job, and none comes of a broken configuration"
job=$(reeve add sleep 1000)
until [ "$(reeve ls --json "$job" | jq -r '.[0].state')" = running ]; do
	reeve wait -t 10ms "$job" || :
done
job_pid=$(reeve ls --json "$job" | jq '.[0].pid')
pid=$(daemon_pid)
mkdir -p "$XDG_CONFIG_HOME/reeve"
printf '[reeved]\ndurabilty = full\nnonsense = 1\n' >"$XDG_CONFIG_HOME/reeve/reeve.conf"
assert_exit 1 reeve daemon restart 2>"$tmp/err"
assert_match "what is wrong" "*reeve.conf:2:*reeve.conf:3:*" "$(xargs -0 <"$tmp/err")"
assert_eq "the same daemon" "$pid" "$(daemon_pid)"
rm "$XDG_CONFIG_HOME/reeve/reeve.conf"
reeve daemon restart
[ "$(daemon_pid)" != "$pid" ] || fail "it is the same daemon"
assert_eq "the job" "running $job_pid" \
	"$(reeve ls --json "$job" | jq -r '.[0] | "\(.state) \(.pid)"')"
assert_eq "problems" healthy "$(reeve daemon health)"
assert_eq "ids go on" "$((job + 1))" "$(reeve add true)"
reeve cancel "$job"
reeve wait -q "$job" || :
assert_exit 2 reeve daemon stop --mode sometimes 2>/dev/null
reeve daemon stop

step "all that is wrong is said, a line for each, when it cannot start"
printf '[reeved]\ndurabilty = full\nnonsense = 1\n' >"$XDG_CONFIG_HOME/reeve/reeve.conf"
assert_exit 5 reeve daemon start 2>"$tmp/err"
assert_eq "lines" 3 "$(wc -l <"$tmp/err")"
assert_match "the last" "reeve: *reeve.conf:3:*nonsense*" "$(tail -n 1 "$tmp/err")"
rm "$XDG_CONFIG_HOME/reeve/reeve.conf"

step "its log is bounded, also where a job writes to it"
reeve daemon start
log=$(reeve daemon status --json | jq -r .state_dir)/reeved.log
reeve wait "$(reeve add --output inherit -c 'head -c 3000000 /dev/zero | tr "\0" x; echo')"
i=0
# it may be turned over in the midst of what the job writes, and once more after it
until grep -q "the log had grown to 1024 KiB" "$log" &&
	[ "$(stat -c %s "$log")" -lt 1048576 ]; do
	settle
	i=$((i + 1))
	[ $i -lt 2000 ] || fail "$log has $(stat -c %s "$log") bytes"
done
n=$(stat -c %s "$log.old")
{ [ "$n" -gt 0 ] && [ "$n" -le 1048576 ]; } || fail "$log.old has $n bytes"
reeve daemon stop

step "a restart leaves it where it was started"
reeve daemon start --state-dir "$tmp/elsewhere" --config /dev/null
reeve daemon restart
assert_eq "place" "$tmp/elsewhere /dev/null" \
	"$(reeve daemon status --json | jq -r '"\(.state_dir) \(.config_file)"')"
reeve daemon stop
