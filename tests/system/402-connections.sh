#!/bin/sh
# More connections and calls than may be: the surplus is told so, politely, and once there
# is room again everyone is served.
. "${srcdir:-.}/tests/support/system.sh"
hostile="$build/tests/support/hostile"
prlimit --pid $$ --nofile=4096:4096 2>/dev/null || skip "4,096 descriptors are not allowed"

flood() {
	"$hostile" "$REEVE_SOCKET" flood "$1" >flooded
	head -n 1 flooded
}

step "2,000 at one time"
start_reeved
assert_eq "2,000 at once" "served 1024 refused 976 other 0" "$(flood 2000)"
assert_match "what the surplus is told" \
	'*"io.reeve.Job.LimitReached",*"connections-per-user-max","maximum":1024*' \
	"$(cat flooded)"
id=$(reeve add echo after)
reeve wait "$id"
assert_eq "again" "served 1024 refused 976 other 0" "$(flood 2000)"
assert_eq "log" after "$(reeve logs "$id")"
stop_reeved

step "connections-max"
cat >limits.conf <<'EOF'
[reeved]
connections-max = 10
calls-in-flight-max = 4
EOF
start_reeved --config=limits.conf
assert_eq "exactly at the limit" "served 10 refused 0 other 0" "$(flood 10)"
assert_eq "one more" "served 10 refused 1 other 0" "$(flood 11)"
assert_match "what it is told" '*"connections-max","maximum":10*' "$(cat flooded)"
# the CLI says it, too
mkfifo held said
: >nothing
"$hostile" "$REEVE_SOCKET" mute -n 10 nothing <held >said &
holder=$!
exec 8>held
assert_eq "the others" ready "$(head -n 1 said)"
assert_exit 6 reeve ls 2>error
assert_match "what reeve says" "*connections-max*10*" "$(cat error)"
exec 8>&-
wait "$holder"
settle

step "calls in flight"
# 4 that wait take all the room: the ping behind them is answered after they are
mkfifo go
id=$(reeve add -c "read -r x <'$tmp/work/go'")
wait_call=$(printf '{"method":"io.reeve.Job.Wait","parameters":{"select":{"ids":[{"first":%s,"last":%s}]}}}' "$id" "$id")
for _ in 1 2 3 4 5 6; do
	printf '%s\0' "$wait_call"
done >waits
printf '{"method":"io.reeve.Daemon.Ping"}\0' >>waits
"$hostile" "$REEVE_SOCKET" talk -n 7 <waits >replies &
talker=$!
settle
assert_eq "early replies" "" "$(cat replies)"
echo >go
wait "$talker"
assert_eq "replies" 7 "$(wc -l <replies)"
assert_eq "the last" '{"parameters":{}}' "$(tail -n 1 replies)"
# far more than are allowed at one time: all are answered, in order
printf '{"method":"io.reeve.Daemon.Ping"}\0{"method":"io.reeve.Pool.List"}\0' |
	"$hostile" "$REEVE_SOCKET" talk -r 2000 -n 4000 >replies
assert_eq "pipelined replies" 4000 "$(wc -l <replies)"
assert_eq "in order" 2000 "$(awk 'NR % 2 && $0 == "{\"parameters\":{}}"' replies | wc -l)"
stop_reeved
