#!/bin/sh
# restart-at of services: all instances are started again, one after the other, each once the one
# before it is ready; it counts as no restart.
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
