#!/bin/sh
# More and fewer instances at run time: only the difference is started or stopped; it holds over
# restarts, until the section says something else, or it is reset.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # INSTANCES [LINE]
	cat >"$tmp/conf" <<-EOC
		[reeved]
		min-free = 0
		service-instances-max = 6
		[service web]
		command = sleep 1000
		instances = $1
		env = MARK=$tmp
		${2:-}
		[service other]
		command = sleep 1000
	EOC
}
pids() {
	reeve service status --json web | jq -r '[.[0].instances[].pid] | join(" ")'
}
has() { # WANTED DEFINED: as many instances as wanted, and processes
	assert_eq "wanted, defined, running" "$1 $2 $1" "$(reeve service status --json web |
		jq -r '.[0] | "\(.wanted) \(.defined) \([.instances[] | select(.state == "running")] | length)"')"
	assert_eq "processes" "$1" \
		"$(grep -lzsx "MARK=$tmp" /proc/[0-9]*/environ 2>/dev/null | wc -l)"
}
until_running() { # N
	until [ "$(reeve service status --json web |
		jq '[.[0].instances[] | select(.state == "running")] | length')" -eq "$1" ]; do
		settle
	done
}

conf 2
start_reeved --config="$tmp/conf"
until_running 2
pids=$(pids)

step "more, and less"
reeve service scale web 4
has 4 2
assert_match "those that were there" "$pids *" "$(pids)"
reeve service status web | grep -q "4, set at run time; the configuration says 2" ||
	fail "status does not say it"
reeve service ls | grep '^web .*scaled; the configuration says 2' >/dev/null ||
	fail "ls does not say it"
reeve service scale web 3
has 3 2
assert_match "those that were there" "$pids *" "$(pids)"
assert_eq "the same again" '{"changed":false}' "$(reeve service scale --json web 3)"

step "it holds over a crash, and a reload that leaves its section alone"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
until_running 3
has 3 2
reeve daemon reload >/dev/null
has 3 2

step "limits"
assert_exit 6 reeve service scale web 6 2>said
assert_match "the error" "*service-instances-max = 6*" "$(cat said)"
has 3 2
reeve service scale web 5
has 5 2
for n in -1 1001 many; do
	assert_exit 2 reeve service scale web -- "$n" 2>/dev/null
done
assert_exit 2 reeve service scale web 2>/dev/null
assert_exit 3 reeve service scale nosuch 1 2>/dev/null

step "none, and reset"
reeve service scale web 0
has 0 2
assert_eq "state" stopped "$(reeve service status --json web | jq -r '.[0].state')"
reeve service reset web
until_running 2
has 2 2

step "until its section says something else"
reeve service scale web 4
has 4 2
assert_eq "a reload would leave it" \
	"service.web.instances = 4 was set at run time, and stays" "$(reeve config diff)"
conf 2 "nice = 3"
assert_eq "this one not" "service.web.nice becomes 3; it is restarted
service.web.instances = 4 was set at run time, and is dropped" "$(reeve config diff)"
reeve daemon reload >/dev/null
until_running 2
until [ "$(grep -lzsx "MARK=$tmp" /proc/[0-9]*/environ 2>/dev/null | wc -l)" -eq 2 ] &&
	[ "$(pids | wc -w)" -eq 2 ]; do
	settle
done
reeve service scale web 3
conf 1 "nice = 3"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
until [ "$(pids | wc -w)" -eq 1 ]; do
	settle
done
until_running 1
has 1 1
