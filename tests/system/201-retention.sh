#!/bin/sh
# What is kept: so many finished jobs, so much output of them, oldest first.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[reeved]
	keep-finished-max = 5
	output-total-max = 10G
END
start_reeved --config="$tmp/conf"

step "the oldest finished jobs go"
seq 12 | sed 's/.*/echo &/' | reeve add --batch - >ids
reeve wait
held=$(reeve add --hold true)
until [ "$(reeve ls -q --state finished | wc -l)" -le 5 ]; do settle; done
assert_eq "how many" 5 "$(reeve ls -q --state finished | wc -l)"
assert_eq "the newest are kept" 5 "$(reeve ls --json --state finished |
	jq '[.[].finished_usec] | length')"
assert_exit 3 reeve show 1 2>err
assert_match "removed" "*removed on*" "$(cat err)"
assert_eq "unfinished ones stay" held "$(reeve ls --json "$held" | jq -r '.[0].state')"

step "output over the budget goes, the oldest finished first; the records stay"
reeve clean --finished >/dev/null
cat >"$tmp/conf" <<-END
	[reeved]
	keep-finished-max = 100
	output-total-max = 300K
END
reeve daemon reload >/dev/null
first=$(reeve add -c 'head -c 200000 /dev/zero')
reeve wait "$first"
second=$(reeve add -c 'head -c 200000 /dev/zero')
reeve wait "$second"
until [ "$(reeve logs "$first" 2>/dev/null | wc -c)" -eq 0 ]; do settle; done
assert_eq "the newer one's is whole" 200000 "$(reeve logs "$second" | wc -c)"
assert_exit 0 reeve logs "$first" 2>said
assert_match "what logs says" "*200000 bytes*trimmed*" "$(cat said)"
assert_eq "show's bytes" 200000 "$(reeve show --json "$first" | jq '.run_history[0].output_lost_bytes')"
assert_eq "the record is there" succeeded "$(reeve ls --json "$first" | jq -r '.[0].result')"
used=$(du -sk "$state/output" | cut -f 1)
[ "$used" -lt 800 ] || fail "$used KiB are in use"

step "a job that is run again and again does not fill the disk before it has finished"
mkfifo "$tmp/go"
cat >"$tmp/again" <<-END
	head -c 200000 /dev/zero
	echo >>"$tmp/runs"
	[ "\$(wc -l <"$tmp/runs")" -eq 6 ] || exit 1
	read -r x <"$tmp/go"
END
id=$(reeve add --retries 9 --retry-delay 0 sh "$tmp/again")
until [ "$(reeve ls --json "$id" | jq '.[0].runs')" -eq 6 ]; do settle; done
# five of its runs are over: 1,000,000 bytes
until [ "$(du -sk "$state/output" | cut -f 1)" -lt 800 ]; do settle; done
assert_eq "it goes on" running "$(reeve ls --json "$id" | jq -r '.[0].state')"
reeve cancel "$id"
stop_reeved
