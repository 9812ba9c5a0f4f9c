#!/bin/sh
# output-total-max: of runs that have ended the one that ended first goes first, also of services;
# then those that go on give their oldest bytes, the largest first. Also over crashes.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # BUDGET
	cat >"$tmp/conf" <<-EOC
		[reeved]
		min-free = 0
		output-total-max = $1
		[defaults]
		output-max = 512K
		[service big]
		shell-command = read -r x <'$tmp/work/big'; head -c 1200000 /dev/zero | tr '\\0' '\\n'; echo big; cat '$tmp/work/wait'
		output-max = 64M
		[service small]
		shell-command = echo first of small; head -c 200000 /dev/zero | tr '\\0' '\\n'; echo small; cat '$tmp/work/wait'
		output-max = infinity
		[service again]
		shell-command = read -r n <'$tmp/work/again'; echo "again \$n"; head -c 100000 /dev/zero
		restart-delay = 1ms
		keep-runs = 100
	EOC
}
kib() { # on disk
	du -sk "$state/output" | cut -f 1
}
until_kib() { # MOST
	until [ "$(kib)" -le "$1" ]; do
		settle
	done
}
lost_of() { # JOB [RUN]
	reeve show --json "$1" | jq "[.run_history[] | select(.run == ${2:-1}) | .output_lost_bytes] | add"
}
job_of() { # SERVICE
	reeve service ls --json "$1" | jq '.[0].instances[0].job'
}
mkfifo big again wait
conf 100M
start_reeved --config="$tmp/conf"
folders=$(kib)

step "runs of services and of jobs go in the order in which they ended"
run_again() { # N
	echo "$1" >again
	until [ "$(reeve show --json "$again" | jq '[.run_history[] | select(.finished_usec)] | length')" -ge "$1" ]; do
		settle
	done
}
until [ "$(job_of again)" != null ]; do settle; done
again=$(job_of again)
run_again 1
one=$(reeve add -c 'head -c 100000 /dev/zero')
reeve wait "$one"
run_again 2
two=$(reeve add -c 'head -c 100000 /dev/zero')
reeve wait "$two"
run_again 3
until reeve service logs -n 1 small | grep -q small; do settle; done
# 200 KiB go on, and 500 have ended: of these two have to go, and no third one
conf 600K
reeve daemon reload >/dev/null
until [ "$(lost_of "$one")" -gt 0 ]; do settle; done
assert_eq "what is gone: again 1, one, again 2, two, again 3" "100008 100000 0 0 0" \
	"$(lost_of "$again" 1) $(lost_of "$one") $(lost_of "$again" 2) $(lost_of "$two") $(lost_of "$again" 3)"
assert_eq "what goes on" "first of small" "$(reeve service logs small | head -n 1)"
until_kib $((folders + 600))

step "the largest of those that go on gives the most"
echo >big
until reeve service logs -n 1 big 2>/dev/null | grep -q big; do settle; done
until_kib $((folders + 600))
assert_eq "all that had ended is gone" "100008 100000 100008 100000 100008" \
	"$(lost_of "$again" 1) $(lost_of "$one") $(lost_of "$again" 2) $(lost_of "$two") $(lost_of "$again" 3)"
assert_eq "the small one is whole" "first of small" "$(reeve service logs small | head -n 1)"
assert_eq "the end of the large one" big "$(reeve service logs -n 1 big)"
big=$(job_of big)
[ "$(lost_of "$big")" -gt 800000 ] || fail "big lost only $(lost_of "$big")"
[ "$(reeve service logs big 2>/dev/null | wc -c)" -gt 150000 ] || fail "more of big is gone than has to be"

step "all of them, when the budget is less than they have"
conf 512K
sed -i 's/^output-total-max = .*/output-total-max = 128K/; s/^output-max = 512K/output-max = 64K/' "$tmp/conf"
reeve daemon reload >/dev/null
until_kib $((folders + 128))
assert_eq "the end of the small one" small "$(reeve service logs -n 1 small)"
assert_eq "the end of the large one" big "$(reeve service logs -n 1 big)"

step "a daemon that is killed while it drops: the next goes on, and forgets no file"
conf 100M
reeve daemon reload >/dev/null
seq 60 | sed "s/.*/head -c 50000 \/dev\/zero/" | reeve add --batch - >ids
reeve wait --all
[ "$(kib)" -gt $((folders + 2900)) ] || fail "only $(kib) KiB"
conf 600K
for _ in 1 2 3; do
	reeve daemon reload >/dev/null
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
done
until_kib $((folders + 600))
last=$(tail -n 1 ids)
assert_eq "the last is there" 0 "$(lost_of "$last")"
assert_eq "the first is not" 50000 "$(lost_of "$(head -n 1 ids)")"
stop_reeved

step "the log has the first of what goes, then no more than a sum each minute, and at the end"
sed -i 's/^output-total-max = .*/output-total-max = 128K/; s/^output-max = 512K/output-max = 64K/' "$tmp/conf"
begun=$(($(wc -l <"$tmp/reeved.log") + 1))
start_reeved --config="$tmp/conf"
for _ in $(seq 20); do
	reeve wait "$(reeve add -c 'head -c 60000 /dev/zero')"
	until_kib $((folders + 128))
done
stop_reeved
tail -n "+$begun" "$tmp/reeved.log" | grep 'dropped.*output-total-max' >told
[ "$(wc -l <told)" -le 5 ] || fail "$(wc -l <told) lines: $(cat told)"
# of all jobs but what the budget holds, and what there was before
[ "$(sed 's/.*dropped \([0-9]*\) .*/\1/' told | awk '{ n += $1 } END { printf "%d", n }')" -ge $((20 * 60000 - 128 * 1024)) ] ||
	fail "what is told is not all: $(cat told)"
[ "$(sed -n 's/.* in \([0-9]*\) goes,.*/\1/p' told | tail -n 1)" -ge 2 ] || fail "no sum: $(cat told)"
