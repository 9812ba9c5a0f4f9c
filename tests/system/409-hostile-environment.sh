#!/bin/sh
# Surroundings that are not what a daemon expects: no HOME, no runtime directory, few
# descriptors, closed standard streams, a huge environment, an empty PATH, a state directory
# that cannot be written. It works, or says why not; it does not die.
. "${srcdir:-.}/tests/support/system.sh"

# bare COMMAND...: with next to no environment
bare() {
	env -i ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} "$@"
}

# start_with COMMAND...: a reeved started through that command
start_with() {
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	"$@" "$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" --ready-fd=3 \
		3>"$tmp/ready" >>"$tmp/reeved.log" 2>&1 </dev/null &
	reeved_pid=$!
	start_line=$(timeout 60 head -n 1 "$tmp/ready") || start_line=
	assert_eq "readiness" READY=1 "$start_line"
}

step "no HOME and no XDG_RUNTIME_DIR, not even a PATH"
start_with bare
assert_eq "a job" ok "$(reeve run echo ok)"
stop_reeved

step "a client with an empty PATH"
start_reeved
id=$(env PATH= "$REEVE" add /bin/echo absolute)
reeve wait "$id"
assert_eq "log" absolute "$(reeve logs "$id")"
id=$(env -u PATH "$REEVE" add /bin/echo unset)
reeve wait "$id"
id=$(env PATH= "$REEVE" add true)
assert_exit 1 reeve wait -q "$id"

step "a client with an environment of 2 MiB"
if command -v perl >/dev/null; then
	# more than a message holds: refused, with its size
	code=0
	# shellcheck disable=SC2016
	perl -e 'for (1 .. 20) { $ENV{"BIG$_"} = "x" x 100_000 } exec @ARGV' \
		"$REEVE" add true >said 2>&1 || code=$?
	assert_match "exit status" "[26]" "$code"
	assert_match "what reeve says" "*environment*" "$(cat said)"
	# less than one holds
	# shellcheck disable=SC2016
	id=$(perl -e '$ENV{"BIG$_"} = "x" x 50_000 for 1 .. 4; exec @ARGV' \
		"$REEVE" add -c 'printf %s "$BIG1$BIG2$BIG3$BIG4" | wc -c')
	reeve wait "$id"
	assert_eq "what arrived" 200000 "$(reeve logs "$id")"
fi
stop_reeved

step "a daemon with an environment of 2 MiB"
if command -v perl >/dev/null; then
	# shellcheck disable=SC2016
	start_with perl -e 'for (1 .. 20) { $ENV{"BIG$_"} = "x" x 100_000 } exec @ARGV'
	id=$(reeve add -c 'env | wc -c')
	reeve wait "$id"
	n=$(reeve logs "$id")
	[ "$n" -lt 100000 ] || fail "the job got $n bytes of environment: the daemon's"
	stop_reeved
fi

step "closed standard streams"
"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" <&- >&- 2>&- &
reeved_pid=$!
# nothing tells when it is ready: each try ends by itself
i=0
until reeve daemon ping >/dev/null 2>&1 || [ $i -ge 400 ]; do
	i=$((i + 1))
done
assert_eq "a job" ok "$(reeve run echo ok)"
for fd in 0 1 2; do
	what=$(readlink "/proc/$reeved_pid/fd/$fd") || what=nothing
	assert_match "descriptor $fd" "/dev/null" "$what"
done
stop_reeved

step "64 descriptors: nothing can be started, and it says so"
start_with prlimit --nofile=64:64
id=$(reeve add true)
settle
assert_eq "state" queued "$(reeve ls --json | jq -r ".[] | select(.id == $id).state")"
assert_match "why" "*nothing starts*" "$(reeve show "$id")"
grep -q "Too many open files" "$tmp/reeved.log" || fail "nothing is said in the log"
reeve cancel "$id"
stop_reeved

step "a reader that goes away"
start_reeved
id=$(reeve add -c 'head -c 1000000 /dev/zero | tr "\0" "\n"')
reeve wait "$id"
reeve logs "$id" | head -n 1 >/dev/null
reeve ls --json | head -c 1 >/dev/null
reeve run -c 'while echo y; do :; done' 2>/dev/null | head -n 1 >/dev/null || :
reeve cancel --all >/dev/null 2>&1 || :
settle
stop_reeved

step "a state directory that cannot be written"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1m,mode=700 reeve-test "$tmp/home" 2>/dev/null; then
	mount -o remount,ro "$tmp/home"
	unmount() {
		status=$?
		umount "$tmp/home" 2>/dev/null || :
		finish "$status"
	}
	trap unmount EXIT
	for dir in "$tmp/home" "$tmp/home/state"; do
		code=0
		"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$dir" >said 2>&1 \
			</dev/null || code=$?
		assert_match "what it says" "*$dir*ead-only*" "$(cat said)"
		assert_eq "exit status" 1 "$code"
	done
	umount "$tmp/home"
else
	echo "not tested: only root can mount a file system" >&2
fi
: >"$tmp/work/file"
assert_exit 1 "$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$tmp/work/file" \
	>said 2>&1 </dev/null
assert_match "what it says" "*$tmp/work/file*" "$(cat said)"
