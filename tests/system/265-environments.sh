#!/bin/sh
# Environments of the configuration, for jobs that are submitted: what counts more, a virtual
# environment of Python that is used, and what a job keeps when the configuration is another.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # sections on standard input
	{
		printf '[reeved]\nmin-free = 0\n'
		cat
	} >"$tmp/conf"
}
mkdir "$tmp/here" "$tmp/there" "$tmp/tools"
printf '#!/bin/sh\necho "a tool of the project"\n' >"$tmp/tools/project-tool"
chmod 755 "$tmp/tools/project-tool"
if ! command -v python3 >/dev/null || ! python3 -m venv --without-pip "$tmp/venv" 2>/dev/null; then
	# all that is asked of one
	mkdir -p "$tmp/venv/bin"
	echo "home = /usr/bin" >"$tmp/venv/pyvenv.cfg"
	printf '#!/bin/sh\necho "%s"\n' "$tmp/venv" >"$tmp/venv/bin/python"
	chmod 755 "$tmp/venv/bin/python"
fi
cat >"$tmp/file.env" <<'EOE'
# secrets
FROM_FILE="two  words"
BOTH=file
EOE
conf <<EOC
[defaults]
env = A=defaults
    DEFAULTS=yes
umask = 077
[environment base]
env = A=base
    B=base
    BOTH=env
env-file = $tmp/file.env
    -$tmp/none.env
umask = 027
rlimits = nofile=123
[environment project]
inherit = base
env = B=project
path = $tmp/tools
virtualenv = $tmp/venv
cwd = $tmp/there
EOC
start_reeved --config="$tmp/conf"
cd "$tmp/here"

step "what counts more: the job, its environment, the defaults, the caller"
# shellcheck disable=SC2016  # for the shell of the job
show='echo "$A $B $BOTH $FROM_FILE $DEFAULTS $(umask) $PWD $(ulimit -n)"'
assert_eq "an environment" "base project file two  words yes 0027 $tmp/there 123" \
	"$(A=caller B=caller reeve run --environment project -- sh -c "$show")"
assert_eq "one that it builds on" "base base file two  words yes 0027 $tmp/here 123" \
	"$(A=caller reeve run --environment base -- sh -c "$show")"
assert_eq "the job itself" "own project file own yes 0022 $tmp/here 99" \
	"$(reeve run --environment project -e A=own -e FROM_FILE=own --umask 022 -w "$tmp/here" \
		--rlimits nofile=99 -- sh -c "$show")"
assert_match "none" "defaults caller   yes 0077 $tmp/here *" \
	"$(A=caller B=caller reeve run -- sh -c "$show")"
assert_eq "others of the caller's" "kept" \
	"$(OTHER=kept reeve run --environment project -- sh -c 'echo "$OTHER"')"

step "PATH, and a virtual environment"
assert_eq "PATH" "$tmp/venv/bin:$tmp/tools:/usr/bin:/bin" \
	"$(PATH=/usr/bin:/bin reeve run --environment project -- sh -c 'echo "$PATH"')"
assert_eq "a program that is found there" "a tool of the project" \
	"$(reeve run --environment project -- project-tool)"
assert_eq "its python" "$tmp/venv" \
	"$(reeve run --environment project -- python -c 'import sys; print(sys.prefix)')"
assert_eq "as if it were activated" "$tmp/venv gone" \
	"$(PYTHONHOME=/nonsense reeve run --environment project -- \
		sh -c 'echo "$VIRTUAL_ENV ${PYTHONHOME-gone}"')"

step "show names it; values are for who asks, those of files are nobody's"
id=$(reeve add --environment project true)
reeve wait "$id"
reeve show "$id" >shown
assert_match "its name" "*environment    project*" "$(cat shown)"
assert_match "the file" "*env-file       $tmp/file.env*" "$(cat shown)"
grep -q 'VIRTUAL_ENV' shown || fail "the variables are not named"
grep -q "$tmp/venv" shown && fail "values are shown unasked"
reeve show --env "$id" >shown
grep -q "VIRTUAL_ENV=$tmp/venv" shown || fail "no values"
grep -q "two  words" shown && fail "what a file holds is shown"
assert_eq "in JSON" "project $tmp/file.env -$tmp/none.env" \
	"$(reeve show --json "$id" | jq -r '[.spec.environment, .environment_files[]] | join(" ")')"
grep -rq "two  words" "$state" --include='*.db*' && fail "what a file holds is in the store"

step "it is chosen when a job is submitted"
id=$(reeve add --hold --environment project true)
assert_exit 2 reeve set "$id" environment=base 2>said
assert_match "why not" "*cannot be changed after the job was submitted*" "$(cat said)"
reeve cancel "$id"

step "a name that is none"
assert_exit 2 reeve add --environment projct true 2>said
assert_match "with the nearest" "*there is no [[]environment projct], did you mean 'project'?*" \
	"$(cat said)"

step "a job keeps what it was submitted with, also over a restart; files are as they are then"
id=$(reeve add --hold --environment project -- sh -c "$show")
conf <<EOC
[environment project]
env = A=other
EOC
echo "FROM_FILE=changed" >"$tmp/file.env"
reeve daemon reload >/dev/null
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
reeve release "$id"
reeve wait "$id"
assert_eq "what it had" "base project env changed yes 0027 $tmp/there 123" "$(reeve logs "$id")"
reeve retry "$id"
reeve wait "$id"
assert_eq "and has again" "base project env changed yes 0027 $tmp/there 123" "$(reeve logs "$id")"

step "with the environment of today"
(
	unset A B DEFAULTS || :
	reeve retry --env "$id"
)
reeve wait "$id"
assert_match "retry" "other    *" "$(reeve logs "$id")"
conf </dev/null
reeve daemon reload >/dev/null
assert_exit 1 reeve retry --env "$id" 2>said
assert_match "one that is gone" "*there is no [[]environment project]*" "$(cat said)"

step "a callback has the environment of its job"
conf <<EOC
[environment project]
env = A=callback
path = $tmp/tools
EOC
reeve daemon reload >/dev/null
id=$(reeve add --environment project --on-success "project-tool; echo \$A" -- true)
reeve wait "$id"
of=$(reeve show --json "$id" | jq '.callbacks[0]')
reeve wait "$of"
assert_eq "its output" "a tool of the project
callback" "$(reeve logs "$of")"

step "the configuration is looked at by its name"
assert_eq "show" "[environment project]
# $tmp/conf:5
path = $tmp/tools
# $tmp/conf:4
env = A=callback" "$(reeve config show --file "$tmp/conf" environment.project)"
assert_eq "by itself" "reeved" \
	"$(reeve config show --json --file "$tmp/conf" reeved | jq -r '[.[].section] | unique[]')"
assert_eq "get" "A=callback" "$(reeve config get --file "$tmp/conf" environment.project.env)"
reeve config set --file "$tmp/conf" environment.project.env A=set >/dev/null
assert_eq "set" "A=set" "$(reeve config get --file "$tmp/conf" environment.project.env)"
assert_exit 3 reeve config show --file "$tmp/conf" environment.nothing 2>/dev/null
assert_exit 3 reeve config show --file "$tmp/conf" nothing 2>/dev/null
