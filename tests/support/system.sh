# shellcheck shell=sh
# shellcheck disable=SC2120 # most callers give start_reeved and stop_reeved no arguments
# For system tests: a real daemon on a socket and state directory of its own, and the
# promise that nothing of it is left when the test ends, however it ends.
#
#	#!/bin/sh
#	. "${srcdir:-.}/tests/support/system.sh"
#	start_reeved
#	id=$(reeve add true)
#	reeve wait "$id"
#	assert_eq "state" finished "$(reeve ls --json | jq -r '.[0].state')"
#
# Run by make check in the build directory. By hand, there too:
#	srcdir=../.. sh ../../tests/system/000-start-stop.sh
# Environment: KEEP=1 leaves the directory (the daemon's log is in it), TRACE=1 shows
# every command.
#
# What a test may use: $tmp (its directory; its working directory is $tmp/work), $state,
# $REEVE_SOCKET, $REEVE and $REEVED (the programs), $reeved_pid, and the functions below.
# There is no sleeping: what happens is waited for (reeve wait, settle, await_gone).
set -eu

build=$(pwd)
top=$(cd "${srcdir:-.}" && pwd)
. "$top/tests/support/programs.sh"
reeved_pid=
tmp=
# no command of reeve takes longer than this unless something hangs
command_timeout=120

# said by finish: stderr may be redirected where a check stands
fail() {
	if [ -d "$tmp" ]; then
		echo "FAIL: $*" >>"$tmp/failures"
	else
		echo "FAIL: $*" >&2
	fi
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# what comes now; the log of a failed test ends near the last of these
step() {
	echo "== $*" >&2
}

# assert_eq WHAT EXPECTED FOUND
assert_eq() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
}

# assert_match WHAT PATTERN FOUND: a pattern of the shell
assert_match() {
	# shellcheck disable=SC2254
	case $3 in
	$2) ;;
	*) fail "$1: expected something like '$2', found '$3'" ;;
	esac
}

# assert_exit STATUS COMMAND...: its output stays where it is
assert_exit() {
	assert_exit_expected=$1
	shift
	assert_exit_found=0
	"$@" || assert_exit_found=$?
	assert_eq "exit status of '$*'" "$assert_exit_expected" "$assert_exit_found"
}

# the CLI, which here never waits for ever
reeve() {
	timeout --foreground -k 5 "$command_timeout" "$REEVE" "$@"
}

# start_reeved [ARGUMENT...]: returns when the daemon is ready
start_reeved() {
	[ -z "$reeved_pid" ] || fail "start_reeved: one is running already"
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	"$REEVED" "${reeved_mode:---user}" --socket="$REEVE_SOCKET" --state-dir="$state" --ready-fd=3 "$@" \
		3>"$tmp/ready" >>"$tmp/reeved.log" 2>&1 </dev/null &
	reeved_pid=$!
	# ends at once when reeved does: nobody else holds the FIFO
	start_line=$(timeout 60 head -n 1 "$tmp/ready") || start_line=
	rm -f "$tmp/ready"
	[ "$start_line" = "READY=1" ] || fail "reeved did not become ready"
}

# reeved_ended: waits for reeved, exit status in $reeved_status
reeved_ended() {
	reeved_status=0
	wait "$reeved_pid" || reeved_status=$?
	reeved_pid=
}

# stop_reeved [ARGUMENT...]: in good order; the spawner may go on where jobs do
stop_reeved() {
	reeve daemon stop "$@"
	reeved_ended
	assert_eq "exit status of reeved" 0 "$reeved_status"
}

# signal_reeved SIGNAL: and wait for its end
signal_reeved() {
	kill -s "$1" "$reeved_pid"
	reeved_ended
}

# two_users: of a test that needs another one
two_users() {
	[ "$(id -u)" -eq 0 ] || skip "only root can be two users"
	command -v setpriv >/dev/null || skip "no setpriv"
	chmod 711 "$tmp"
	nobody "$REEVE" version >/dev/null 2>&1 || skip "others cannot reach the build folder"
}
# nobody COMMAND...: as that one
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# a round trip: everything that was sent before has been handled
settle() {
	reeve daemon ping >/dev/null
}

# until_is TEXT COMMAND...: until the command prints it
until_is() {
	until_want=$1
	shift
	until [ "$("$@")" = "$until_want" ]; do
		settle
	done
}

# instance SERVICE FILTER: of its first instance, as service status has it
instance() {
	reeve service status "$1" --json | jq -r ".[0].instances[0] | $2"
}
# until_instance TEXT SERVICE FILTER
until_instance() {
	until_is "$1" instance "$2" "$3"
}

# kill_spawner: and wait until there is another one
kill_spawner() {
	spawner=$(reeve daemon status --json | jq .spawner_pid)
	kill -s KILL "$spawner"
	until [ "$(reeve daemon status --json | jq .spawner_pid)" -ne "$spawner" ] 2>/dev/null; do
		settle
	done
}

# reeved_says N TEXT: until the daemon's log has had the text N times
reeved_says() {
	mkfifo "$tmp/says"
	timeout 60 tail -n +1 -f "$tmp/reeved.log" >"$tmp/says" &
	says_pid=$!
	says_left=$1
	while [ "$says_left" -gt 0 ] && IFS= read -r says_line; do
		case $says_line in
		*"$2"*) says_left=$((says_left - 1)) ;;
		esac
	done <"$tmp/says"
	kill "$says_pid" 2>/dev/null || :
	wait "$says_pid" || :
	rm "$tmp/says"
	[ "$says_left" -eq 0 ] || fail "reeved did not say '$2' $1 times"
}

# await_gone SECONDS: until no process of this test's daemon, spawner or jobs is left
await_gone() {
	"$build/tests/support/await_gone" "$1" "$tmp"
}

# finish [STATUS]: a test with a trap of its own ends it by this, with the $? it began with
finish() {
	finish_status=${1:-$?}
	trap - EXIT
	trap '' HUP INT TERM
	cd /
	[ ! -e "$tmp/failures" ] || cat "$tmp/failures" >&2
	[ -z "$reeved_pid" ] || kill -s TERM "$reeved_pid" 2>/dev/null || :
	if ! "$build/tests/support/await_gone" -k 60 "$tmp"; then
		echo "FAIL: processes were left (and are killed now)" >&2
		finish_status=1
	fi
	# its exit status, where a sanitizer speaks
	if [ -n "$reeved_pid" ]; then
		reeved_ended
		if [ "$reeved_status" -ne 0 ]; then
			echo "FAIL: reeved ended with status $reeved_status" >&2
			finish_status=1
		fi
	fi
	if [ "$finish_status" -ne 0 ] && [ "$finish_status" -ne 77 ] &&
		[ -s "$tmp/reeved.log" ]; then
		echo "-- the end of reeved's log:" >&2
		tail -n 60 "$tmp/reeved.log" >&2
	fi
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $tmp" >&2
	else
		chmod -R u+rwX "$tmp" 2>/dev/null || :
		rm -rf "$tmp" || finish_status=1
	fi
	exit "$finish_status"
}

[ -z "${TRACE:-}" ] || set -x
tmp=$(mktemp -d "${TMPDIR:-/tmp}/reeve-test.XXXXXX")
trap finish EXIT
trap 'exit 1' HUP INT TERM
mkdir "$tmp/work" "$tmp/home" "$tmp/run"
chmod 700 "$tmp/run"
state=$tmp/state

# nothing of the caller's: no daemon, no configuration, no colours, no language
unset REEVE_CONFIG XDG_CONFIG_DIRS NOTIFY_SOCKET LISTEN_FDS LISTEN_PID WATCHDOG_USEC
export HOME="$tmp/home" XDG_RUNTIME_DIR="$tmp/run"
export XDG_CONFIG_HOME="$tmp/home/.config" XDG_STATE_HOME="$tmp/home/.local/state"
export REEVE_SOCKET="$tmp/reeve.sock" REEVE_AUTOSTART=0 NO_COLOR=1 LC_ALL=C.UTF-8
REEVE=$(find_program "$build" reeve)
REEVED=$(find_program "$build" reeved)
export REEVE
[ -x "$build/tests/support/await_gone" ] || fail "tests/support/await_gone is not built"
cd "$tmp/work"
