#!/bin/sh
# Services that crash as soon as they are started, over and over: others are not disturbed, the
# daemon answers, and its log tells all of it in few lines.
. "${srcdir:-.}/tests/support/system.sh"
n=20
burst=30
{
	printf '[reeved]\nmin-free = 0\n[service calm]\ncommand = sleep 1000\n'
	i=0
	while [ "$i" -lt "$n" ]; do
		cat <<-END
			[service bad$i]
			shell-command = exit 7
			restart-delay = 1ms
			restart-delay-max = 5ms
			restart-burst = $burst
			restart-interval = 1h
		END
		i=$((i + 1))
	done
} >"$tmp/conf"
states() { # of the bad ones
	reeve service ls --json |
		jq -r 'map(select(.name != "calm").instances[0].state) | unique | join(" ")'
}

counted() { # PATTERN: ends that are told by number, of those services
	sed -n "s/.*service '$1': \([0-9]*\) more ends* in the last .*/\1/p" "$tmp/reeved.log" |
		awk '{ n += $1 } END { print n + 0 }'
}
pid_of_calm() { # 0: it has none yet
	reeve ls --json | jq 'map(select(.service == "calm"))[0].pid // 0'
}

start_reeved --config="$tmp/conf"
until calm=$(pid_of_calm) && [ "$calm" -gt 0 ]; do
	settle
done
until [ "$(states)" = failed ]; do
	timeout 10 "$REEVE" daemon ping >/dev/null || fail "the daemon does not answer"
done
assert_eq "the calm one" "$calm" "$(pid_of_calm)"
assert_eq "starts" "$((burst + 1))" "$(reeve ls --json |
	jq -r 'map(select(.service and .service != "calm").runs) | unique | join(" ")')"
assert_match "why" "*given up: $burst restarts in 1h were too many; at last it has ended with status 7: reeve service start bad3*" \
	"$(reeve service why bad3 2>&1 | tr '\n' ' ')"

step "each is told at its first end, by number, and at its last"
grep "service 'bad" "$tmp/reeved.log" >told
assert_eq "first ends" "$n" "$(grep -c 'status 7, starting it again in .* the number is told$' told)"
assert_eq "last ends" "$n" "$(grep -c 'status 7, given up: ' told)"
# a minute that ends meanwhile makes two lines of one
assert_eq "counted" $((n * (burst - 1))) "$(counted 'bad[0-9]*')"
[ "$(wc -l <told)" -le $((n * 4)) ] || fail "$(wc -l <told) lines for $n services"
assert_eq "of others" 0 "$(grep -c "service 'calm'" "$tmp/reeved.log" || :)"

step "why is told of one that cannot be started at all"
cat >"$tmp/conf" <<-END
	[reeved]
	min-free = 0
	[service none]
	command = $tmp/work/no-such-program
	restart-delay = 1ms
	restart-burst = 2
END
reeve daemon reload >/dev/null
until [ "$(reeve service ls --json | jq -r 'map(.state) | join(" ")')" = failed ]; do
	settle
done
assert_match "why" "*too many; at last it could not be started: exec '*': No such file*" \
	"$(reeve service why none)"

step "one that crashes when the daemon ends"
cat >"$tmp/conf" <<-END
	[reeved]
	min-free = 0
	[service bad]
	shell-command = exit 7
	restart-delay = 1ms
	restart-delay-max = 5ms
END
reeve daemon reload >/dev/null
until [ "$(reeve ls --json | jq 'map(select(.service == "bad"))[0].runs > 20')" = true ]; do
	settle
done
stop_reeved
[ "$(counted bad)" -ge 20 ] || fail "only $(counted bad) ends were told"
