#!/bin/sh
# reeved is killed around the records of starts and ends of a service with hooks, again and
# again: no line of a run is begun twice, but for those of a start that had not come to be.
. "${srcdir:-.}/tests/support/system.sh"
grep -q 'define REEVE_FAILPOINTS 1' "$build/config.h" || skip "built without failpoints"

log=$tmp/log
: >"$log"
cat >"$tmp/conf" <<-EOC
	[reeved]
	min-free = 0
	[service short]
	shell-command = echo "main \$REEVE_RUN" >>$log
	pre-start = echo "pre-start \$REEVE_RUN" >>$log
	  true
	post-start = echo "post-start \$REEVE_RUN" >>$log
	post-stop = echo "post-stop \$REEVE_RUN \$SERVICE_RESULT" >>$log
	  echo "post-stop-too \$REEVE_RUN" >>$log
	restart-delay = 1ms
	restart-delay-max = 1ms
EOC
ends() { # runs that are over, with their hooks
	grep -c post-stop-too "$log" || :
}
for point in reeved-start-committed reeved-start-committed@3 reeved-start-sent \
	reeved-start-sent@2 reeved-start-sent@3 reeved-start-sent@7 \
	reeved-before-exit-commit reeved-before-exit-commit@2 reeved-exit-committed \
	reeved-exit-committed@3 reeved-exit-acked reeved-exit-acked@4; do
	step "$point"
	REEVE_FAILPOINT="$point:kill" start_reeved --config="$tmp/conf" \
		--shutdown=detach || fail "it did not start"
	reeved_ended
	assert_eq "killed by itself at $point" 137 "$reeved_status"
	before=$(ends)
	start_reeved --config="$tmp/conf" --shutdown=detach
	until [ "$(ends)" -ge $((before + 2)) ]; do
		settle
	done
	kill -9 "$reeved_pid"
	reeved_ended
done
step "what was run"
start_reeved --config="$tmp/conf" --shutdown=detach
reeve service stop short
stop_reeved
assert_eq "lines that were begun twice" "" "$(grep -v '^pre-start' "$log" | sort | uniq -d)"
assert_eq "runs without their hooks" "$(grep -c '^main' "$log")" "$(grep -c 'post-stop .*success' "$log")"
