#!/bin/sh
# Services are kept running: started with the daemon, started again as their policy says, in a
# daemon that is killed at any moment neither two of one nor none.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # sections on standard input
	{
		printf '[reeved]\nmin-free = 0\n'
		cat
	} >"$tmp/conf"
}
jobs_of() { # SERVICE [FILTER of each job]
	reeve ls --json | jq -c "[.[] | select(.service == \"$1\")] | sort_by(.instance) | .[] | ${2:-.}"
}
pid_of() { # SERVICE [INSTANCE]
	jobs_of "$1" "select(.instance == ${2:-0}) | .pid"
}
pids_of() { # SERVICE: of all instances, once they are known: a daemon that has just begun asks
	until ! jobs_of "$1" .pid | grep -q null; do
		settle
	done
	jobs_of "$1" .pid
}
until_other_pid() { # PID SERVICE [INSTANCE]: until it has a process that is another
	until pid_of "$2" "${3:-0}" | grep -vx "$1" | grep -qv null; do
		settle
	done
}
n_processes() { # NAME: of processes that say they are that
	grep -lzsx "MARK=$1" /proc/[0-9]*/environ 2>/dev/null | wc -l
}

conf <<EOC
[service web]
command = sleep 1000
env = MARK=$tmp-web
instances = 2
restart-delay = 1ms
[service once]
shell-command = echo "\$REEVE_SERVICE \$REEVE_INSTANCE \${REEVE_SLOT-none} \$HOME"
restart = on-failure
[service fails]
command = false
restart = on-failure
restart-delay = 1ms
restart-delay-max = 1ms
restart-burst = 3
restart-interval = 1h
[service chatty]
shell-command = echo said; sleep 0.05
restart-delay = 1ms
restart-delay-max = 1ms
keep-runs = 3
[service named]
command = echo %n-%i $tmp%%
env = N=%i
instances = 2
restart = no
[service picky]
shell-command = exit 7
no-restart-codes = 7
EOC
start_reeved --config="$tmp/conf"

step "they run"
until_is '"running" "running"' eval 'jobs_of web .state | paste -sd " " -'
assert_eq "instances" "0 1" "$(jobs_of web .instance | paste -sd ' ' -)"
assert_eq "their name" '"web"' "$(jobs_of web .name | sort -u)"
until_is '"finished"' jobs_of once .state
assert_eq "one that has ended as it should" '"succeeded"' "$(jobs_of once .result)"
assert_eq "what it knows" "once 0 none $HOME" "$(reeve logs "$(jobs_of once .id)")"
until_is '"succeeded" "succeeded"' eval 'jobs_of named .result | paste -sd " " -'
assert_eq "what each instance is told" "named-1 $tmp%" \
	"$(reeve logs "$(jobs_of named 'select(.instance == 1) | .id')")"
until_is '"finished"' jobs_of fails .state
assert_eq "starts of one that is given up" 4 "$(jobs_of fails .runs)"
assert_match "and why" "given up: 3 restarts in 1h*" "$(jobs_of fails .reason | jq -r .)"
until_is '"finished"' jobs_of picky .state
assert_eq "starts of one with a code that is not started again" 1 "$(jobs_of picky .runs)"

step "the log tells of them, in few words"
reeved_says 1 "service 'fails', instance 0: it has ended with status 1, given up: 3 restarts in 1h"
reeved_says 1 "service 'picky', instance 0: it has ended with status 7, and is not started again"
reeved_says 1 "service 'chatty', instance 0: it has ended with status 0, starting it again in "
until [ "$(jobs_of chatty .runs)" -ge 5 ]; do
	settle
done
assert_eq "lines about one that ends all the time" 1 "$(grep -c "'chatty'" "$tmp/reeved.log")"

step "one that is killed comes again, with the same job"
id=$(jobs_of web 'select(.instance == 1) | .id')
pid=$(pid_of web 1)
kill -9 "$pid"
until_other_pid "$pid" web 1
assert_eq "its job" "$id" "$(jobs_of web 'select(.instance == 1) | .id')"
until_is 2 n_processes "$tmp-web"

step "a daemon that is killed leaves them running"
pids=$(pids_of web)
kill -9 "$reeved_pid"
reeved_ended
assert_eq "processes" 2 "$(n_processes "$tmp-web")"
start_reeved --config="$tmp/conf"
until_is '"running" "running"' eval 'jobs_of web .state | paste -sd " " -'
assert_eq "their processes" "$pids" "$(pids_of web)"
assert_eq "the one that was given up" '"finished"' "$(jobs_of fails .state)"
assert_eq "the one that was done" 1 "$(jobs_of once .runs)"

step "both killed at once"
for pid in $reeved_pid $pids; do
	kill -9 "$pid"
done
reeved_ended
start_reeved --config="$tmp/conf"
for i in 0 1; do
	until_other_pid "$(printf '%s\n' "$pids" | sed -n $((i + 1))p)" web "$i"
done
until_is 2 n_processes "$tmp-web"

step "they come again after a stop of the daemon, whatever it does with jobs"
stop_reeved
assert_eq "processes" 0 "$(n_processes "$tmp-web")"
start_reeved --config="$tmp/conf" --shutdown=drain
until_is 2 n_processes "$tmp-web"
until_is '"running" "running"' eval 'jobs_of web .state | paste -sd " " -'
stop_reeved
assert_eq "processes" 0 "$(n_processes "$tmp-web")"
start_reeved --config="$tmp/conf"
until_is 2 n_processes "$tmp-web"

step "they are not for the verbs of other jobs"
id=$(jobs_of web 'select(.instance == 0) | .id')
for verb in cancel hold rm kill pause 'rm --force' 'set priority=3'; do
	option=${verb#"${verb%% *}"}
	# shellcheck disable=SC2086  # there may be none
	assert_exit 1 reeve ${verb%% *} "$id" $option 2>said
	assert_match "what $verb says" "*reeve service*" "$(cat said)"
done
assert_exit 3 reeve cancel --all 2>/dev/null
reeve wait --all
assert_eq "clean" 0 "$(reeve clean --finished --json | jq .n)"
assert_eq "still the same" "$id" "$(jobs_of web 'select(.instance == 0) | .id')"

step "of its runs the latest are kept, with their output"
until [ "$(jobs_of chatty .runs)" -ge 12 ]; do
	settle
done
kept=$(reeve show --json "$(jobs_of chatty .id)" | jq '.run_history | length')
[ "$kept" -le 6 ] || fail "$kept runs are kept"
n=$(find "$state/output" -type f | wc -l)
[ "$n" -le 40 ] || fail "$n files of output are there"

step "those of a service that is gone from the files are ended and forgotten"
stop_reeved
conf <<EOC
[service web]
command = sleep 1000
env = MARK=$tmp-web
EOC
start_reeved --config="$tmp/conf"
until_is 1 n_processes "$tmp-web"
until_is '"running"' jobs_of web .state
assert_eq "the one that is left" "$id" "$(jobs_of web .id)"
until_is "web" eval 'reeve ls --json | jq -r ".[].service"'
