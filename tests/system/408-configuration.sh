#!/bin/sh
# Configuration files that are broken in many ways at once: all of it is reported with file
# and line, and the daemon does not start. What looks like a comment inside a value is none.
. "${srcdir:-.}/tests/support/system.sh"

step "broken in many ways"
cat >broken.conf <<'EOF'
no section yet = 1
[reeved]
durability = maybe
submit-max = many
jobs-max = 0
shutdown-timeout = 5 parsecs
durabilty = full
submit-max = 7
[pool has space]
slots = 1
[pool good]
slots = -1
colour = red
[nonsense]
a = b
[defaults]
priority = 99999999
timeout = soon
umask = 999
[unclosed
just a word
EOF
code=0
"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" --config=broken.conf \
	>said 2>&1 </dev/null || code=$?
assert_eq "exit status" 1 "$code"
for line in 1 3 4 5 6 7 8 9 12 13 14 17 18 19 20 21; do
	grep -q "broken.conf:$line: " said || {
		cat said >&2
		fail "nothing is said about line $line"
	}
done
assert_match "the nearest key" "*durability*" "$(grep 'broken.conf:7: ' said)"
[ ! -e "$state/reeve.db" ] || fail "it began with half a configuration"
"$REEVED" --user --config=broken.conf --check-config >checked 2>&1 || :
assert_eq "what --check-config says" "$(grep -o 'broken.conf:[0-9]*: .*' said)" \
	"$(grep -o 'broken.conf:[0-9]*: .*' checked)"
assert_exit 1 reeve config check broken.conf >/dev/null 2>&1

step "what every job or caller would meet later"
cat >later.conf <<'EOF'
[reeved]
admins = root no-such-user
[defaults]
stdin = relative
cwd = relative
shell = relative
command = true
function = nosuch
EOF
assert_exit 1 reeve config check later.conf >said 2>&1
for line in 2 4 5 6 8; do
	grep -q "later.conf:$line: " said || fail "nothing is said about line $line: $(cat said)"
done
assert_exit 1 "$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" \
	--config=later.conf >started 2>&1 </dev/null
assert_eq "what the daemon says" "$(grep -o 'later.conf:[0-9]*: .*' said)" \
	"$(grep -o 'later.conf:[0-9]*: .*' started)"

step "check FILE: by the rules of the daemon that is meant"
printf '[service s]\ncommand = true\n' >mode.conf
chmod 644 mode.conf
assert_exit 0 reeve --user config check mode.conf >/dev/null
assert_exit 1 reeve --system config check mode.conf 2>said
assert_match "no user" "mode.conf:1: [[]service s] user: missing: in system mode *" "$(cat said)"
printf 'user = %s\n' "$(id -un)" >>mode.conf
assert_exit 0 reeve --system config check --file mode.conf >/dev/null
chmod 666 mode.conf
assert_exit 0 reeve --user config check mode.conf >/dev/null
assert_exit 1 reeve --system config check mode.conf 2>said
assert_match "its mode" "mode.conf: others than its owner may write it (mode 0666)*" "$(cat said)"
assert_exit 1 reeve --system --json config check mode.conf 2>said
assert_eq "of no line" "file message" "$(jq -r '.errors[0] | keys | join(" ")' said)"
chmod 644 mode.conf
if [ "$(id -u)" -eq 0 ]; then
	assert_exit 1 env -u REEVE_SOCKET "$REEVE" config check broken.conf 2>/dev/null
	printf '[service s]\ncommand = true\n' >root.conf
	assert_exit 1 env -u REEVE_SOCKET "$REEVE" config check root.conf 2>said
	assert_match "root means the system's" "*user: missing*" "$(cat said)"
	chown 65534 mode.conf
	assert_exit 1 reeve --system config check mode.conf 2>said
	assert_match "its owner" "*it belongs to user 65534: only root's are read*" "$(cat said)"
fi

step "not there, or no file"
for f in /nonexistent/reeve.conf "$tmp/work"; do
	assert_exit 1 "$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" \
		--config="$f" >said 2>&1 </dev/null
	assert_match "what it says" "*$f*" "$(cat said)"
done
head -c 5000 /dev/urandom >noise.conf
assert_exit 1 "$REEVED" --user --config=noise.conf --check-config >/dev/null 2>&1

step "long values, and what looks like a comment"
long=$(head -c 102400 /dev/zero | tr '\0' L)
{
	echo "[defaults]"
	echo "env = LONG=$long"
	echo "env = MARKS=a ; b # c : d = e"
	# a list has an entry on each line
	printf 'env =\n  LINES=one\n  TWO=two ; # three\n'
	echo "; a comment"
	echo "# another"
} >good.conf
start_reeved --config=good.conf
# shellcheck disable=SC2016
assert_eq "a value of 100 KiB" 102400 "$(reeve run -c 'printf %s "$LONG" | wc -c')"
# shellcheck disable=SC2016
assert_eq "marks" "a ; b # c : d = e" "$(reeve run -c 'echo "$MARKS"')"
# shellcheck disable=SC2016
assert_eq "a continued value" "two ; # three" "$(reeve run -c 'echo "$TWO"')"

step "a command of 100 KiB, with marks and continued lines"
cp good.conf before.conf
{
	cat before.conf
	echo "shell-command = echo a ; echo b # c : d"
	echo "    echo '# no comment' ; echo 10%d"
	echo "    : $long"
} >good.conf
reeve daemon reload
id=$(reeve varlink io.reeve.Job.Submit '{"jobs": [{}]}' | jq '.ids[0]')
reeve wait "$id"
assert_eq "its output" "a|b|# no comment|10%d" "$(reeve logs "$id" | paste -sd '|')"
[ "$(reeve show --json "$id" | jq -r .spec.shell_command | wc -c)" -gt 102400 ] ||
	fail "the command was cut"
cp before.conf good.conf
reeve daemon reload

step "broken while it runs: the old one stays"
cp good.conf kept.conf
echo "nonsense = 1" >>good.conf
assert_exit 1 reeve daemon reload >said 2>&1
assert_match "what reeve says" "*good.conf:*" "$(cat said)"
# shellcheck disable=SC2016
assert_eq "marks" "a ; b # c : d = e" "$(reeve run -c 'echo "$MARKS"')"
cp kept.conf good.conf
reeve daemon reload

step "every function of the daemon may be a default, and no other"
for f in $(reeve varlink io.reeve.Job.Functions | jq -r '.functions[].name'); do
	printf '[defaults]\nfunction = %s\n' "$f" >function.conf
	reeve config check function.conf >/dev/null
done
printf '[reeved]\nadmins = no-such-user\n' >>good.conf
assert_exit 1 reeve daemon reload >said 2>&1
assert_match "what reeve says" "*good.conf:*no-such-user*" "$(cat said)"
stop_reeved

step "without a file: where it was looked for"
assert_eq "none" \
	"no configuration file ($tmp/none/reeve/reeve.conf, $tmp/none/reeve/reeve.conf.d/*.conf): everything is at its default" \
	"$(env -u REEVE_SOCKET XDG_CONFIG_HOME="$tmp/none" "$REEVE" --user config check)"
