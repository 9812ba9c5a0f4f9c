#!/bin/sh
# The configuration: read at the start, again at SIGHUP and daemon reload, checked by
# --check-config; a broken one changes nothing.
. "${srcdir:-.}/tests/support/system.sh"
conf=$tmp/reeve.conf
good() {
	printf '[reeved]\nkeep-finished-max = %s\n[pool default]\nslots = %s\n' "$1" "$2" >"$conf"
}
slots() {
	reeve varlink io.reeve.Pool.List | jq '.pools[] | select(.name == "default").slots'
}

step "a broken one is reported as a whole, and no daemon starts with half of it"
cat >"$conf" <<-END
	[reeved]
	durabilty = full
	min-free = plenty
	[pool default]
	slots = 1
	slots = 2
	[nonsense]
END
status=0
"$REEVED" --check-config --config="$conf" >"$tmp/out" 2>&1 || status=$?
assert_eq "exit status" 1 "$status"
for line in "$conf:2:*durability" "$conf:3:*min-free" "$conf:6:*slots" "$conf:7:*nonsense"; do
	assert_match "errors" "*$line*" "$(cat "$tmp/out")"
done
assert_exit 1 reeve config check "$conf" 2>/dev/null
status=0
"$REEVED" --user --config="$conf" --socket="$REEVE_SOCKET" --state-dir="$state" \
	>"$tmp/out" 2>&1 || status=$?
assert_eq "exit status" 1 "$status"
assert_match "errors" "*$conf:7:*" "$(cat "$tmp/out")"
[ ! -e "$REEVE_SOCKET" ] || fail "it made a socket"

step "a good one"
good 50 3
assert_eq "check" "configuration is good" "$("$REEVED" --check-config --config="$conf")"
reeve config check "$conf" >/dev/null
start_reeved --config="$conf"
assert_eq "slots" 3 "$(slots)"
assert_eq "files" "$conf" "$(reeve daemon status --json | jq -r '.config_files[0]')"

step "daemon reload says what changed"
good 60 5
assert_match "changes" "*keep-finished-max*" "$(reeve daemon reload)"
assert_eq "slots" 5 "$(slots)"

step "SIGHUP reads it again"
good 60 7
kill -s HUP "$reeved_pid"
reeved_says 1 "configuration read again"
assert_eq "slots" 7 "$(slots)"

step "a broken one is refused and changes nothing"
good 60 eleven
assert_exit 1 reeve daemon reload 2>"$tmp/err"
assert_match "the error" "*$conf:4:*slots*" "$(cat "$tmp/err")"
kill -s HUP "$reeved_pid"
reeved_says 1 "configuration not taken over"
assert_eq "slots" 7 "$(slots)"
refused="the last reload of the configuration was refused: $conf:4: *eleven*"
assert_exit 1 reeve daemon health >said
assert_match "health" "*$refused" "$(cat said)"
assert_match "status" "$refused" "$(reeve daemon status --json | jq -r '.problems[]')"
good 60 7
assert_exit 1 reeve daemon health >said
kill -s HUP "$reeved_pid"
reeved_says 2 "configuration read again"
assert_eq "health, once it is taken over" healthy "$(reeve daemon health)"
good 60 eleven

step "what is gone from it"
printf '\n[pool other]\nslots = 1\n[defaults]\npriority = 4\n' >>"$conf"
sed -i 's/eleven/7/' "$conf"
assert_match "changes" "*other*priority*" "$(reeve daemon reload | xargs)"
first=$(reeve add -g other tail -f /dev/null)
second=$(reeve add -g other true)
good 60 7
reeve daemon health >/dev/null
gone="the configuration has no [pool other] any more"
reeve daemon reload >"$tmp/out"
assert_match "changes" "*other*priority*" "$(xargs <"$tmp/out")"
grep -qF "$gone, and 1 job waits in it" "$tmp/out" || fail "reload says: $(cat "$tmp/out")"
reeved_says 1 "$gone, and 1 job waits in it"
assert_exit 1 reeve daemon health >"$tmp/out"
grep -qF "$gone, and 1 job waits in it" "$tmp/out" || fail "health says: $(cat "$tmp/out")"
assert_exit 2 reeve add -g other true 2>"$tmp/err"
assert_match "a pool that is gone" "*no such pool*" "$(cat "$tmp/err")"
reeve cancel "$first"
assert_exit 1 reeve wait -q "$first"
settle
assert_eq "its jobs stay" "queued $gone" \
	"$(reeve show --json "$second" | jq -r '"\(.job.state) \(.why)"')"
stop_reeved
start_reeved --config="$conf"
reeved_says 2 "$gone, and 1 job waits in it"
# it answers before it knows what became of runs: nothing starts until then
until [ "$(reeve show --json "$second" | jq -r '"\(.job.state) \(.why)"')" = "queued $gone" ]; do
	settle
done
mkfifo "$tmp/says"
"$REEVE" wait "$second" 2>"$tmp/says" &
waiting=$!
assert_eq "what wait says" "reeve: job $second waits: $gone" "$(timeout 60 head -n 1 "$tmp/says")"
rm "$tmp/says"
printf '\n[pool other]\nslots = 1\n' >>"$conf"
reeve daemon reload
wait "$waiting"
reeve wait "$second"
reeve daemon health >/dev/null
stop_reeved

step "what needs a restart is told as it is until then"
printf '[reeved]\nmessage-max = 16K\n' >"$conf"
start_reeved --config="$conf"
printf '[reeved]\nmessage-max = 1M\n' >"$conf"
assert_match "changes" "*needs restart*message-max*" "$(reeve daemon reload | xargs)"
assert_eq "status" 16384 "$(reeve daemon status --json | jq .message_max_bytes)"
assert_eq "and that it waits" '["reeved.message-max"]' \
	"$(reeve daemon status --json | jq -c .restart_needed)"
assert_match "in words" "*needs restart *reeved.message-max*" "$(reeve daemon status)"
printf '[reeved]\nmessage-max = 16K\n' >"$conf"
assert_eq "as it was" '[]' "$(reeve daemon reload --json | jq -c .restart_needed)"
printf '[reeved]\nmessage-max = 1M\ndurability = off\n' >"$conf"
assert_match "also with another" "*needs restart*message-max*" "$(reeve daemon reload | xargs)"
assert_eq "what it works with" full "$(reeve daemon status --json | jq -r .durability)"
long=$(head -c 2000 /dev/zero | tr '\0' x)
seq 20 | sed "s/.*/true $long/" >lines
assert_eq "a batch" 20 "$(env -i "REEVE_SOCKET=$REEVE_SOCKET" "$REEVE" add --batch lines | wc -l)"
reeve wait
stop_reeved
