#!/bin/sh
# reeved is killed around each record of a rolling restart: what was acknowledged goes on to its end,
# and there is one process of each instance.
# shellcheck disable=SC2119 # the functions take arguments that are not wanted here
. "${srcdir:-.}/tests/support/system.sh"
grep -q 'define REEVE_FAILPOINTS 1' "$build/config.h" || skip "built without failpoints"
{
	printf '[reeved]\nmin-free = 0\n'
	for s in web db; do
		cat <<-EOF
			[service $s]
			command = sleep 1000
			env = MARK=$tmp-roll
			instances = 2
			restart-delay = 1ms
		EOF
	done
	printf '[group app]\nservices = db web\n'
} >"$tmp/conf"
pids() { # of those that run
	reeve ls --json | jq -r '[.[] | select(.service and .state == "running") | .pid] | join(" ")'
}
n_processes() {
	grep -lzsx "MARK=$tmp-roll" /proc/[0-9]*/environ 2>/dev/null | wc -l
}
all_run() { # PID...: none of these does any more, and no roll goes on
	all_pids=$(pids)
	[ "$(echo "$all_pids" | wc -w)" = 4 ] && [ "$(n_processes)" = 4 ] || return 1
	[ "$(reeve service ls --json | jq '[.[] | select(.roll)] | length')" = 0 ] || return 1
	for all_pid in "$@"; do
		case " $all_pids " in
		*" $all_pid "*) return 1 ;;
		esac
	done
}
until_all_run() { # PID...
	until all_run "$@"; do
		settle
	done
}

set --
acknowledged=0
for point in reeved-before-services-commit@2 reeved-before-services-commit@3 \
	reeved-before-services-commit@4 reeved-before-services-commit@5 \
	reeved-services-committed reeved-services-committed@2 reeved-services-committed@3 \
	reeved-services-committed@4 reeved-exit-committed reeved-exit-committed@3 \
	reeved-start-committed reeved-start-committed@2 reeved-start-committed@4; do
	step "$point"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until_all_run "$@"
	kill -9 "$reeved_pid"
	reeved_ended
	before=$all_pids
	set --
	REEVE_FAILPOINT="$point:kill" start_reeved --config="$tmp/conf" --shutdown=detach
	if reeve restart --rolling --no-wait app 2>/dev/null; then
		acknowledged=$((acknowledged + 1))
		# shellcheck disable=SC2086 # these are four
		set -- $before
	fi
	reeved_ended
	assert_eq "killed by itself at $point" 137 "$reeved_status"
done
[ "$acknowledged" -ge 3 ] || fail "only $acknowledged rolls had begun"
start_reeved --config="$tmp/conf"
until_all_run "$@"
stop_reeved
assert_eq "processes" 0 "$(n_processes)"
finish
