#!/bin/sh
# reeved, the spawner, or both are killed in the midst of each hook: no line of one is begun
# twice that is a part of a run, none is forgotten, nothing is left over.
. "${srcdir:-.}/tests/support/system.sh"

log=$tmp/log
mkfifo go begun
exec 7<>go
hold="echo \$\$ >$PWD/begun; read x <$PWD/go" # a hook that waits until it may go on

state() { # [FILTER of its instance]
	reeve service status web --json | jq -r ".[0].instances[0] | ${1:-.state}"
}
until_state() { # STATE [HOOK]
	until [ "$(state '"\(.state) \(.hook // "")"')" = "$1 ${2:-}" ]; do
		settle
	done
}
conf() { # HOOK: which of them waits
	{
		echo "[service web]"
		echo "command = sleep 1000"
		echo "restart-delay = 1ms"
		for hook in pre-start post-start pre-stop post-stop; do
			echo "$hook = echo $hook >>$log"
			[ "$hook" != "$1" ] || echo "  $hold; echo $hook over >>$log"
		done
	} >"$tmp/conf.new"
	mv "$tmp/conf.new" "$tmp/conf"
	: >"$log"
}
start() {
	start_reeved --config="$tmp/conf" --shutdown=detach
}
killed() {
	kill -9 "$reeved_pid"
	reeved_ended
}
# The stop is on record when it is answered: pre-stop may begin before that, and with a daemon that
# is killed then nobody has stopped the service.
stop_and_kill() { # $pid: the hook that holds it up
	reeve service stop --no-wait web
	read -r pid <begun
	killed
}
lines() {
	tr '\n' ';' <"$log"
}

step "pre-start"
conf pre-start
start
read -r pid <begun
killed
start
read -r again <begun
[ "$pid" != "$again" ] || fail "it was not begun anew"
kill -0 "$pid" 2>/dev/null && fail "the first one was left"
echo >&7
until_state running
assert_eq "from the first line" "pre-start;pre-start;pre-start over;post-start;" "$(lines)"

step "pre-stop"
conf pre-stop
reeve daemon reload
stop_and_kill
start
until_state stopping pre-stop
kill -0 "$pid" || fail "it was not left alone"
echo >&7
until_state stopped
assert_eq "once" "pre-stop;pre-stop over;post-stop;" "$(lines)"

step "post-start"
conf post-start
reeve daemon reload
(reeve service start web || :) &
read -r pid <begun
killed
wait $! || :
start
until_state starting post-start
kill -0 "$pid" || fail "it was not left alone"
killed
echo >&7
until grep -q over "$log"; do
	kill -0 "$pid" 2>/dev/null || break # over, and nobody looks
done
start
until_state running
assert_eq "once" "pre-start;post-start;post-start over;" "$(lines)"

step "post-stop"
conf post-stop
reeve daemon reload
kill -9 "$(state .pid)"
read -r pid <begun
killed
start
until_state stopping post-stop
kill -0 "$pid" || fail "it was not left alone"
killed
echo >&7
start
until [ "$(tail -n 1 "$log")" = post-start ]; do
	settle
done
until_state running
assert_eq "once, and the next start" "post-stop;post-stop over;pre-start;post-start;" "$(lines)"

step "pre-stop, and the program ends while no daemon is there"
conf pre-stop
reeve daemon reload
main=$(state .pid)
stop_and_kill
kill -9 "$main"
start
until_state stopping pre-stop
kill -0 "$pid" || fail "it was not left alone"
settle
assert_eq "not beside it" "pre-stop;" "$(lines)"
echo >&7
until_state stopped
assert_eq "post-stop after it" "pre-stop;pre-stop over;post-stop;" "$(lines)"

step "a hook that is changed while no daemon is there"
changes() { # LINE...: pre-stop is these
	{
		echo "[service web]"
		echo "command = sleep 1000"
		for line in "$@"; do
			printf '%s%s\n' "${key-pre-stop = }" "$line"
			key="  "
		done
		unset key
		echo "post-stop = echo post-stop >>$log"
	} >"$tmp/conf"
	: >"$log"
}
changes "echo one >>$log" "$hold; echo held >>$log" "echo three >>$log"
reeve daemon reload
reeve service start web
stop_and_kill
changes "echo new >>$log" "echo three >>$log" "echo one >>$log"
start
until_state stopping pre-stop
kill -0 "$pid" || fail "it was not left alone"
settle
assert_eq "one line at a time" "" "$(lines)"
echo >&7
until_state stopped
assert_eq "what is new is run, what was begun is not" "held;new;three;post-stop;" "$(lines)"
assert_match "the log" "*a line of pre-stop that is not in the configuration any more has ended*exit status 0*" \
	"$(cat "$tmp/reeved.log")"

step "a hook that is taken out while no daemon is there"
changes "$hold; echo held >>$log"
reeve daemon reload
reeve service start web
stop_and_kill
changes
start
until_state stopping pre-stop
echo >&7
until_state stopped
assert_eq "it is waited for" "held;post-stop;" "$(lines)"

step "all of its places are taken"
many() { # PREFIX LAST: sixteen lines
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		set -- "$@" "echo $1$i >>$log"
	done
	last=$2
	shift 2
	changes "$@" "$last"
}
many a "$hold; echo held >>$log"
reeve daemon reload
reeve service start web
stop_and_kill
many b "echo last >>$log"
start
until_state stopping pre-stop
echo >&7
until_state stopped
assert_eq "all are others" "held;$(printf 'b%s;' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)last;post-stop;" "$(lines)"
reeve service start web

step "the spawner, in pre-stop"
conf pre-stop
reeve daemon reload
(reeve service stop web || :) &
read -r pid <begun
kill -9 "$(reeve daemon status --json | jq .spawner_pid)"
wait $! || :
until_state stopped
assert_eq "lost; the rest goes its way" "pre-stop;post-stop;" "$(lines)"
kill -0 "$pid" 2>/dev/null && [ "$(ps -o stat= -p "$pid" | cut -c1)" != Z ] &&
	fail "it was left"

step "both, in post-start"
conf post-start
reeve daemon reload
(reeve service start web || :) &
read -r pid <begun
kill -9 "$(reeve daemon status --json | jq .spawner_pid)"
killed
wait $! || :
start
read -r _ <begun
echo >&7
until_state running
kill -0 "$pid" 2>/dev/null && [ "$(ps -o stat= -p "$pid" | cut -c1)" != Z ] &&
	fail "it was left"
assert_match "a new one" "pre-start;*post-start;post-start over;" "$(lines)"
reeve service stop web
stop_reeved
