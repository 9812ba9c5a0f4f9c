#!/bin/sh
# As a service manager runs it: the control socket is passed in and survives, readiness,
# reload, stop and status are told, and the watchdog is fed.
. "${srcdir:-.}/tests/support/system.sh"

# told LINE: read on until it was told
told() {
	while read -r told_line <&4; do
		# shellcheck disable=SC2254
		case $told_line in
		$1) return ;;
		esac
	done
	fail "'$1' was not told"
}

mkfifo said
"$build/tests/support/manager" -l "$REEVE_SOCKET" -w 200000 "$tmp/work" "$REEVED" --user \
	--state-dir="$state" >said 2>>"$tmp/reeved.log" </dev/null &
manager=$!
exec 4<said

step "who connects before it is ready waits"
told LISTENING
settle

step "readiness, status, watchdog"
told READY=1
told "STATUS=*"
told WATCHDOG=1
told WATCHDOG=1

step "its sockets are not passed on"
pid=$(reeve daemon status --json | jq .pid)
id=$(reeve add -c 'ls -l /proc/$$/fd; tr "\0" "\n" </proc/$$/environ')
reeve wait "$id"
! reeve logs "$id" | grep -E 'socket:|NOTIFY_SOCKET|LISTEN_FDS|WATCHDOG' >&2 ||
	fail "a job got what is the daemon's"

step "reload"
kill -s HUP "$pid"
told RELOADING=1
told "MONOTONIC_USEC=[0-9]*"
told READY=1

step "stop"
kill -s TERM "$pid"
told STOPPING=1
cat <&4 >/dev/null
exec 4<&-
status=0
wait "$manager" || status=$?
assert_eq "exit status of reeved" 0 "$status"
[ -S "$REEVE_SOCKET" ] || fail "the manager's socket was removed"
