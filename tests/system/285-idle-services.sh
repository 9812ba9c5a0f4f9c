#!/bin/sh
# Five hundred services that run cost nothing while nothing happens: no thread of reeved or of
# its spawner does a system call, whatever is waited for and kept ready beside.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/idle.sh"
n=500
{
	printf '[reeved]\nmin-free = 0\n'
	# every policy; the delays of those that are up are not timers
	for policy in no always on-failure on-success; do
		i=0
		while [ "$i" -lt $((n / 4)) ]; do
			printf '[service %s%s]\ncommand = sleep 1000\nrestart = %s\nrestart-burst = 3\n' \
				"${policy#on-}" "$i" "$policy"
			i=$((i + 1))
		done
	done
	cat <<-'END'
		[service over]
		command = true
		restart = no
		[service later]
		command = false
		restart-delay = 1h
		restart-delay-max = 1h
		restart-jitter = 0
		[service old]
		command = sleep 1000
		max-age = 30d
		[service ready]
		shell-command = systemd-notify --ready || python3 -c 'import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])'; exec sleep 1000
		ready = notify
		ready-timeout = infinity
	END
} >"$tmp/conf"
instances() { # STATE: how many of them are in it
	reeve service ls --json | jq "[.[].instances[] | select(.state == \"$1\")] | length"
}
of() { # SERVICE FILTER of its job
	reeve ls --json | jq -r "map(select(.service == \"$1\"))[0] | $2"
}

start_reeved --config="$tmp/conf"
until [ "$(instances running) $(instances restarting) $(instances exited)" = "$((n + 2)) 1 1" ] &&
	[ "$(of ready '.ready_usec != null')" = true ]; do
	settle
done
quiet "with $n services"

step "one that ends is seen all the same"
pid=$(of always0 .pid)
kill -9 "$pid"
until [ "$(of always0 ".state == \"running\" and .pid != $pid")" = true ]; do
	settle
done
quiet "after one was started again"
stop_reeved
