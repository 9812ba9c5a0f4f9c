#!/bin/sh
# restart-at of services: all instances are started again, one after the other, each once the one
# before it is ready; it counts as no restart. A daemon that is killed meanwhile leaves the rest to
# the next one.
. "${srcdir:-.}/tests/support/system.sh"

log=$tmp/log
conf() { # WHEN
	cat >"$tmp/conf" <<-EOC
		[service web]
		command = sleep 1000
		instances = 3
		post-start = echo ready \$REEVE_INSTANCE >>$log
		pre-stop = echo stop \$REEVE_INSTANCE >>$log
		restart-burst = 1
		restart-at = $1
	EOC
}
of() { # FILTER of each instance
	reeve service status web --json | jq -r "[.[0].instances[] | $1] | join(\" \")"
}
until_ready() { # HOW MANY times in all
	until [ "$(grep -c ready "$log")" -ge "$1" ]; do
		settle
	done
}

step "what cannot be"
for when in "every 5min" "noon"; do
	conf "$when"
	assert_exit 1 reeve config check "$tmp/conf" 2>said >&2 || :
	assert_match "where" "*:7: *restart-at: *" "$(cat said)"
done

step "not at another time"
: >"$log"
conf "2199-01-01"
start_reeved --config="$tmp/conf"
until_ready 3
assert_eq "once each" "1 1 1" "$(of .starts)"
assert_match "when" "*next restart *2199-01-01*" "$(reeve service status web)"

step "twice, each after the other is ready"
conf "*:*:0/2"
reeve daemon reload >/dev/null
until_ready 9
conf "2199-01-01"
reeve daemon reload >/dev/null
sed 1,3d "$log" >rolled
down=
while read -r what which; do
	case $what in
	stop)
		[ -z "$down" ] || fail "instance $which went while $down was not back: $(cat "$log")"
		down=$which
		;;
	ready) down= ;;
	esac
done <rolled
assert_eq "no restart was counted" "0 0 0" "$(of .short_runs)"
assert_match "it says so" "*service 'web' is restarted, by restart-at*" "$(cat "$tmp/reeved.log")"
stop_reeved

step "the daemon is killed halfway: the next one goes on with the others, once each"
slow() { # WHEN
	cat >"$tmp/conf" <<-EOC
		[service slow]
		command = sleep 1000
		instances = 4
		ready = command:test -e $tmp/up-%i
		ready-timeout = infinity
		restart-at = $1
	EOC
}
starts() {
	reeve service status slow --json | jq -r '[.[0].instances[].starts] | join(" ")'
}
starts_are() { # STARTS
	until [ "$(starts)" = "$1" ]; do
		settle
	done
}
ready() { # HOW MANY are
	until [ "$(reeve service status slow --json |
		jq '[.[0].instances[] | select(.ready)] | length')" = "$1" ]; do
		settle
	done
}
for i in 0 1 2 3; do
	: >"$tmp/up-$i"
done
slow "2199-01-01"
start_reeved --config="$tmp/conf" --shutdown=detach
ready 4
rm "$tmp/up-1"
slow "$(date -d '+2 seconds' '+%Y-%m-%d %H:%M:%S')"
reeve daemon reload >/dev/null
starts_are "2 2 1 1"
ready 3
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf" --shutdown=detach
ready 3
assert_eq "one at a time" "2 2 1 1" "$(starts)"
: >"$tmp/up-1"
starts_are "2 2 2 2"
ready 4

step "a rolling restart waits for the one that is away because of it"
rm "$tmp/up-3"
slow "$(date -d '+2 seconds' '+%Y-%m-%d %H:%M:%S')"
reeve daemon reload >/dev/null
starts_are "3 3 3 3"
ready 3
reeve restart --rolling --no-wait slow
for _ in 1 2 3; do
	settle
	assert_eq "two are away" "3 3 3 3" "$(starts)"
done
: >"$tmp/up-3"
starts_are "4 4 4 4"
ready 4
stop_reeved
start_reeved --config="$tmp/conf"
ready 4
reeve service scale slow 5
assert_eq "that was all" "4 4 4 4 1" "$(starts)"
stop_reeved
