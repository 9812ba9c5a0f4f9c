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
sed -n 's/^main //p' "$log" | sort >main
sed -n 's/^post-stop \([0-9]*\) success$/\1/p' "$log" | sort >after
assert_eq "runs without their hooks" "" "$(comm -23 main after)"

step "a shutdown between pre-start and its program, while there is no spawner"
SPAWNER=$(find_program "$build" reeve-spawner)
mkfifo go begun up
exec 7<>go
start_spawner() { # [FAILPOINT]
	env ${1:+"REEVE_FAILPOINT=$1"} "$SPAWNER" --state-dir="$state" --ready-fd=3 \
		3>up 2>>"$tmp/reeved.log" &
	spawner=$!
	head -c 1 up >/dev/null
}
cat >"$tmp/conf" <<-EOC
	[reeved]
	min-free = 0
	[service late]
	shell-command = echo main >>$log
	pre-start = echo >$PWD/begun; read x <$PWD/go; echo pre-start >>$log
	post-stop = echo "post-stop \$SERVICE_RESULT" >>$log
EOC
: >"$log"
await_gone 60
start_spawner spawner-after-exit-report:kill
start_reeved --config="$tmp/conf" --no-spawner --shutdown=terminate
read -r _ <begun
kill -s STOP "$reeved_pid"
echo >&7
wait "$spawner" || : # it has told the end of pre-start, and that was the last
kill -s CONT "$reeved_pid"
reeved_says 1 "cannot reach or start the spawner"
kill -s TERM "$reeved_pid"
reeved_says 1 "shutting down (terminate), 1 jobs"
start_spawner
reeved_ended
assert_eq "what was run" "pre-start;post-stop success;" "$(tr '\n' ';' <"$log")"
wait "$spawner" || :
start_reeved --config="$tmp/conf" --shutdown=terminate
read -r _ <begun
echo >&7
until grep -q main "$log"; do
	settle
done
stop_reeved
