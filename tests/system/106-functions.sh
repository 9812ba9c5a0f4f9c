#!/bin/sh
# Functions: jobs that run inside of the daemon, queued, limited and recorded alike.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved

step "results are JSON"
printf 'abc' >file
assert_eq "file.hash" "$(printf abc | sha256sum | cut -d ' ' -f 1)" \
	"$(reeve call file.hash path="$tmp/work/file" | jq -r '.. | strings' | grep -xE '[0-9a-f]{64}')"
assert_eq "dns.lookup" true "$(reeve call dns.lookup name=127.0.0.1 |
	jq '[.. | strings] | any(. == "127.0.0.1")')"
# what a minimal system, without /etc/hosts, does not know
if getent ahosts localhost >/dev/null; then
	assert_eq "dns.lookup" true "$(reeve call dns.lookup name=localhost |
		jq '[.. | strings] | any(. == "127.0.0.1" or . == "::1")')"
fi
reeve call sleep seconds:=0.001 >/dev/null
bad=$tmp/work/$(printf '\377\376')
printf 'abc' >"$bad"
assert_eq "a path that is not UTF-8" "$(reeve call file.hash path="$tmp/work/file")" \
	"$(reeve call file.hash path="$bad")"

step "they are jobs"
id=$(reeve call --detach -n mine file.hash path="$tmp/work/file")
reeve wait "$id"
assert_eq "job" "mine finished succeeded" "$(reeve ls --json "$id" |
	jq -r '.[0] | "\(.name) \(.state) \(.result)"')"
reeve show --json "$id" | jq -e '.run_history[0].value != null' >/dev/null ||
	fail "its result was not kept"

step "limits and cancel hold for them"
id=$(reeve call --detach -t 20ms sleep seconds=1h)
reeve wait -q "$id" || :
assert_eq "timeout" timeout "$(reeve ls --json "$id" | jq -r '.[0].result')"
id=$(reeve call --detach sleep seconds=1h)
reeve cancel "$id"
reeve wait -q "$id" || :
assert_eq "cancel" cancelled "$(reeve ls --json "$id" | jq -r '.[0].result')"
assert_exit 1 reeve call -t 20ms sleep seconds=1h 2>/dev/null

step "wrong ones"
assert_exit 2 reeve call no.such.function 2>err
assert_match "error" "*no such function*" "$(cat err)"
assert_exit 2 reeve call file.hash 2>err
assert_match "error" "*path*" "$(cat err)"
assert_exit 2 reeve call file.hash path="$tmp/work/file" colour=red 2>/dev/null
assert_exit 2 reeve call file.hash path:=7 2>/dev/null
assert_exit 2 reeve call file.hash path=relative 2>/dev/null
assert_exit 1 reeve call file.hash path="$tmp/none" 2>/dev/null

# no name service is needed to know that this is no name
assert_exit 1 reeve call file.hash path="$tmp/none" 2>error
assert_eq "why it failed" 1 "$(grep -o 'No such file or directory' error | wc -l)"
assert_exit 1 reeve call dns.lookup name=no..name 2>error
assert_match "why it failed" "reeve: dns.lookup: job * failed, no..name: *" "$(cat error)"
assert_eq "and not twice" 0 "$(grep -c 'No such file' error)"
words=$(sed 's/.*no\.\.name: //' error)

step "what is said of an end is not cut where it tells why"
for n in 79 120; do
	name=$(printf "%${n}s" "" | sed 's/ /é/g')..
	assert_exit 1 reeve call dns.lookup "name=$name" 2>error
	assert_match "$n characters" "reeve: dns.lookup: job * failed, $name: $words" "$(cat error)"
done
# a path of 4,000 bytes loses its middle
long=$tmp/$(head -c 3900 /dev/zero | tr '\0' / )none/
mkdir "$tmp/none"
assert_exit 1 reeve call file.hash "path=$long" 2>error
assert_match "a long path" "reeve: file.hash: job * failed, '$tmp*...*/none/' is not a regular file" \
	"$(cat error)"
[ "$(wc -c <error)" -lt 1200 ] || fail "$(wc -c <error) bytes"
stop_reeved
