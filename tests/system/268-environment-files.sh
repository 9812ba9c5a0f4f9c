#!/bin/sh
# Files of variables and virtual environments that are not as they should be: told by the
# configuration check and a reload, which changes nothing; a daemon starts all the same, and
# only what needs them does not run.
. "${srcdir:-.}/tests/support/system.sh"
state_of() { # SERVICE
	reeve service status --json "$1" | jq -r '.[0].state'
}
until_state() { # SERVICE STATE
	until [ "$(state_of "$1")" = "$2" ]; do
		settle
	done
}
pid_of() { # SERVICE
	reeve service status --json "$1" | jq '.[0].instances[0].pid'
}
cat >"$tmp/conf" <<EOF
[reeved]
min-free = 0
[environment files]
env-file = $tmp/a.env
    -$tmp/none.env
[environment python]
virtualenv = $tmp/venv
[service plain]
command = sleep 1000
[service files]
environment = files
command = sh -c 'echo "\$0"; exec sleep 1000' \${A}
restart-delay = 1ms
restart-delay-max = 20ms
[service python]
environment = python
command = sleep 1000
restart-delay = 1h
restart-delay-max = 1h
restart-jitter = 0
EOF
echo "A=1" >"$tmp/a.env"
mkdir "$tmp/venv"
: >"$tmp/venv/pyvenv.cfg"
assert_exit 0 reeve config check --file "$tmp/conf" >/dev/null

step "all that is wrong is told at once, with file and line"
printf 'A=1\n\nnonsense\n' >"$tmp/a.env"
rm "$tmp/venv/pyvenv.cfg"
assert_exit 1 reeve config check --file "$tmp/conf" 2>said
assert_match "the file" "*$tmp/a.env:3: no '=' in this line*" "$(cat said)"
assert_match "the virtual environment" \
	"*conf:7: [[]environment python] virtualenv: '$tmp/venv': not a virtual environment: it has no pyvenv.cfg*" \
	"$(cat said)"
assert_match "how many" "*2 errors*" "$(cat said)"
assert_exit 1 "$REEVED" --check-config --user --config="$tmp/conf" >/dev/null 2>&1

step "a daemon starts without, and only what needs them does not run"
start_reeved --config="$tmp/conf"
reeved_says 1 "$tmp/a.env:3: no '=' in this line, going on"
until_state plain running
reeved_says 1 "service 'files', instance 0: it could not be started: env-file $tmp/a.env:3: no '=' in this line, starting it again in "
reeved_says 1 "service 'python', instance 0: it could not be started: virtualenv $tmp/venv: not a virtual environment: it has no pyvenv.cfg, starting it again in 1h"
pid=$(pid_of plain)

step "it runs when they are mended, without a reload"
# in one step: a start may come between, and would find it empty
echo "A=mended" >"$tmp/a.env.new"
mv "$tmp/a.env.new" "$tmp/a.env"
until_state files running
id=$(reeve service status --json files | jq '.[0].instances[0].job')
until [ -n "$(reeve logs "$id")" ]; do
	settle
done
assert_eq "what it gets" mended "$(reeve logs "$id" | tail -n 1)"
: >"$tmp/venv/pyvenv.cfg"
reeve restart python >/dev/null
until_state python running

step "a broken one is refused by a reload, which changes nothing"
pid_of files >before
printf 'A="open\n' >"$tmp/a.env"
sed -i 's/^\[service plain\]/&\nnice = 3/' "$tmp/conf"
assert_exit 1 reeve daemon reload 2>said
assert_match "why" "*$tmp/a.env:1: a quote is not closed*" "$(cat said)"
assert_exit 1 reeve config diff 2>said
assert_match "and a look at what it would do" "*$tmp/a.env:1: a quote is not closed*" "$(cat said)"
pid_of files >after
assert_eq "processes" "$(cat before)" "$(cat after)"
assert_eq "as before" "$pid" "$(pid_of plain)"

step "a job says why it was not started"
for text in 'B=2\nexport C=3\n' '1A=2\n'; do
	# shellcheck disable=SC2059
	printf "$text" >"$tmp/a.env"
	id=$(reeve add --environment files true)
	assert_exit 1 reeve wait "$id"
	assert_match "$text" "start failed: env-file $tmp/a.env:[12]: *" \
		"$(reeve show --json "$id" | jq -r .job.reason)"
	assert_eq "the step" environment "$(reeve show --json "$id" | jq -r '.run_history[0].step')"
done
rm "$tmp/a.env"
id=$(reeve add --environment files true)
assert_exit 1 reeve wait "$id"
assert_eq "one that is not there" "start failed: env-file $tmp/a.env: No such file or directory" \
	"$(reeve show --json "$id" | jq -r .job.reason)"
mkfifo "$tmp/a.env"
id=$(reeve add --environment files true)
assert_exit 1 reeve wait "$id"
assert_match "one that is no file" "*: not a regular file" "$(reeve show --json "$id" | jq -r .job.reason)"
rm "$tmp/a.env"

step "limits"
awk 'BEGIN { for (i = 0; i < 1024; i++) printf "V%d=%d\n", i, i }' >"$tmp/a.env"
# shellcheck disable=SC2016  # for the shell of the job
assert_eq "as many variables as there may be" 1023 \
	"$(reeve run --environment files -- sh -c 'echo $V1023')"
echo "V=one too many" >>"$tmp/a.env"
id=$(reeve add --environment files true)
assert_exit 1 reeve wait "$id"
assert_match "one more" "*a.env:1025: more than 1024 variables" \
	"$(reeve show --json "$id" | jq -r .job.reason)"
{
	printf 'A='
	head -c 262143 /dev/zero | tr '\0' x
} >"$tmp/a.env"
id=$(reeve add --environment files true)
assert_exit 1 reeve wait "$id"
assert_match "a large file" "*a.env: larger than 256 KiB" \
	"$(reeve show --json "$id" | jq -r .job.reason)"

step "variables in commands: of files of the configuration, not of what was given as it is"
echo "A=value" >"$tmp/a.env"
# shellcheck disable=SC2016  # nothing is to be put in
id=$(reeve add --environment files -- echo '${A} $$')
reeve wait "$id"
# shellcheck disable=SC2016
assert_eq "of a job" '${A} $$' "$(reeve logs "$id")"
cat >>"$tmp/conf" <<EOF
[schedule filed]
when = @yearly
environment = files
command = echo \${A} \${REEVE_SCHEDULE} \$A \$\$ \${REEVE_JOB_ID}
EOF
reeve daemon reload >/dev/null
# shellcheck disable=SC2016
reeve schedule add added --when @yearly --environment files -- echo '${A} $$'
id_of() { # SCHEDULE
	reeve ls --json | jq "[.[] | select(.name == \"$1\") | .id][0] // empty"
}
for s in filed added; do
	reeve schedule run "$s" >/dev/null
	until [ -n "$(id_of "$s")" ]; do
		settle
	done
	reeve wait "$(id_of "$s")"
done
assert_eq "of a schedule in a file" "value filed \$A \$ $(id_of filed)" "$(reeve logs "$(id_of filed)")"
# shellcheck disable=SC2016
assert_eq "of one that was added" '${A} $$' "$(reeve logs "$(id_of added)")"

step "a file that goes while a service runs: commands about it say which, and end nobody"
cat >>"$tmp/conf" <<EOF
[service asked]
environment = files
command = sleep 1000
live = command: test "\$A" = value
live-interval = 20ms
live-failures = 1
reload-command = true
EOF
reeve daemon reload >/dev/null
live_of() { # FILTER
	reeve service status --json asked | jq -r ".[0].instances[0].live$1"
}
until [ "$(live_of '.ok_since_usec != null')" = true ]; do
	settle
done
pid=$(pid_of asked)
mv "$tmp/a.env" "$tmp/away.env"
until [ "$(live_of .why)" != null ]; do
	settle
done
missing="it could not be started: env-file $tmp/a.env: No such file or directory"
assert_eq "why" "command: $missing" "$(live_of .why)"
assert_match "service why" "*running, and cannot be asked how it is: command: $missing" \
	"$(reeve service why asked)"
assert_match "service status" "*, cannot be asked (command: $missing)*" "$(reeve service status asked)"
assert_exit 1 reeve service reload asked 2>said
assert_match "reload-command" "*reload-command: $missing" "$(cat said)"
mv "$tmp/away.env" "$tmp/a.env"
until [ "$(live_of .why)" = null ]; do
	settle
done
assert_eq "failures" 0 "$(live_of .failures)"
assert_eq "pid" "$pid" "$(pid_of asked)"
