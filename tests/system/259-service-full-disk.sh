#!/bin/sh
# The disk is full: what is said of services is refused and has no effect; one that ends meanwhile
# comes again when there is room, and a reload's changes are made then.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/small_disk.sh"
conf() { # [SECTION]
	cat >"$tmp/conf" <<-EOC
		[reeved]
		min-free = 0
		[service web]
		command = sleep 1000
		instances = 2
		restart-delay = 1ms
		$*
	EOC
}
of() { # SERVICE FILTER
	reeve service status --json "$1" | jq -r "[.[0].instances[] | $2] | join(\" \")"
}

conf
start_reeved --config="$tmp/conf"
until_is "running running" of web .state

step "what is said is refused, and has no effect"
fill
refused=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	code=0
	reeve service stop web 2>error || code=$?
	[ "$code" -ne 6 ] || refused=1
	[ "$code" -ne 6 ] || break
	assert_eq "exit status of stop: $(cat error)" 0 "$code"
	reeve service start web || : # it still found a page
	fill
done
assert_eq "refused" 1 "$refused"
assert_match "what reeve says" "*No space left*" "$(cat error)"
state_then=$(reeve service status --json web | jq -r '.[0] | "\(.stopped) \(.wanted)"')
assert_exit 6 reeve service scale web 5 2>/dev/null
assert_eq "as it was" "$state_then" \
	"$(reeve service status --json web | jq -r '.[0] | "\(.stopped) \(.wanted)"')"
pids=$(of web .pid)

step "one that ends, and a new one, start when there is room"
conf '[service late]
command = sleep 1000'
sed -i 's/^\t*//' "$tmp/conf"
reeve daemon reload >/dev/null
for pid in $pids; do
	# its end may be one that waits to be recorded
	[ "$pid" = null ] || kill -9 "$pid" 2>/dev/null || :
done
settle
rm "$state/filler" "$state/filler2"
reeve start web
until_is "running running" of web .state
until_is running of late .state
for pid in $(of web .pid); do
	case " $pids " in
	*" $pid "*) fail "$pid was killed" ;;
	esac
done
assert_eq "jobs" 3 "$(reeve ls --json | jq '[.[] | select(.service)] | length')"
stop_reeved
umount "$state"
trap finish EXIT
