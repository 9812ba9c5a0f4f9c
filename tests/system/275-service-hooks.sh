#!/bin/sh
# Hooks of services: before the start, once ready, before the stop, after the end; in order,
# with what they are told; those that fail or take too long; stops in the midst of them.
. "${srcdir:-.}/tests/support/system.sh"

state() { # SERVICE [FILTER of its first instance]
	reeve service status "$1" --json | jq -r ".[0].instances[0] | ${2:-.state}"
}
until_state() { # SERVICE STATE [HOOK]
	until [ "$(state "$1" '"\(.state) \(.hook // "")"')" = "$2 ${3:-}" ]; do
		settle
	done
}
last_reason() { # SERVICE: of its last run that is over
	reeve show "$(state "$1" .job)" --json | jq -r '[.run_history[] | select(.finished_usec)] | last | .reason // ""'
}
conf() {
	cat >"$tmp/conf.new"
	mv "$tmp/conf.new" "$tmp/conf"
	[ -z "${reeved_pid:-}" ] || reeve daemon reload
}
log=$tmp/log
mkfifo go
exec 7<>go

conf <<-EOC
	[service web]
	command = sleep 1000
	pre-start = echo "pre-start %n/%i \$REEVE_INSTANCE \${MAINPID-none} \${NOTIFY_SOCKET-none}" >>$log
	  echo "pre-start again" >>$log; echo from-the-hook
	post-start = kill -0 "\$MAINPID" && echo "post-start \$REEVE_RUN" >>$log
	pre-stop = kill -0 "\$MAINPID" && echo "pre-stop" >>$log
	post-stop = kill -0 "\$MAINPID" 2>/dev/null || echo "post-stop \$SERVICE_RESULT \$EXIT_CODE \$EXIT_STATUS" >>$log
	restart-delay = 1ms
EOC
start_reeved --config="$tmp/conf"

step "in order"
until_state web running
assert_eq "the start" "pre-start web/0 0 none none;pre-start again;post-start 1;" \
	"$(tr '\n' ';' <"$log")"
assert_match "what it printed" "*from-the-hook*" "$(reeve logs "$(state web .job)")"
: >"$log"
reeve service stop web
assert_eq "the stop" "pre-stop;post-stop success killed TERM;" "$(tr '\n' ';' <"$log")"
assert_eq "stopped" stopped "$(state web)"

step "after a crash"
reeve service start web
until_state web running
: >"$log"
kill -SEGV "$(state web .pid)"
until [ "$(grep -c post-start "$log")" = 1 ]; do
	settle
done
assert_match "no pre-stop" "post-stop signal killed SEGV;pre-start*post-start 3;" \
	"$(tr '\n' ';' <"$log")"

step "a restart"
until_state web running
: >"$log"
reeve service restart web
assert_match "one after the other" "pre-stop;post-stop success killed TERM;pre-start*post-start 4;" \
	"$(tr '\n' ';' <"$log")"

step "hooks are changed without a restart"
pid=$(state web .pid)
sed "s/pre-stop\" >>/changed\" >>/" "$tmp/conf" | conf
assert_eq "the same process" "$pid" "$(state web .pid)"
: >"$log"
reeve service stop web
assert_match "the new one" "changed;post-stop*" "$(tr '\n' ';' <"$log")"

step "removed from the configuration: its hooks are run all the same"
reeve service start web
until_state web running
: >"$log"
conf </dev/null
until grep -q post-stop "$log"; do
	settle
done
assert_match "both" "changed;post-stop*" "$(tr '\n' ';' <"$log")"

step "pre-start that fails"
: >"$log"
conf <<-EOC
	[service web]
	shell-command = echo main >>$log
	pre-start = true
	  echo one >>$log; exit 3
	  echo two >>$log
	post-stop = echo "post-stop \$SERVICE_RESULT \${EXIT_STATUS-none}" >>$log
	restart-burst = 1
	restart-delay = 1ms
EOC
until_state web failed
assert_eq "no program, no second line" "one;post-stop exit-code none;one;post-stop exit-code none;" \
	"$(tr '\n' ';' <"$log")"
assert_match "why" "*given up*" "$(state web .why)"
reeve show "$(state web .job)" --json | jq -r '.run_history | first | .reason' >said
assert_eq "the first run's reason" "pre-start: exit status 3" "$(cat said)"

step "pre-start past its time"
conf <<-EOC
	[service web]
	command = true
	pre-start = sleep 1000
	hook-timeout = 100ms
	restart = no
EOC
assert_exit 1 reeve service start web 2>said
assert_match "what start says" "*instance 0: *pre-start: not ended within 100ms*" "$(cat said)"
until_state web failed
assert_eq "the reason" "pre-start: not ended within 100ms" "$(last_reason web)"

step "ready when post-start has succeeded"
conf <<-EOC
	[service web]
	command = sleep 1000
	post-start = read x <$PWD/go
	pre-stop = echo x >>$log
EOC
reeve service start web &
until_state web starting post-start
assert_match "shown" "*starting: post-start*" "$(reeve service status web)"
echo >&7
wait $!
assert_eq "running" "running null" "$(state web '"\(.state) \(.hook)"')"
assert_eq "ready" true "$(reeve show "$(state web .job)" --json | jq '.job.ready_usec > 0')"

step "stopped in the midst of post-start: pre-stop is for those that were ready"
reeve service restart web &
until_state web starting post-start
: >"$log"
reeve service stop web
wait $! || :
assert_eq "stopped" stopped "$(state web)"
assert_eq "no pre-stop" "" "$(cat "$log")"

step "post-start that fails"
conf <<-EOC
	[service web]
	command = sleep 1000
	post-start = exit 4
	restart = no
EOC
assert_exit 1 reeve service start web 2>said
assert_match "what start says" "*instance 0: post-start: exit status 4*" "$(cat said)"
until_state web failed
assert_eq "the reason" "post-start: exit status 4" "$(last_reason web)"

step "stopped in the midst of pre-start"
: >"$log"
conf <<-EOC
	[service web]
	command = sleep 1000
	pre-start = trap 'echo trapped >>$log; exit' TERM; echo >$PWD/begun; while :; do read x; read x <$PWD/go; done
	post-stop = echo post-stop >>$log
EOC
mkfifo begun
reeve service start web &
read -r _ <begun
until_state web starting pre-start
reeve service stop web
wait $! || :
assert_eq "after it the other" "post-stop;" "$(grep -v trapped "$log" | tr '\n' ';')"
assert_eq "stopped" stopped "$(state web)"

step "stopping: pre-stop, which may fail"
: >"$log"
conf <<-EOC
	[service web]
	command = sleep 1000
	pre-stop = read x <$PWD/go; exit 1
	post-stop = read x <$PWD/go; echo post-stop >>$log
EOC
reeve service start web
until_state web running
reeve service stop web &
until_state web stopping pre-stop
kill -0 "$(state web .pid)" || fail "it was ended before"
echo >&7
until_state web stopping post-stop
echo >&7
wait $!
assert_eq "done" "post-stop" "$(cat "$log")"
assert_eq "stopped" stopped "$(state web)"

step "a shutdown runs them"
: >"$log"
conf <<-EOC
	[service web]
	command = sleep 1000
	pre-stop = echo pre-stop >>$log
	post-stop = echo post-stop >>$log
EOC
reeve service start web
until_state web running
stop_reeved
assert_eq "both" "pre-stop;post-stop;" "$(tr '\n' ';' <"$log")"

step "a shutdown in the midst of the first: nothing is left of it"
conf <<-EOC
	[service web]
	command = sleep 1000
	pre-start = exec sleep 1000
	hook-timeout = infinity
EOC
for _ in 1 2 3 4 5 6 7 8; do
	start_reeved --config="$tmp/conf"
	until_state web starting pre-start
	signal_reeved TERM
	await_gone 10
done

step "as the user of the service"
if [ "$(id -u)" -ne 0 ]; then
	exit 0
fi
rm -r "$state"
conf <<-EOC
	[service web]
	user = nobody
	command = sleep 1000
	cwd = /
	pre-start = echo "pre-start \$(id -un) \$(pwd)"
EOC
# shellcheck disable=SC2034 # start_reeved reads it
reeved_mode=--system
start_reeved --config="$tmp/conf"
until_state web running
assert_match "what it says" "*pre-start nobody /*" "$(reeve logs --user nobody "$(state web .job)")"
stop_reeved
