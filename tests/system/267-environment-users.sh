#!/bin/sh
# Environments of the machine's daemon: who may name one; files of variables are read as root,
# so they have to be root's, and what they hold reaches nobody whom `users` does not name.
. "${srcdir:-.}/tests/support/system.sh"
two_users
# shellcheck disable=SC2034  # start_reeved reads it
reeved_mode=--system
echo "SECRET=hunter2" >"$tmp/secret.env"
chmod 600 "$tmp/secret.env"
echo "HERS=hers" >"$tmp/hers.env"
chown 65534 "$tmp/hers.env"
conf() { # sections on standard input
	{
		printf '[reeved]\nmin-free = 0\n[defaults]\nenv-pass = PATH\n'
		cat
	} >"$tmp/conf"
}
base() {
	cat <<-EOF
		[environment secret]
		env-file = $tmp/secret.env
		env = PLAIN=too
		[environment hers]
		inherit = secret
		users = 65534
		[environment all]
		users = *
		env = A=all
	EOF
}
base | conf
nobody cat "$tmp/secret.env" 2>/dev/null && fail "the secret is no secret"
start_reeved --config="$tmp/conf"

step "who is not named may not name it"
# shellcheck disable=SC2016  # for the shell of the job
show='echo "[$SECRET] [$PLAIN] [$A]"'
assert_exit 4 nobody "$REEVE" add --environment secret -- sh -c "$show" 2>said
grep -q hunter2 said && fail "the secret is told"
assert_eq "why not" \
	"reeve: environment: not permitted: 'secret' is not for you (users of [environment secret])" "$(cat said)"
assert_eq "no job" "[]" "$(nobody "$REEVE" ls --json | jq -c .)"
assert_eq "root may" "[hunter2] [too] []" "$(reeve run --environment secret -- sh -c "$show")"

step "who is named may, and gets what it builds on"
assert_eq "an environment for her" "[hunter2] [too] []" \
	"$(nobody "$REEVE" run --environment hers -w / -- sh -c "$show")"
assert_eq "one for everybody" "[] [] [all]" \
	"$(nobody "$REEVE" run --environment all -w / -- sh -c "$show")"

step "what is in the file is read as it is at the start, and is in no record"
id=$(nobody "$REEVE" add --hold --environment hers -w / -- sh -c "$show")
assert_eq "files" "$tmp/secret.env" \
	"$(nobody "$REEVE" show --json --env "$id" | jq -r '.environment_files[]')"
nobody "$REEVE" show --json --env "$id" | grep -q hunter2 && fail "the secret is shown"
grep -rqa hunter2 "$state" --exclude-dir=output && fail "the secret is in the state directory"
# it was promised to her when it was submitted
base | sed '/^users = 65534/d' | conf
reeve daemon reload >/dev/null
nobody "$REEVE" release "$id"
nobody "$REEVE" wait "$id"
assert_eq "its output" "[hunter2] [too] []" "$(nobody "$REEVE" logs "$id")"
assert_exit 4 nobody "$REEVE" add --environment hers true 2>/dev/null
assert_exit 1 nobody "$REEVE" retry --env "$id" 2>said
assert_match "today it is not hers" "*is not for you*" "$(cat said)"

step "a service has what its section says, whoever its user is"
{
	base
	cat <<-EOF
		[service worker]
		user = 65534
		environment = secret
		cwd = /
		shell-command = $show; exec sleep 1000
	EOF
} | conf
reeve daemon reload >/dev/null
worker() {
	reeve ls --user '*' --json | jq -r '.[] | select(.service == "worker") | .id'
}
until [ -n "$(worker)" ] && [ -n "$(nobody "$REEVE" logs "$(worker)")" ]; do
	settle
done
assert_eq "what it gets" "[hunter2] [too] []" "$(nobody "$REEVE" logs "$(worker)")"

step "what everybody gets by the defaults everybody may have"
base | sed '1i environment = secret' | conf
reeve daemon reload >/dev/null
assert_eq "by default" "[hunter2] [too] []" "$(nobody "$REEVE" run -w / -- sh -c "$show")"

step "a file that is somebody else's, or that others may write, is not read"
base | sed "s|secret.env|hers.env|" | conf
assert_exit 1 reeve daemon reload 2>said
assert_match "somebody else's" \
	"*conf:6: [[]environment secret] env-file: '$tmp/hers.env': it belongs to user 65534: only root's are read*" \
	"$(cat said)"
assert_exit 1 nobody "$REEVE" daemon health >said
assert_eq "that it was refused, and not what the files say" \
	"problems the last reload of the configuration was refused" "$(xargs <said)"
assert_exit 1 reeve daemon health >said
assert_match "to an administrator" "*was refused: $tmp/conf:6: *hers.env*" "$(cat said)"
base | conf
reeve daemon reload >/dev/null
for mode in 620 602 666; do
	chmod "$mode" "$tmp/secret.env"
	id=$(reeve add --environment secret -- sh -c "$show")
	assert_exit 1 reeve wait "$id"
	assert_eq "mode $mode" \
		"start failed: env-file $tmp/secret.env: others than its owner may write it (mode 0$mode)" \
		"$(reeve show --json "$id" | jq -r .job.reason)"
done
chmod 600 "$tmp/secret.env"

step "a link to a file of hers is hers"
ln -s "$tmp/hers.env" "$tmp/link.env"
base | sed "s|secret.env|link.env|" | conf
assert_exit 1 reeve daemon reload 2>said
assert_match "by what it leads to" "*it belongs to user 65534*" "$(cat said)"

step "a link of hers leads to no secret of root's"
mkdir -m 755 "$tmp/hers"
chown 65534 "$tmp/hers"
nobody ln -s "$tmp/secret.env" "$tmp/hers/app.env"
nobody ln -s "$tmp" "$tmp/hers/up"
ln -s hers "$tmp/roots"
for path in hers/app.env hers/up/secret.env roots/app.env; do
	base | sed "s|$tmp/secret.env|$tmp/$path|" | conf
	assert_exit 1 reeve daemon reload 2>said
	assert_match "$path" "*a link on the way to it belongs to user 65534*" "$(cat said)"
done
# one of root's is followed
rm "$tmp/link.env"
ln -s "$tmp//./hers/../secret.env" "$tmp/link.env"
base | sed "s|secret.env|link.env|" | conf
reeve daemon reload >/dev/null
assert_eq "by a link" "[hunter2] [too] []" "$(reeve run --environment secret -- sh -c "$show")"
