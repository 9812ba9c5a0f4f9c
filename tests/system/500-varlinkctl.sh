#!/bin/sh
# systemd's varlinkctl (>= 255), as it comes, drives the daemon. With VARLINKCTL another
# command is taken, e.g. "chroot DIR varlinkctl" where /tmp is mounted in DIR.
. "${srcdir:-.}/tests/support/system.sh"
VARLINKCTL=${VARLINKCTL:-varlinkctl}
# shellcheck disable=SC2086
$VARLINKCTL --version >/dev/null 2>&1 || skip "there is no varlinkctl (systemd >= 255)"
start_reeved
address=unix:$REEVE_SOCKET

ctl() {
	# shellcheck disable=SC2086
	timeout 60 $VARLINKCTL "$@"
}

step "introspection"
assert_match "info" "*Product: reeve*" "$(ctl info "$address")"
for i in Daemon Job Pool; do
	assert_match "interfaces" "*io.reeve.$i*" "$(ctl list-interfaces "$address")"
	# it parses what it is given, and prints it anew
	assert_match "$i" "*interface io.reeve.$i*method*" "$(ctl introspect "$address" io.reeve.$i)"
done

step "calls"
assert_eq "Ping" "{}" "$(ctl call "$address" io.reeve.Daemon.Ping '{}')"
id=$(ctl -j call "$address" io.reeve.Job.Submit '{"jobs":[{"command":["echo","hi"]}]}' |
	jq '.ids[0]')
select='{"ids":[{"first":'$id',"last":'$id'}]}'
assert_eq "Wait" 0 "$(ctl -j call "$address" io.reeve.Job.Wait "{\"select\":$select}" |
	jq .waiting)"
ctl call --oneway "$address" io.reeve.Daemon.Ping '{}'

step "streams"
# as a sequence of JSON texts: one with the output, one that says it is the end
ctl -j call --more "$address" io.reeve.Job.Logs "{\"select\":$select,\"follow\":true}" |
	tr -d '\036' >pages
assert_eq "the log" hi "$(jq -r .data_b64 pages | head -n 1 | base64 -d)"
assert_eq "its end" true "$(jq .ended pages | tail -n 1)"
assert_eq "a list" "$id" "$(ctl -j call --more "$address" io.reeve.Job.List '{}' |
	tr -d '\036' | jq '.jobs[].id')"

step "errors"
assert_exit 1 ctl call "$address" io.reeve.Job.Show '{"select":{"ids":[{"first":99,"last":99}]}}' \
	2>error >&2
assert_match "an error of ours" "*io.reeve.Job.NotFound*" "$(cat error)"
assert_exit 1 ctl call "$address" io.reeve.Job.Nope '{}' 2>error >&2
assert_match "no such method" "*MethodNotFound*" "$(cat error)"
assert_exit 1 ctl call "$address" io.reeve.Job.List '{"limit":"x"}' 2>error >&2
assert_match "a wrong type" "*InvalidParameter*" "$(cat error)"
stop_reeved
