#!/bin/sh
# reeved is killed around each record of a group's restart, by its strategy or as somebody asked for
# it: afterwards all services of the group have been restarted, and there is one process of each.
# shellcheck disable=SC2119 # the functions take arguments that are not wanted here
. "${srcdir:-.}/tests/support/system.sh"
grep -q 'define REEVE_FAILPOINTS 1' "$build/config.h" || skip "built without failpoints"
{
	printf '[reeved]\nmin-free = 0\n'
	for s in c a b; do
		cat <<-EOF
			[service $s]
			command = sleep 1000
			env = MARK=$tmp-group
			restart-delay = 1ms
			restart-delay-max = 1ms
		EOF
	done
	printf '[group app]\nservices = a b c\nstrategy = one-for-all\n'
} >"$tmp/conf"
pids() { # "PID PID PID", in the order of names, of those that run
	reeve ls --json | jq -r '[.[] | select(.service and .state == "running")] | sort_by(.name) |
		[.[].pid] | join(" ")'
}
n_processes() {
	grep -lzsx "MARK=$tmp-group" /proc/[0-9]*/environ 2>/dev/null | wc -l
}
all_run() { # PID...: none of these does any more
	all_pids=$(pids)
	[ "$(echo "$all_pids" | wc -w)" = 3 ] && [ "$(n_processes)" = 3 ] || return 1
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

# It may die before the service does, as it looks at what there is: then the next one finds it.
set --
for point in reeved-before-exit-commit reeved-exit-committed reeved-exit-committed@2 \
	reeved-before-services-commit reeved-before-services-commit@2 \
	reeved-before-services-commit@3 reeved-before-services-commit@4 \
	reeved-services-committed reeved-services-committed@2 reeved-services-committed@3 \
	reeved-start-committed reeved-start-committed@2 reeved-start-committed@3; do
	step "$point"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until_all_run "$@"
	kill -9 "$reeved_pid"
	reeved_ended
	# shellcheck disable=SC2086 # these are three
	set -- $all_pids
	REEVE_FAILPOINT="$point:kill" start_reeved --config="$tmp/conf" --shutdown=detach
	kill -9 "$2"
	reeved_ended
	assert_eq "killed by itself at $point" 137 "$reeved_status"
done

# The same where somebody has the group restarted: what was answered is done.
answered=0
for point in reeved-before-services-commit@2 reeved-before-services-commit@3 \
	reeved-before-services-commit@4 reeved-before-services-commit@5 \
	reeved-services-committed reeved-services-committed@2 reeved-services-committed@3 \
	reeved-services-committed@4 reeved-start-committed reeved-start-committed@3; do
	step "asked for: $point"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until_all_run "$@"
	kill -9 "$reeved_pid"
	reeved_ended
	REEVE_FAILPOINT="$point:kill" start_reeved --config="$tmp/conf" --shutdown=detach
	if reeve restart --no-wait app 2>/dev/null; then
		# shellcheck disable=SC2086 # these are three
		set -- $all_pids
		answered=$((answered + 1))
	else
		set --
	fi
	reeved_ended
	assert_eq "killed by itself at $point" 137 "$reeved_status"
done
[ $answered -ge 5 ] || fail "only $answered restarts were answered"
start_reeved --config="$tmp/conf"
until_all_run "$@"
stop_reeved
assert_eq "processes" 0 "$(n_processes)"
finish
