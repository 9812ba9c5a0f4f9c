#!/bin/sh
# Callbacks: commands that run because a job has ended, or a pool is empty; what they are
# told, and what bounds them.
# shellcheck disable=SC2016 # the shell of the callback expands it
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<EOF
[reeved]
min-free = 0
jobs-max = 8
callbacks-max = 6
callbacks-slots = 2
[pool default]
slots = 4
[pool night]
slots = 2
on-empty = echo "\$REEVE_CALLBACK \$REEVE_OF_POOL" >>$tmp/emptied
[schedule bad]
when = yearly
command = false
on-failure = echo "\$REEVE_OF_SCHEDULE \$REEVE_OF_SCHEDULED_USEC"
EOF
callbacks() { # ID: of its callbacks, as words
	reeve show --json "$1" | jq -r '.callbacks | join(" ")'
}
# the callbacks of a job that has ended: their names, when they have ended too
named() { # ID
	# shellcheck disable=SC2046 # ids
	set -- $(callbacks "$1")
	[ $# -gt 0 ] || return 0
	reeve wait -q "$@" || :
	reeve ls --json "$@" | jq -r 'map(.name) | sort | join(" ")'
}
log_of() { # ID WHAT: of its callback of that kind
	reeve wait -q "on-$2-$1" || :
	reeve logs "on-$2-$1"
}
until_callback() { # STATE N: that many are in it
	until [ "$(reeve ls --json --state "$1" --name 'on-*' | jq length)" -eq "$2" ]; do
		settle
	done
}
start_reeved --config="$tmp/conf"

step "which end calls for which"
all='--on-success=true --on-failure=true --on-finish=true'
# shellcheck disable=SC2086 # three options
{
	good=$(reeve add $all true)
	bad=$(reeve add $all false)
	slow=$(reeve add $all --timeout 1ms -- sleep 3600)
	held=$(reeve add $all --hold true)
}
reeve wait -q "$good" "$bad" "$slow" || :
reeve cancel "$held"
assert_eq "of success" "on-finish-$good on-success-$good" "$(named "$good")"
assert_eq "of failure" "on-failure-$bad on-finish-$bad" "$(named "$bad")"
assert_eq "of its run-time limit" "on-failure-$slow on-finish-$slow" "$(named "$slow")"
assert_eq "of a cancel before it ran" "on-finish-$held" "$(named "$held")"
running=$(reeve add --on-finish true --on-failure true -- sleep 3600)
until [ "$(reeve ls --json "$running" | jq -r '.[0].state')" = running ]; do
	settle
done
reeve cancel "$running"
reeve wait -q "$running" || :
assert_eq "of a cancel while it ran" "on-finish-$running" "$(named "$running")"
late=$(reeve add --hold --deadline "@$(($(date +%s) + 1))" --on-finish true true)
reeve wait -q "$late" || :
assert_eq "of one that gave up" "on-finish-$late" "$(named "$late")"
first=$(reeve add --hold false)
skipped=$(reeve add --after "$first" --on-finish 'echo "$REEVE_OF_RESULT: $REEVE_OF_REASON"' \
	--on-failure true true)
reeve release "$first"
reeve wait -q "$skipped" || :
assert_eq "of one that was skipped" "on-finish-$skipped" "$(named "$skipped")"
assert_eq "what it is told" "skipped: job $first failed" "$(log_of "$skipped" finish)"
plain=$(reeve add true)
reeve wait "$plain"
assert_eq "one that wants none has none" "" "$(callbacks "$plain")"

step "what it is told, and where it runs"
mkdir "$tmp/a b"
id=$(cd "$tmp/a b" && umask 027 && CALLER=1 reeve add -n 'the.job' -l one -l two -e OWN=2 \
	--on-failure 'set -u
		echo "$REEVE_CALLBACK $REEVE_OF_ID $REEVE_OF_NAME $REEVE_OF_RESULT"
		echo "[$REEVE_OF_EXIT_CODE] [$REEVE_OF_SIGNAL] $REEVE_OF_RUN $REEVE_OF_POOL"
		echo "$REEVE_OF_LABELS; $REEVE_OF_SCHEDULE; $((REEVE_OF_ENDED_USEC >= REEVE_OF_STARTED_USEC))"
		echo "$CALLER $OWN $(umask) $(pwd) $((REEVE_JOB_ID > REEVE_OF_ID))"' \
	-c 'exit 3')
reeve wait -q "$id" || :
assert_eq "facts" "failure $id the.job failed
[3] [] 1 default
one two; ; 1
1 2 0027 $tmp/a b 1" "$(log_of "$id" failure)"
id=$(reeve add --on-failure 'echo "[$REEVE_OF_EXIT_CODE] $REEVE_OF_SIGNAL"' -c 'kill -KILL $$')
reeve wait -q "$id" || :
assert_eq "a signal" "[] SIGKILL" "$(log_of "$id" failure)"
id=$(reeve call --detach --on-success 'echo "$REEVE_OF_NAME $PATH"' -n fn sleep seconds=0)
reeve wait "$id"
assert_eq "of a function" "fn /usr/local/bin:/usr/bin:/bin" "$(log_of "$id" success)"
id=$(reeve add --stdin /etc/passwd --on-success 'wc -c' true)
reeve wait "$id"
assert_eq "it reads nothing" 0 "$(log_of "$id" success | tr -d ' ')"

step "facts are never shell"
id=$(reeve add --after-any "$plain" --on-failure 'echo "$REEVE_OF_REASON"' -- "/no/\$(touch $tmp/hacked)")
reeve wait -q "$id" || :
log_of "$id" failure >/dev/null
[ ! -e "$tmp/hacked" ] || fail "a fact was run"

step "its final end, and each of them"
id=$(reeve add --retries 1 --retry-delay 1ms --on-failure 'echo "run $REEVE_OF_RUN"' false)
reeve wait -q "$id" || :
assert_eq "not while retries are left" "on-failure-$id" "$(named "$id")"
assert_eq "of the last run" "run 2" "$(log_of "$id" failure)"
reeve retry "$id"
reeve wait -q "$id" || :
assert_eq "again when it was run again" "on-failure-$id on-failure-$id" "$(named "$id")"

step "a callback is a job, and no more than that"
id=$(reeve add --on-failure 'echo out; exit 7' false)
dependent=$(reeve add --after-any "$id" true)
reeve wait "$dependent"
cb=$(callbacks "$id")
reeve wait -q "$cb" || :
assert_eq "its end" "on-failure-$id finished failed 7 failure $id" "$(reeve ls --json "$cb" |
	jq -r '.[0] | "\(.name) \(.state) \(.result) \(.exit_code) \(.callback) \(.callback_of)"')"
assert_eq "none of its own" "" "$(callbacks "$cb")"
assert_match "what is shown of the job" "*callbacks*$cb*" "$(reeve show "$id")"
assert_exit 2 reeve add --callback failure true 2>/dev/null
assert_match "a client may not say that it is one" "*only reeve itself says it*" \
	"$(echo '{"command": ["true"], "callback": "failure"}' | reeve add --batch - 2>&1 || :)"
assert_match "nor that of whom" "*only reeve itself says it*" \
	"$(echo '{"command": ["true"], "callback_of": 1}' | reeve add --batch - 2>&1 || :)"
assert_match "nor that it is in their pool" "*not the name of a pool*" \
	"$(reeve add -g .callbacks true 2>&1 || :)"
slow=$(reeve add --on-success 'sleep 3600' true)
reeve wait "$slow"
until_callback running 1
assert_match "it cannot be changed" "*it is a callback*" \
	"$(reeve set "on-success-$slow" timeout=1h 2>&1 || :)"
assert_match "nor wait for others" "*it is a callback*" \
	"$(reeve set "on-success-$slow" after="$id" 2>&1 || :)"
assert_eq "its pool" "1 2 .callbacks" "$(reeve pool ls --json |
	jq -r '.[] | select(.name == ".callbacks") | "\(.running) \(.slots) \(.name)"')"
assert_exit 2 reeve pool pause .callbacks 2>/dev/null

step "selectors leave it out, its name and its id do not"
reeve wait --all
reeve wait
assert_exit 3 reeve cancel --all 2>/dev/null
assert_eq "it goes on" running "$(reeve ls --json "on-success-$slow" | jq -r '.[0].state')"
assert_eq "the newest job" "$slow" "$(reeve show --json | jq .job.id)"
reeve rm "$slow"
assert_eq "also without its job" running \
	"$(reeve ls --json "on-success-$slow" | jq -r '.[0].state')"
reeve cancel "on-success-$slow"
reeve wait -q "on-success-$slow" || :
assert_exit 0 reeve clean --finished >/dev/null
assert_eq "forgotten with others that have ended" 0 "$(reeve ls --json | jq length)"

step "in files, and on other verbs"
printf '[job one]\ncommand = false\non-failure = echo "of $REEVE_OF_NAME"\n' >"$tmp/graph"
reeve add --graph "$tmp/graph" >/dev/null
reeve wait -q one || :
id=$(reeve ls --json one | jq '.[0].id')
assert_eq "a graph" "of one" "$(log_of "$id" failure)"
assert_exit 5 reeve run --on-failure 'echo run' -c 'exit 5' 2>/dev/null
id=$(reeve show --json | jq .job.id)
assert_eq "run" run "$(log_of "$id" failure)"
reeve gather --on-success 'echo gathered' -- true >/dev/null
id=$(reeve show --json | jq .job.id)
assert_eq "gather" gathered "$(log_of "$id" success)"
printf '[defaults]\non-finish = echo default\n' >>"$tmp/conf"
reeve daemon reload >/dev/null
id=$(reeve add true)
reeve wait "$id"
assert_eq "of defaults" default "$(log_of "$id" finish)"
sed -i '/^\[defaults\]/,$d' "$tmp/conf"
reeve daemon reload >/dev/null

step "set changes what a job calls for"
id=$(reeve add --hold --on-success 'echo one' true)
reeve set "$id" on-success='echo two' on-finish=true
reeve release "$id"
reeve wait "$id"
assert_eq "what is run" two "$(log_of "$id" success)"
assert_eq "both" "on-finish-$id on-success-$id" "$(named "$id")"

step "limits: at one time, in all, and none of what limits jobs"
ids=
for _ in 1 2 3 4 5 6; do
	id=$(reeve add --on-success 'sleep 3600' true)
	reeve wait "$id"
	ids="$ids $id"
done
until_callback running 2
until_callback queued 4
over=$(reeve add --on-success true --on-finish true true)
reeve wait "$over"
assert_eq "more are left out" "" "$(callbacks "$over")"
assert_eq "which show says" true "$(reeve show --json "$over" | jq .callback_dropped)"
assert_match "to people, too" "*one was left out*callbacks-max*" "$(reeve show "$over")"
assert_eq "and the event of its end" true "$(reeve events --json |
	jq "select(.id == $over and .to == \"finished\") | .callback_dropped")"
reeved_says 1 "callbacks-max = 6"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "also after a crash" true "$(reeve show --json "$over" | jq .callback_dropped)"
over=$(reeve add --on-success true --on-finish true true)
reeve wait "$over"
# room for one that is taken at once, and for the next there is none again
reeve cancel "on-success-${ids##* }"
reeve wait -q "on-success-${ids##* }" || :
id=$(reeve add --on-success 'sleep 3600' true)
reeve wait "$id"
ids="${ids% *} $id"
over=$(reeve add --on-finish true true)
reeve wait "$over"
assert_eq "nor is it a word for each" 2 "$(grep -c 'is left out' "$tmp/reeved.log")"
# jobs-max = 8: eight held jobs beside six callbacks
i=0
while [ $i -lt 8 ]; do
	reeve add --hold true >/dev/null
	i=$((i + 1))
done
assert_exit 6 reeve add --hold true 2>/dev/null
assert_eq "callbacks of before" "2 4" \
	"$(reeve ls --json --name 'on-*' | jq -r 'group_by(.state) | map(select(.[0].state | IN("running", "queued")) | length) | sort | join(" ")')"
reeve cancel --all
for id in $ids; do
	reeve cancel "on-success-$id"
done
until_callback queued 0
until_callback running 0
# shellcheck disable=SC2046 # ids
assert_exit 1 reeve retry $(reeve ls -q --name 'on-finish-*' | head -n 1) \
	$(for id in $ids; do callbacks "$id"; done) 2>err
assert_match "nor more that are run again" "reeve: job *: limit exceeded" "$(cat err)"
assert_eq "one was refused" 1 "$(wc -l <err)"
until_callback running 2
until_callback queued 3
for id in $ids; do
	reeve cancel -q "on-success-$id" 2>/dev/null || :
done
until_callback queued 0
until_callback running 0
again=$(reeve add --on-success true true)
reeve wait "$again"
assert_eq "there is room again" "on-success-$again" "$(named "$again")"
reeved_says 1 "there is room for callbacks again; left out: 3"

step "its run-time limit"
sed -i 's/^callbacks-max.*/callback-timeout = 100ms/' "$tmp/conf"
reeve daemon reload >/dev/null
id=$(reeve add --on-success 'sleep 3600' true)
reeve wait "$id"
reeve wait -q "on-success-$id" || :
assert_eq "how it ended" timeout "$(reeve ls --json "on-success-$id" | jq -r '.[0].result')"
assert_exit 1 sh -c "sed 's/^callback-timeout.*/callback-timeout = 2d/' '$tmp/conf' >'$tmp/conf2' &&
	'$REEVE' config check --config='$tmp/conf2'" >/dev/null 2>&1
sed -i 's/^callback-timeout.*/callbacks-max = 0/' "$tmp/conf"
reeve daemon reload >/dev/null
id=$(reeve add --on-success true true)
reeve wait "$id"
assert_eq "none at all" true "$(reeve show --json "$id" | jq .callback_dropped)"
sed -i '/^callbacks-max/d' "$tmp/conf"
reeve daemon reload >/dev/null

step "of a schedule"
id=$(reeve schedule run --json bad | jq .id)
reeve wait -q "$id" || :
assert_eq "which" "bad $(reeve show --json "$id" | jq .spec.scheduled_usec)" \
	"$(log_of "$id" failure)"

printf '[schedule refused]\nwhen = every 1s\ncommand = true\n%s\n' \
	"on-failure = echo \"[\$REEVE_OF_ID] \$REEVE_OF_SCHEDULE: \$REEVE_OF_REASON\"" >>"$tmp/conf"
i=0
while [ $i -lt 8 ]; do
	reeve add --hold true >/dev/null
	i=$((i + 1))
done
reeve daemon reload >/dev/null
until [ "$(reeve ls --json --name on-failure | jq length)" -ge 1 ]; do
	settle
done
reeve wait on-failure
assert_eq "a start that could not be made" \
	"[] refused: there are as many unfinished jobs as jobs-max = 8 allows" \
	"$(reeve logs on-failure)"
sed -i '/^\[schedule refused\]/,$d' "$tmp/conf"
reeve daemon reload >/dev/null
reeve cancel --all

step "a pool that becomes empty"
emptied() { # N: so often
	touch "$tmp/emptied"
	until [ "$(grep -c . "$tmp/emptied")" -ge "$1" ]; do
		settle
	done
	reeve ls -q --name 'on-empty-*' --state queued --state running |
		reeve wait -q - 2>/dev/null || :
	assert_eq "times that it was said" "$1" "$(grep -c 'empty night' "$tmp/emptied")"
}
[ ! -e "$tmp/emptied" ] || fail "said of a pool that was empty at the start"
a=$(reeve add -g night --hold true)
b=$(reeve add -g night --hold true)
c=$(reeve add -g default,night --hold false)
reeve release "$a"
reeve wait "$a"
emptied 1 # those that are held cannot run
reeve release "$b" "$c"
reeve wait -q "$b" "$c" || :
emptied 2
d=$(reeve add -g night --delay 1h true)
e=$(reeve add -g night true)
reeve wait "$e"
f=$(reeve add -g night --hold true)
reeve cancel "$f"
assert_eq "not while one is delayed" 2 "$(grep -c . "$tmp/emptied")"
reeve cancel "$d"
emptied 3
for _ in 1 2 3 4 5 6; do
	reeve add --hold -l many -g 'night|default' true >/dev/null
done
reeve cancel -l many # none of them could run: no end of one that could
g=$(reeve add -g night --hold true)
h=$(reeve add -g night --after-any "$g" true)
reeve release "$g"
reeve wait "$h" # one that waits for others is not over
emptied 4
i=$(reeve add -g night,night true)
reeve wait "$i"
emptied 5 # once, however often it is named
reeve pool set night --on-empty "echo other empty night >>$tmp/emptied"
reeve run -g night true
emptied 6
assert_eq "what runs" "other empty night" "$(tail -n 1 "$tmp/emptied")"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "kept over a crash" "echo other empty night >>$tmp/emptied" \
	"$(reeve pool ls --json | jq -r '.[] | select(.name == "night") | .on_empty')"
assert_eq "and changed of the file's" on-empty \
	"$(reeve pool ls --json | jq -r '.[] | select(.name == "night") | .changed | join(" ")')"
reeve pool reset night
reeve run -g night true
emptied 7
assert_eq "what runs" "empty night" "$(tail -n 1 "$tmp/emptied")"
reeve pool set night --on-empty ''
reeve run -g night true
reeve pool reset night
reeve run -g night true
emptied 8
# shellcheck disable=SC1003 # backslashes, and two lines
two="printf '%s;' 'a\\nb' >>$tmp/two
echo c >>$tmp/two"
reeve pool add brief --on-empty "$two"
stop_reeved
start_reeved --config="$tmp/conf"
reeve run -g brief true
until [ "$(reeve ls --json --name on-empty-brief | jq length)" -eq 1 ]; do
	settle
done
reeve wait on-empty-brief
assert_eq "two lines, kept over a restart" 'a\nb;c' "$(cat "$tmp/two")"

step "a pool that is gone from the configuration while jobs are in it"
printf '[pool brittle]\non-empty = echo brittle >>%s/emptied\n' "$tmp" >>"$tmp/conf"
reeve daemon reload >/dev/null
id=$(reeve add -g brittle -- sleep 3600)
until [ "$(reeve ls --json "$id" | jq -r '.[0].state')" = running ]; do
	settle
done
sed -i '/^\[pool brittle\]/,$d' "$tmp/conf"
reeve daemon reload >/dev/null
reeve cancel "$id"
reeve wait -q "$id" || :
assert_eq "nobody says it" 0 "$(reeve ls --json --name on-empty-brittle | jq length)"

step "a shutdown is nobody's fault"
id=$(reeve add -g night --on-reboot lost --on-finish true --on-failure true -- sleep 3600)
until [ "$(reeve ls --json "$id" | jq -r '.[0].state')" = running ]; do
	settle
done
stop_reeved
start_reeved --config="$tmp/conf"
assert_eq "how it ended" "finished lost shutdown" \
	"$(reeve ls --json "$id" | jq -r '.[0] | "\(.state) \(.result) \(.reason)"')"
assert_eq "no callback" "" "$(callbacks "$id")"
assert_eq "nor of its pool" 8 "$(grep -c . "$tmp/emptied")"
mkfifo "$tmp/begun"
id=$(reeve add --on-success "echo b >'$tmp/begun'; [ -e '$tmp/again' ] || exec sleep 3600" true)
head -n 1 "$tmp/begun" >/dev/null
until [ "$(reeve ls --json "on-success-$id" | jq -r '.[0].state')" = running ]; do
	settle
done
stop_reeved
: >"$tmp/again"
head -n 1 "$tmp/begun" >/dev/null &
start_reeved --config="$tmp/conf"
reeve wait "on-success-$id"
assert_eq "a callback that it ended is begun again" 2 \
	"$(reeve ls --json "on-success-$id" | jq '.[0].runs')"
finish
