#!/bin/sh
# Runs of services that are too old are replaced, one instance after the other, which counts as
# no restart; services are told to read their configuration again.
. "${srcdir:-.}/tests/support/system.sh"
of() { # SERVICE FILTER
	reeve service status --json "$1" | jq -r "[.[0].instances[] | $2] | join(\" \")"
}

cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[service old]
command = sleep 1000
instances = 2
max-age = 1s
restart-burst = 1
restart-interval = 1h
[service told]
shell-command = trap 'echo read again' HUP; echo up; while :; do sleep 1000 & wait \$!; done
reload-signal = HUP
[service deaf]
command = sleep 1000
EOC
start_reeved --config="$tmp/conf"

step "they are told"
until reeve service logs told 2>/dev/null | grep -q up; do
	settle
done
pid=$(of told .pid)
assert_eq "changed" '{"changed":true}' "$(reeve reload --json told)"
until reeve service logs told | grep -q 'read again'; do
	settle
done
assert_eq "it is the same process" "$pid" "$(of told .pid)"
assert_exit 1 reeve reload deaf 2>said
assert_match "the error" "*deaf*no reload-signal*" "$(cat said)"
assert_exit 3 reeve reload nosuch 2>/dev/null

step "old ones are replaced, and never both at once"
until [ "$(reeve service status --json old |
	jq '[.[0].instances[].starts] | min')" -ge 3 ]; do
	[ "$(reeve service status --json old |
		jq '[.[0].instances[] | select(.state == "running")] | length')" -ge 1 ] ||
		[ "$(of old .starts)" = "1 1" ] || fail "both are down"
done
case $(of old .state) in
*failed*) fail "it was given up: $(reeve service why old)" ;;
esac
assert_eq "short runs" "0 0" "$(of old .short_runs)"

step "also in a daemon that was killed meanwhile"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
starts=$(of old '.starts' | cut -d ' ' -f 1)
until [ "$(of old .starts | cut -d ' ' -f 1)" -gt "$starts" ]; do
	settle
done
