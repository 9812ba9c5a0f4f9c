#!/bin/sh
# The directory of the socket vanishes while jobs run: they go on, and the daemon answers
# again once the directory is back. Whoever is connected stays so.
. "${srcdir:-.}/tests/support/system.sh"
export REEVE_SOCKET="$tmp/run/below/reeve.sock"
mkdir "$tmp/run/below"
start_reeved
mkfifo "$tmp/go"

id=$(reeve add -c "echo begun; head -n 1 '$tmp/go'")
mkfifo "$tmp/follow"
reeve logs -f "$id" >"$tmp/follow" &
follower=$!
exec 4<"$tmp/follow"
read -r line <&4
assert_eq "connected" begun "$line"

step "removed under load"
seq 200 | sed 's/.*/true/' | reeve add --batch - >/dev/null
rm -r "$tmp/run/below"
assert_exit 5 reeve daemon ping 2>/dev/null

step "and back"
mkdir "$tmp/run/below"
reeved_says 1 "answering at"
settle
echo over >"$tmp/go"
assert_eq "output" over "$(cat <&4)"
wait "$follower"
reeve wait

step "with all that is above it"
rm -r "$tmp/run"
mkdir -p "$tmp/run/below"
reeved_says 2 "answering at"
settle

step "only the socket"
rm "$REEVE_SOCKET"
reeved_says 3 "answering at"
settle

step "another file in its place, until that goes"
ln -s nothing "$tmp/run/other"
mv -T "$tmp/run/other" "$REEVE_SOCKET"
reeved_says 1 "cannot listen at"
rm "$REEVE_SOCKET"
reeved_says 4 "answering at"
settle

step "more often than connections from before fit into a small table"
# each stays, so that the listener it came by is kept for it
: >nothing
mkfifo until
exec 8<>until
for i in 1 2 3 4 5 6 7 8 9 10; do
	mkfifo said
	"$build/tests/support/hostile" "$REEVE_SOCKET" mute nothing <until >said 8>&- &
	holders="${holders:-} $!"
	assert_eq "a connection" ready "$(head -n 1 said)"
	rm said
	settle
	rm "$REEVE_SOCKET"
	reeved_says $((4 + i)) "answering at"
done
settle
exec 8>&-
# shellcheck disable=SC2086
wait $holders
assert_eq "nothing was lost" 201 "$(reeve ls --json | jq '[.[] | select(.result == "succeeded")] | length')"
stop_reeved
[ ! -e "$REEVE_SOCKET" ] || fail "the socket is still there"
