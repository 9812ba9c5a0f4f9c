#!/bin/sh
# A reload touches only what is changed: of two hundred services one; an instance more or less;
# keys that say when one is started again need no restart; a broken file changes nothing.
. "${srcdir:-.}/tests/support/system.sh"
n=200
conf() { # N [SED SCRIPT]: that many services, some of them others
	{
		printf '[reeved]\nmin-free = 0\n'
		i=0
		while [ "$i" -lt "$1" ]; do
			printf '[service s%s]\ncommand = sleep 1000\nenv = MARK=%s\n' "$i" "$tmp"
			i=$((i + 1))
		done
	} | sed "${2:-}" >"$tmp/conf"
}
pids() { # "NAME INSTANCE PID", sorted
	reeve service ls --json |
		jq -r '.[] | .name as $n | .instances[] | "\($n) \(.instance) \(.pid)"' | sort
}
until_all_run() { # HOW MANY instances
	until [ "$(reeve service ls --json |
		jq '[.[].instances[] | select(.state == "running")] | length')" -eq "$1" ] &&
		[ "$(reeve service ls --json | jq '[.[].instances[]] | length')" -eq "$1" ]; do
		settle
	done
}
changed() { # lines that differ between before and after, without pids
	diff before after | sed -n 's/^[<>] \(s[0-9]* [0-9]*\) .*/\1/p' | sort -u | paste -sd, -
}
n_processes() {
	grep -lzsx "MARK=$tmp" /proc/[0-9]*/environ 2>/dev/null | wc -l
}

conf "$n"
start_reeved --config="$tmp/conf"
until_all_run "$n"
pids >before

step "nothing is changed"
reeve daemon reload >/dev/null
pids >after
assert_eq "changed" "" "$(changed)"

step "one of $n, and when it is read again others of what says when they are restarted"
conf "$n" '/^\[service s7\]/a nice = 3
/^\[service s9\]/a restart-delay = 7s
/^\[service s11\]/a restart = no'
begun=$(date +%s%N)
reeve daemon reload >/dev/null
ended=$(date +%s%N)
until [ "$(pids | grep '^s7 ')" != "$(grep '^s7 ' before)" ]; do
	settle
done
until_all_run "$n"
status_begun=$(date +%s%N)
pids >after
status_ended=$(date +%s%N)
echo "reload: $(((ended - begun) / 1000000)) ms, status: $(((status_ended - status_begun) / 1000000)) ms" >&2
assert_eq "changed" "s7 0" "$(changed)"
assert_eq "its job" "$(reeve ls --json | jq 'map(select(.service == "s7"))[0].id')" \
	"$(reeve service status --json s7 | jq '.[0].instances[0].job')"
assert_eq "what has no need of a restart" no \
	"$(reeve service status --json s11 | jq -r '.[0].restart')"

step "instances more, and less: only the difference"
mv after before
conf "$n" '/^\[service s7\]/a nice = 3
/^\[service s20\]/a instances = 3'
reeve daemon reload >/dev/null
until_all_run $((n + 2))
pids >after
assert_eq "changed" "s20 1,s20 2" "$(changed)"
mv after before
conf "$n" '/^\[service s7\]/a nice = 3
/^\[service s20\]/a instances = 2'
reeve daemon reload >/dev/null
until_all_run $((n + 1))
pids >after
assert_eq "changed" "s20 2" "$(changed)"
assert_eq "processes" $((n + 1)) "$(n_processes)"

step "one is changed in several instances: one goes after the other"
mv after before
conf "$n" '/^\[service s7\]/a nice = 3
/^\[service s20\]/a instances = 2\
nice = 5'
reeve daemon reload >/dev/null
until [ "$(pids | grep -c -f - before)" -eq $((n - 1)) ]; do
	[ "$(reeve service status --json s20 |
		jq '[.[0].instances[] | select(.state == "running")] | length')" -ge 1 ] ||
		fail "both are down"
done
until_all_run $((n + 1))
pids >after
assert_eq "changed" "s20 0,s20 1" "$(changed)"

step "one is gone, and a new one is there"
mv after before
conf "$n" '/^\[service s7\]/a nice = 3
/^\[service s20\]/a instances = 2\
nice = 5
s/^\[service s30\]/[service t30]/'
reeve daemon reload >/dev/null
until_all_run $((n + 1))
pids >after
assert_eq "changed" "s30 0" "$(changed)"
assert_exit 3 reeve service status s30 2>/dev/null
until [ "$(reeve ls --json | jq '[.[] | select(.service == "s30")] | length')" -eq 0 ]; do
	settle
done
assert_eq "processes" $((n + 1)) "$(n_processes)"

step "what a reload would do is told"
sed '/^\[service s1\]/a nice = 4\
restart-delay = 9s
/^\[service s2\]/,/^env/d' "$tmp/conf" >"$tmp/next"
cp "$tmp/next" "$tmp/conf"
assert_eq "diff" "service.s1.nice becomes 4; it is restarted
service.s1.restart-delay becomes 9s, was 1s
service.s2 goes; it is stopped" "$(reeve config diff)"

step "a broken file changes nothing, and all of what is wrong is told"
pids >before
conf "$n" '/^\[service s7\]/d
/^\[service s8\]/a restart = maybe
/^\[service s9\]/a slots = 2'
assert_exit 1 reeve daemon reload 2>said
assert_match "one error" "*restart: not no|always|*" "$(cat said)"
pids >after
assert_eq "changed" "" "$(changed)"
conf $((n + 1)) 's/^min-free = 0/min-free = 0\
service-instances-max = 200/'
assert_exit 1 reeve daemon reload 2>said
assert_match "too many" "*there are more than service-instances-max = 200*" "$(cat said)"
pids >after
assert_eq "changed" "" "$(changed)"
