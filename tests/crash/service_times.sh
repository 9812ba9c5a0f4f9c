#!/bin/sh
# reeved is killed around each record of restart-at: it was missed, or each instance is started
# again, once, whoever does it.
. "${srcdir:-.}/tests/support/system.sh"
grep -q 'define REEVE_FAILPOINTS 1' "$build/config.h" || skip "built without failpoints"
conf() { # WHEN
	cat >"$tmp/conf" <<-EOC
		[reeved]
		min-free = 0
		[service web]
		command = sleep 1000
		env = MARK=$tmp-times
		instances = 3
		restart-at = $1
	EOC
}
instances() { # FILTER of each
	reeve service status web --json | jq -r "[.[0].instances[] | $1] | join(\" \")"
}
n_processes() {
	grep -lzsx "MARK=$tmp-times" /proc/[0-9]*/environ 2>/dev/null | wc -l
}
until_over() { # until all are ready, and none is on its way
	reeve varlink io.reeve.Service.Wait '{"name":"web"}' >/dev/null
	until [ "$(instances .ready)" = "true true true" ]; do
		settle
	done
}
# the first that is committed is the time, then there is one for each instance's stop; what comes
# before a commit is also passed by looks that find nothing to do
missed=0 all=0
for point in reeved-before-services-commit reeved-before-services-commit@2 \
	reeved-before-services-commit@3 reeved-before-services-commit@4 \
	reeved-services-committed reeved-services-committed@2 reeved-services-committed@3 \
	reeved-services-committed@4 reeved-exit-committed reeved-exit-committed@2 \
	reeved-start-committed reeved-start-committed@3; do
	step "$point"
	conf "2199-01-01"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until_over
	before=$(instances .starts)
	kill -9 "$reeved_pid"
	reeved_ended
	conf "$(date -d '+2 seconds' '+%Y-%m-%d %H:%M:%S')"
	REEVE_FAILPOINT="$point:kill" start_reeved --config="$tmp/conf" --shutdown=detach
	reeved_ended
	assert_eq "killed by itself at $point" 137 "$reeved_status"
	conf "2199-01-01"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until_over
	assert_eq "processes at $point" 3 "$(n_processes)"
	# shellcheck disable=SC2086 # a number each
	once_more=$(printf '%s\n' $before | awk '{ print $1 + 1 }' | paste -sd ' ' -)
	case $point:$(instances .starts) in
	*:"$once_more") all=$((all + 1)) ;;
	reeved-before-*:"$before") missed=$((missed + 1)) ;;
	*) fail "at $point: starts were $before, and are $(instances .starts)" ;;
	esac
	kill -9 "$reeved_pid"
	reeved_ended
done
[ "$missed" -ge 1 ] || fail "no kill came before the record"
[ "$all" -ge 8 ] || fail "it was missed $missed times"
start_reeved --config="$tmp/conf"
stop_reeved
assert_eq "processes" 0 "$(n_processes)"
finish
