#!/bin/sh
# Messages that break the protocol, or mean nothing: each is answered with what is wrong,
# the connection is closed where its bytes can be trusted no more, and nobody else notices.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved
hostile="$build/tests/support/hostile"
job=io.reeve.Job
invalid='"error":"org.varlink.service.InvalidParameter"'

talk() {
	"$hostile" "$REEVE_SOCKET" talk "$@"
}

# repeat N CHARACTER
repeat() {
	head -c "$1" /dev/zero | tr '\0' "$2"
}

# broken NAME REASON < BYTES: one error that says why, then the daemon closes
broken() {
	found=$(talk)
	assert_match "$1" "{$invalid,\"parameters\":{\"parameter\":\"message\",\"reason\":\"$2\"}}" \
		"$found"
}

# refused NAME PATTERN < BYTES: an error, and the connection goes on
refused() {
	{
		cat
		printf '{"method":"io.reeve.Daemon.Ping"}\0'
	} >message
	found=$(talk -n 2 <message)
	assert_match "$1" "$2
{\"parameters\":{}}" "$found"
}

# call METHOD PARAMETERS: one message
call() {
	printf '{"method":"%s","parameters":%s}\0' "$1" "$2"
}

submit() {
	call "$job.Submit" "{\"jobs\":[$1]}"
}

step "no message"
printf 'GET / HTTP/1.1\r\n\r\n\0' | broken "not JSON" "not a JSON object*"
printf '[1,2]\0' | broken "an array" "not a JSON object*"
printf '"x"\0' | broken "a string" "not a JSON object*"
printf '\0' | broken "an empty one" "not a JSON object*"
printf '{"method":\0' | broken "half of one" "*"
# whatever follows: the first byte is none of a message
{
	printf x
	head -c 4096 /dev/urandom | tr '\0' x
} | broken "unterminated noise" "not a JSON object*"
assert_eq "unterminated" "" "$(printf '{"method":"io.reeve.Daemon.Ping"' | talk -e)"
assert_eq "unterminated, after one that is whole" '{"parameters":{}}' \
	"$(printf '{"method":"io.reeve.Daemon.Ping"}\0{"meth' | talk -e)"

step "too much"
# white space belongs to no value, so that exactly the message has its size
{
	printf '{"method":"io.reeve.Daemon.Ping"'
	repeat $((262144 - 33)) ' '
	printf '}\0'
} >message
assert_eq "exactly at the limit" '{"parameters":{}}' "$(talk -n 1 <message)"
{
	printf '{"method":"io.reeve.Daemon.Ping"'
	repeat $((262144 - 32)) ' '
	printf '}\0'
} | broken "one byte over the limit" "message over 262144 bytes"
repeat 400000 '{' | broken "over the limit without an end" "*"
nested() {
	printf '{"method":"io.reeve.Daemon.Ping","parameters":{"x":'
	repeat "$1" '['
	repeat "$1" ']'
	printf '}}\0'
}
nested 30 | refused "as deep as may be" "{$invalid,\"parameters\":{\"parameter\":\"x\",*"
nested 31 | broken "too deep" "nested more than 32 deep"
nested 100000 | broken "far too deep" "nested more than 32 deep"

step "not to be taken at its word"
printf '{"method":"io.reeve.Daemon.Ping","method":"io.reeve.Daemon.Stop"}\0' |
	broken "a key twice" "duplicate key*"
call "$job.List" '{"limit":1,"limit":2}' | broken "a key twice, deeper" "duplicate key*"
# the same key, written in two ways
call "$job.List" '{"limit":1,"li\\u006dit":2}' | sed 's/\\\\/\\/g' |
	broken "a key twice, escaped" "duplicate key*"
submit '{"command":["\377\376"]}' >message
printf '{"method":"%s","parameters":{"jobs":[{"command":["\377\376"]}]}}\0' "$job.Submit" |
	broken "invalid UTF-8" "invalid UTF-8*"
printf '{"method":"%s","parameters":{"jobs":[{"command":["\355\240\200"]}]}}\0' \
	"$job.Submit" | broken "a surrogate in UTF-8" "invalid UTF-8*"
printf '{"method":"%s","parameters":{"jobs":[{"command":["a\\u0000b"]}]}}\0' "$job.Submit" |
	broken "an embedded NUL" "NUL in a string*"
submit '{"command":["true"],"priority":99999999999999999999999}' |
	broken "a number that nothing holds" "number out of range*"

step "wrong types"
printf '{"method":3}\0' | refused "method" "{$invalid,*\"method\",*"
printf '{}\0' | refused "no method" "{$invalid,*\"method\",*"
printf '{"method":"io.reeve.Daemon.Ping","parameters":[]}\0' |
	refused "parameters" "{$invalid,*\"parameters\",*"
printf '{"method":"io.reeve.Daemon.Ping","more":1}\0' | refused "more" "{$invalid,*\"more\",*"
call "$job.List" '{"limit":"x"}' | refused "a parameter" "{$invalid,*\"limit\",*"
call "$job.List" '{"select":{"ids":[{"first":"1","last":2}]}}' |
	refused "deep in a parameter" "{$invalid,*\"select.ids?0?.first\",*"
submit '{"command":["true"],"priority":1.5}' |
	refused "a float" "{$invalid,*\"jobs?0?.priority\",*"
submit '{"command":["true"],"bogus":1}' |
	refused "an unknown member" "{$invalid,*\"jobs?0?.bogus\",*"
submit '{"command":["true"],"leftovers":"burn"}' |
	refused "an unknown word" "{$invalid,*\"jobs?0?.leftovers\",*"

step "numbers below 0"
call "$job.List" '{"limit":-1}' | refused "limit" "{$invalid,*\"limit\",*below 0*"
call "$job.List" '{"from_id":-1}' | refused "from_id" "{$invalid,*\"from_id\",*"
call "$job.Wait" '{"timeout_usec":-1}' |
	refused "timeout_usec" "{$invalid,*\"timeout_usec\",*"
for member in lines offset; do
	printf '{"method":"%s.Logs","more":true,"parameters":{"select":{"newest":true},"%s":-1}}\0' \
		"$job" $member | refused "$member" "{$invalid,*\"$member\",*"
done

step "unknown methods, and what cannot be"
printf '{"method":"%s.Nope"}\0' $job |
	refused "a method" '{"error":"org.varlink.service.MethodNotFound",*Nope*'
printf '{"method":"io.nope.Ping"}\0' |
	refused "an interface" '{"error":"org.varlink.service.InterfaceNotFound",*io.nope*'
printf '{"method":"Ping"}\0' | refused "no interface" "{$invalid,*\"method\",*"
printf '{"method":"%s.List","upgrade":true}\0' $job |
	refused "upgrade" "{$invalid,*\"upgrade\",*"
call $job.Logs '{"select":{"newest":true}}' |
	refused "Logs without more" '{"error":"org.varlink.service.ExpectedMore",*'

step "values that no job can have"
bad() { # FIELD SPEC
	submit "$2" | refused "$1: $2" "{\"error\":\"$job.Invalid\",\"parameters\":{\"job\":0,\"field\":\"$1\",*"
}
bad command '{}'
bad command '{"command":[]}'
bad command '{"command":[""]}'
bad command '{"command":["x"],"command_b64":["eA=="]}'
bad command '{"command_b64":["YQBi"]}'
bad command '{"command_b64":["not base64!"]}'
bad priority '{"command":["true"],"priority":1000001}'
bad cwd '{"command":["true"],"cwd":"relative"}'
bad stdin '{"command":["true"],"stdin":"input:../../etc/passwd"}'
bad pool '{"command":["true"],"pool":"nowhere"}'
bad kill_signal '{"command":["true"],"kill_signal":"SIGNOPE"}'
bad env '{"command":["true"],"env":["NO_EQUAL_SIGN"]}'
bad env '{"command":["true"],"env":["=no name"]}'
bad function '{"function":"no.such"}'
for entry in NO_EQUAL_SIGN '=no name' ''; do
	call $job.Submit "{\"jobs\":[{\"command\":[\"true\"]}],\"env\":[\"A=1\",\"$entry\"]}" |
		refused "the caller's environment: '$entry'" "{$invalid,*\"env?1?\",*"
done
call $job.Submit '{"jobs":[]}' | refused "no jobs" "{$invalid,*\"jobs\",*"
# the second of three is not possible: none is submitted
call $job.Submit '{"jobs":[{"command":["true"]},{"command":[]},{"command":["true"]}]}' |
	refused "one of three" "{\"error\":\"$job.Invalid\",\"parameters\":{\"job\":1,*"

step "ids that do not exist"
assert_eq "submitted" "[]" "$(reeve ls --json)"
for verb in show logs cancel kill hold release retry rm; do
	assert_exit 3 reeve $verb 4711 2>error
	assert_match "$verb of an unknown id" "*4711*" "$(cat error)"
done
assert_exit 3 reeve wait 4711 2>/dev/null
assert_exit 2 reeve show 99999999999999999999 2>/dev/null
assert_exit 2 reeve show 0 2>/dev/null
id=$(reeve add true)
reeve wait "$id"
for run in 0 -1 4294967297; do
	printf '{"method":"%s.Logs","more":true,"parameters":{"select":{"newest":true},"run":%s}}\0' \
		"$job" "$run" | refused "run $run" "{$invalid,*\"run\",*"
done
reeve rm "$id"
assert_exit 3 reeve show "$id" 2>error
assert_match "a removed id" "*removed on*" "$(cat error)"

step "clients that do not read or end their words"
(
	for _ in 1 2 3 4 5 6 7 8; do
		head -c 100000 /dev/urandom | talk -e >/dev/null &
	done
	wait
)
settle
stop_reeved
