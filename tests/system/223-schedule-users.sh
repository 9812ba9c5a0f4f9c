#!/bin/sh
# Schedules of the machine's daemon: their jobs run as who is named; others neither see nor
# change them.
. "${srcdir:-.}/tests/support/system.sh"
two_users
cat >"$tmp/conf" <<'EOF'
[reeved]
min-free = 0
[schedule theirs]
when = every 1s
user = 65534
command = /bin/sh -c 'echo "$(id -u) $HOME $USER"'
[schedule mine]
when = yearly
user = root
command = true
EOF
# shellcheck disable=SC2034  # start_reeved reads it
reeved_mode=--system
start_reeved --config="$tmp/conf"

step "as whom it runs"
until [ "$(nobody "$REEVE" ls --json --schedule theirs | jq length)" -ge 1 ]; do
	settle
done
id=$(nobody "$REEVE" ls --json --schedule theirs | jq '.[0].id')
nobody "$REEVE" wait "$id"
name=$(id -un 65534)
assert_eq "who" "65534 $(getent passwd 65534 | cut -d: -f6) $name" \
	"$(nobody "$REEVE" logs "$id")"

step "what others see, and may do"
assert_eq "root" "mine theirs" "$(reeve schedule ls --json | jq -r '[.[].name] | join(" ")')"
assert_eq "nobody" theirs "$(nobody "$REEVE" schedule ls --json | jq -r '[.[].name] | join(" ")')"
for verb in show next history; do
	assert_exit 4 nobody "$REEVE" schedule $verb mine 2>/dev/null
	assert_exit 0 nobody "$REEVE" schedule $verb theirs >/dev/null
done
for verb in run pause resume rm; do
	assert_exit 4 nobody "$REEVE" schedule $verb theirs 2>/dev/null
done
assert_exit 4 nobody "$REEVE" schedule add x --when daily true 2>/dev/null
assert_eq "untouched" active "$(reeve schedule show --json theirs | jq -r .state)"
stop_reeved
