#!/bin/sh
# reeved is killed around the record of what becomes of services, and at the starts and ends of
# their runs: afterwards there is one process of each instance, neither two nor none.
# shellcheck disable=SC2119 # the functions take arguments that are not wanted here
. "${srcdir:-.}/tests/support/system.sh"
grep -q 'define REEVE_FAILPOINTS 1' "$build/config.h" || skip "built without failpoints"
conf() { # INSTANCES VALUE [VALUE_OF_ENVIRONMENT]
	cat >"$tmp/conf" <<-EOF
		[reeved]
		min-free = 0
		[environment set]
		env = SET=${3-0}
		[service web]
		environment = set
		shell-command = echo "\$REEVE_INSTANCE" >>$tmp/starts; exec sleep 1000
		env = MARK=$tmp-web
		  VALUE=$2
		instances = $1
		restart-delay = 1ms
		[service short]
		command = true
		restart-delay = 1ms
		restart-delay-max = 10ms
	EOF
}
processes() { # VARIABLE: its values in them, in order
	grep -lzsx "MARK=$tmp-web" /proc/[0-9]*/environ 2>/dev/null |
		while read -r environ; do
			tr '\0' '\n' <"$environ" 2>/dev/null | sed -n "s/^$1=//p"
		done | sort | xargs
}
jobs() { # FILTER: of those of web, in order
	reeve ls --json | jq -r "[.[] | select(.service == \"web\")] | sort_by(.instance) | [.[] | $1] | join(\" \")"
}
until_running() { # HOW MANY, as "running running"
	until [ "$(jobs .state)" = "$1" ]; do
		settle
	done
}
# it is killed there, and again until it comes through
killed_at() { # POINT[@N]
	REEVE_FAILPOINT="$1:kill" start_reeved --config="$tmp/conf" --shutdown=detach ||
		fail "it did not start"
	reeved_ended
	assert_eq "killed by itself at $1" 137 "$reeved_status"
}

conf 2 0
value=0
set=0
for point in reeved-before-services-commit reeved-services-committed \
	reeved-services-committed@2 reeved-start-committed reeved-start-committed@2 \
	reeved-start-committed@4 reeved-before-exit-commit reeved-exit-committed; do
	step "$point"
	# so that all of them are restarted: by what a section says, or by an environment
	if [ "$value" -gt "$set" ]; then
		set=$((set + 1))
	else
		value=$((value + 1))
	fi
	conf 2 "$value" "$set"
	killed_at "$point"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until [ "$(jobs .state) $(processes REEVE_INSTANCE) $(processes VALUE) $(processes SET)" = \
		"running running 0 1 $value $value $set $set" ]; do
		settle
	done
	assert_eq "jobs" "0 1" "$(jobs .instance)"
	kill -9 "$reeved_pid"
	reeved_ended
done

step "while one goes"
for point in reeved-before-services-commit reeved-services-committed \
	reeved-exit-committed; do
	conf 1 "$value" "$set"
	killed_at "$point"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until [ "$(jobs .instance) $(processes REEVE_INSTANCE)" = "0 0" ]; do
		settle
	done
	kill -9 "$reeved_pid"
	reeved_ended
	conf 2 "$value" "$set"
	start_reeved --config="$tmp/conf" --shutdown=detach
	until_running "running running"
	kill -9 "$reeved_pid"
	reeved_ended
done
start_reeved --config="$tmp/conf"
until_running "running running"
stop_reeved
assert_eq "processes" "" "$(processes REEVE_INSTANCE)"
finish
