#!/bin/sh
# Services of the machine's daemon: they run as who is named, which has to be said; others
# neither see nor change them.
. "${srcdir:-.}/tests/support/system.sh"
[ "$(id -u)" -eq 0 ] || skip "only root can be two users"
command -v setpriv >/dev/null || skip "no setpriv"
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
chmod 711 "$tmp"
nobody "$REEVE" version >/dev/null 2>&1 || skip "others cannot reach the build folder"
of() { # SERVICE FILTER
	reeve ls --user '*' --json | jq -r ".[] | select(.service == \"$1\") | $2"
}

step "as whom it runs has to be said"
cat >"$tmp/conf" <<'EOF'
[reeved]
min-free = 0
[service theirs]
command = true
EOF
assert_exit 1 "$REEVED" --check-config --system --config="$tmp/conf" >said 2>&1
assert_match "the error" "*conf:3: *user*" "$(cat said)"

step "as whom it runs"
cat >"$tmp/conf" <<'EOF'
[reeved]
min-free = 0
[service theirs]
user = 65534
shell-command = echo "$(id -u) $HOME $USER"; exec sleep 1000
[service mine]
user = root
command = sleep 1000
EOF
# shellcheck disable=SC2034  # start_reeved reads it
reeved_mode=--system
start_reeved --config="$tmp/conf"
until [ "$(of theirs .state) $(of mine .state)" = "running running" ]; do
	settle
done
id=$(of theirs .id)
until [ -n "$(nobody "$REEVE" logs "$id")" ]; do
	settle
done
assert_eq "who" \
	"65534 $(getent passwd 65534 | cut -d: -f6) $(id -un 65534)" "$(nobody "$REEVE" logs "$id")"
assert_eq "what nobody sees" "$id" "$(nobody "$REEVE" ls --json | jq '.[].id')"

assert_eq "services that nobody sees" theirs \
	"$(nobody "$REEVE" service ls --json | jq -r '.[].name')"
for verb in start stop restart 'service reset'; do
	# shellcheck disable=SC2086
	assert_exit 4 nobody "$REEVE" $verb theirs 2>said
	assert_eq "who may" "reeve: $verb theirs: not permitted: that is for administrators, root and those of admins in reeve.conf" \
		"$(cat said)"
done
assert_exit 4 nobody "$REEVE" varlink io.reeve.Service.Show '{"name":"mine"}' 2>/dev/null
assert_eq "it runs on" "$id running" "$(of theirs '"\(.id) \(.state)"')"

step "as another user it is another job"
stop_reeved
sed -i 's/^user = 65534/user = root/' "$tmp/conf"
start_reeved --config="$tmp/conf"
until [ "$(of theirs '.user + " " + .state')" = "root running" ]; do
	settle
done
[ "$(of theirs .id)" != "$id" ] || fail "a job has changed hands"
assert_exit 3 nobody "$REEVE" show "$id" 2>/dev/null
