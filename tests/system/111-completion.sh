#!/bin/sh
# Completion for bash, asked as bash asks it.
. "${srcdir:-.}/tests/support/system.sh"
command -v bash >/dev/null || skip "no bash"
printf '[reeved]\nmin-free = 0\n[environment project]\nenv = A=1\n[environment other]\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
reeve add --hold -n waits -l of-mine true >/dev/null
reeve add -n over true >/dev/null
reeve wait -q over
# candidates WORD...: those for the last word, which may be empty
candidates() {
	# shellcheck disable=SC2016
	REEVE=$REEVE bash --norc -c '
		. "$1/contrib/completion/reeve.bash"
		shift
		COMP_WORDS=("$REEVE" "$@") COMP_CWORD=$#
		_reeve "$REEVE" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		echo "${COMPREPLY[*]}"' bash "$top" "$@"
}

step "what reeve knows"
assert_eq "verbs" "resume release retry restart reload" "$(candidates re)"
assert_eq "options" "--state-dir" "$(candidates daemon start --state)"
assert_eq "values" "running" "$(candidates ls --state r)"
assert_eq "values behind =" "running" "$(candidates ls --state=r)"
assert_eq "a key to sort by" "state,-priority" "$(candidates ls --sort state,-pr)"
assert_eq "columns behind =" "id,command" "$(candidates ls --columns=id,c)"

step "what the daemon knows"
assert_eq "jobs" "over waits" "$(candidates cancel '' | xargs -n 1 | grep -v '[0-9]' | sort | xargs)"
assert_eq "finished jobs" "over" "$(candidates rm '' | xargs -n 1 | grep -v '[0-9]')"
assert_eq "labels" "of-mine" "$(candidates ls -l '')"
assert_eq "pools" "default" "$(candidates add -g '')"
assert_eq "pools behind a sub-verb" "default" "$(candidates pool pause '')"
reeve pool add gpu
assert_eq "a pool behind another" "default,gpu" "$(candidates add -g default,g)"
assert_eq "behind =" "gpu|default" "$(candidates add --pool='gpu|d')"
reeve schedule add nightly --when daily -- true
assert_eq "schedules" "nightly" "$(candidates schedule show '')"
assert_eq "schedules of a selector" "nightly" "$(candidates ls --schedule n)"
assert_eq "environments" "other project" "$(candidates add --environment '' | xargs -n 1 | sort | xargs)"
assert_eq "environments behind =" "project" "$(candidates run --environment=p)"
assert_eq "where one is from" "project $tmp/conf:3" "$(reeve varlink io.reeve.Daemon.Environments |
	jq -r '.environments[] | select(.name == "project") | "\(.name) \(.origin)"')"
assert_eq "functions" "file.hash" "$(candidates call file)"
assert_eq "of the daemon that is meant" "over waits" "$(unset REEVE_SOCKET
	candidates --socket "$tmp/reeve.sock" cancel '' | xargs -n 1 | grep -v '[0-9]' | sort | xargs)"
assert_eq "of one that is not there" "" "$(candidates --socket="$tmp/none" cancel '')"

step "what the shell knows"
assert_match "commands" "*mkfifo*" "$(candidates run mkf)"
mkdir folder
: >file
assert_eq "folders" "folder" "$(candidates add -w f)"
assert_eq "folders behind =" "folder" "$(candidates add --cwd=f)"
assert_eq "users" "root" "$(candidates ls --user roo)"
assert_eq "arguments of a command" "" "$(candidates run ls f)"

step "where no daemon is, none is started and nothing is said"
stop_reeved
assert_eq "jobs" "" "$(candidates cancel '' 2>&1)"
