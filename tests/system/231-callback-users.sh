#!/bin/sh
# Callbacks in the machine's daemon: as the job's user and never more; those of pools as who
# is named.
# shellcheck disable=SC2016 # the shell of the callback expands it
. "${srcdir:-.}/tests/support/system.sh"
two_users

step "in the machine's daemon it has to be said as whom"
cat >"$tmp/conf" <<EOF
[reeved]
min-free = 0
admins = root

[pool default]
on-empty = id -u
EOF
assert_exit 1 "$REEVED" --system --socket="$REEVE_SOCKET" --state-dir="$state" \
	--config="$tmp/conf" 2>"$tmp/err"
assert_match "where" "*$tmp/conf:6: *on-empty-user: missing*" "$(cat "$tmp/err")"
echo 'on-empty-user = 65534' >>"$tmp/conf"
# shellcheck disable=SC2034  # start_reeved reads it
reeved_mode=--system
start_reeved --config="$tmp/conf"

step "of a job: its user"
id=$(cd / && nobody "$REEVE" add --on-success 'echo "$(id -u) $(id -g) $REEVE_OF_ID"' true)
nobody "$REEVE" wait "$id"
nobody "$REEVE" wait "on-success-$id"
assert_eq "who" "65534 65534 $id" "$(nobody "$REEVE" logs "on-success-$id")"
mine=$(reeve add --on-success 'id -u' true)
reeve wait "$mine"
reeve wait "on-success-$mine"
assert_eq "root's" 0 "$(reeve logs "on-success-$mine")"
cb=$(reeve show --json "$mine" | jq '.callbacks[0]')
assert_exit 4 nobody "$REEVE" logs "$cb" 2>/dev/null
assert_exit 4 nobody "$REEVE" cancel "$cb" 2>/dev/null

step "of a pool: who is named"
until [ "$(nobody "$REEVE" ls --json --name 'on-empty-default' | jq length)" -ge 1 ]; do
	settle
done
e=$(nobody "$REEVE" ls --json --name 'on-empty-default' | jq '.[0].id')
nobody "$REEVE" wait "$e"
assert_eq "who" 65534 "$(nobody "$REEVE" logs "$e")"
assert_exit 4 nobody "$REEVE" pool set default --on-empty id 2>/dev/null
reeve pool add other --on-empty 'echo "$(id -u) $REEVE_OF_POOL"'
assert_eq "who set it is whom it runs as" root \
	"$(reeve pool ls --json | jq -r '.[] | select(.name == "other") | .on_empty_user')"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
id=$(cd / && nobody "$REEVE" add -g other true)
nobody "$REEVE" wait "$id"
until [ "$(reeve ls --json --name 'on-empty-other' | jq length)" -ge 1 ]; do
	settle
done
reeve wait on-empty-other
assert_eq "whoever's job was the last" "0 other" "$(reeve logs on-empty-other)"
stop_reeved

step "of a pool whose command was set by somebody who is not there any more"
mo=64321
grep '^root:' /etc/passwd >"$tmp/passwd"
echo "mo:x:$mo:$mo::/:/bin/sh" >>"$tmp/passwd"
if ! unshare --mount mount --bind "$tmp/passwd" /etc/passwd 2>/dev/null; then
	echo "not tested: an /etc/passwd of its own cannot be mounted" >&2
	finish
fi
cat >"$tmp/reeved" <<-END
	#!/bin/sh
	exec unshare --mount sh -c 'mount --bind "$tmp/passwd" /etc/passwd && exec "\$@"' \
		sh "$REEVED" "\$@"
END
chmod 755 "$tmp/reeved"
REEVED=$tmp/reeved
cat >"$tmp/conf" <<EOF
[reeved]
min-free = 0
admins = root mo

[pool file]
on-empty = true
on-empty-user = root
EOF
start_reeved --config="$tmp/conf"
for verb_pool in add:added set:file; do
	setpriv --reuid $mo --regid $mo --clear-groups "$REEVE" pool "${verb_pool%:*}" \
		"${verb_pool#*:}" --on-empty "echo as \$(id -u) >>$tmp/ran"
done
assert_eq "who set them" "mo mo" "$(reeve pool ls --json |
	jq -r 'map(select(.name | IN("added", "file")).on_empty_user) | join(" ")')"
stop_reeved
sed -i '/^mo:/d' "$tmp/passwd"
sed -i 's/ mo$//' "$tmp/conf"
start_reeved --config="$tmp/conf"
for pool in added file; do
	reeved_says 1 "pool '$pool': who set its on-empty is not known any more"
	reeve run -g "$pool" true
	assert_eq "its command is nobody's to run" 0 \
		"$(reeve ls --json --name "on-empty-$pool" | jq length)"
done
[ ! -e "$tmp/ran" ] || fail "it ran: $(cat "$tmp/ran")"
reeve pool set added --on-empty 'id -u'
reeve pool reset file
for pool in added file; do
	reeve run -g "$pool" true
	reeve wait "on-empty-$pool"
done
assert_eq "set again" 0 "$(reeve logs on-empty-added)"
stop_reeved
finish
