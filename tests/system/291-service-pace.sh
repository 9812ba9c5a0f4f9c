#!/bin/sh
# More services than are started at one time: all of them come up, jobs are started beside, also
# in the pool that services name, one whose start hangs keeps no other from it, and a daemon that
# is killed in the middle of it leaves neither two of any nor none.
. "${srcdir:-.}/tests/support/system.sh"
n=300
mkfifo "$tmp/gate"
{
	cat <<-END
		[reeved]
		min-free = 0
		[service hangs]
		pre-start = cat $tmp/gate
		command = sleep 1000
		env = MARK=$tmp
	END
	i=0
	while [ "$i" -lt "$n" ]; do
		printf '[service s%s]\ncommand = sleep 1000\nenv = MARK=%s\n' "$i" "$tmp"
		i=$((i + 1))
	done
} >"$tmp/conf"
running() {
	reeve service ls --json | jq '[.[].instances[] | select(.state == "running")] | length'
}
processes() { # NAME: those of the services
	grep -lzsx "MARK=$tmp" /proc/[0-9]*/environ 2>/dev/null | while read -r environ; do
		cat "${environ%/environ}/comm" 2>/dev/null || :
	done | grep -cx "$1" || :
}
until_running() { # N, or more
	until [ "$(running)" -ge "$1" ]; do
		settle
	done
}

step "killed while they are started"
for some in 1 50 200; do
	start_reeved --config="$tmp/conf" --shutdown=detach
	until_running "$some"
	kill -9 "$reeved_pid"
	reeved_ended
done

step "all come up, beside one that hangs"
start_reeved --config="$tmp/conf"
until_running "$n"
assert_eq "processes" "$n" "$(processes sleep)"
assert_eq "the one that hangs" starting "$(reeve service status --json hangs |
	jq -r '.[0].instances[0].state')"

step "all at once once more, and a job beside"
# shellcheck disable=SC2046 # one word each
reeve service restart $(seq -f 's%g' 0 $((n - 1)))
assert_exit 0 reeve run -- true
until_running "$n"
assert_eq "processes" "$n" "$(processes sleep)"

step "in a pool, with jobs beside"
cat >>"$tmp/conf" <<-END
	[pool work]
	slots = $((n + 1))
	[service pooled]
	command = sleep 1000
	pool = work
	env = MARK=$tmp
	instances = $n
END
reeve daemon reload
until_running $((2 * n))
assert_exit 0 reeve run --pool=work -- true
reeve service stop pooled

step "what hung goes on"
echo >"$tmp/gate"
until_running $((n + 1))
assert_eq "processes" $((n + 1)) "$(processes sleep)"
stop_reeved
assert_eq "processes" 0 "$(processes sleep)"

step "a list of more than one message holds"
{
	printf '%s\n' '[reeved]' 'min-free = 0' '[service gate]' 'command = sleep 1000' \
		'ready = notify' 'ready-timeout = infinity'
	for i in 0 1 2 3; do
		printf '[service many%s]\ncommand = sleep 1000\ninstances = 1000\nrequires = gate\n' "$i"
	done
} >"$tmp/conf"
start_reeved --config="$tmp/conf"
n_waiting() {
	reeve service ls --json | jq '[.[].instances[] | select(.state == "waiting")] | length'
}
until [ "$(n_waiting)" -eq 4000 ]; do
	settle
done
assert_eq "services" "gate many0 many1 many2 many3" \
	"$(reeve service ls --json | jq -r 'map(.name) | join(" ")')"
stop_reeved
finish
