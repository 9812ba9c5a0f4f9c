#!/bin/sh
# Starts that hang before exec: a directory on a file system whose server never answers, a
# child that is stopped. Others start, end and are killed; the stuck one times out, and says
# where. (A child frozen by its cgroup: tests/unit/spawn/test_spawner_hang.c.)
. "${srcdir:-.}/tests/support/system.sh"
[ "$(id -u)" = 0 ] || skip "only root can mount what hangs"
[ -c /dev/fuse ] || skip "there is no /dev/fuse"
mkdir "$tmp/work/hang"
exec 7<>/dev/fuse || skip "/dev/fuse cannot be opened"
mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 hang "$tmp/work/hang" 2>/dev/null ||
	skip "a file system in user space cannot be mounted"
# nobody reads from 7: every access waits for ever, until it is killed
unmount() {
	status=$?
	umount -l "$tmp/work/hang" 2>/dev/null || :
	finish "$status"
}
trap unmount EXIT
cat >some.conf <<'EOF'
[pool default]
slots = 8
EOF
start_reeved --config=some.conf 7>&-

step "a directory that hangs, with a limit"
id=$(reeve add -w "$tmp/work/hang" --start-timeout 300ms true 7>&-)
other=$(reeve add echo other 7>&-)
reeve wait "$other" 7>&-
assert_eq "another job" other "$(reeve logs "$other")"
assert_exit 1 reeve wait -q "$id" 7>&-
assert_match "where it hung" "chdir *" \
	"$(reeve show "$id" --json | jq -r '(if type == "array" then .[0] else . end) | .run_history[-1] | "\(.step) \(.error)"')"

step "one that hangs is cancelled"
id=$(reeve add -w "$tmp/work/hang" --start-timeout infinity --kill-grace 1s true)
settle
reeve cancel "$id"
assert_exit 1 reeve wait -q "$id"
assert_eq "result" cancelled "$(reeve ls --json | jq -r ".[] | select(.id == $id).result")"

step "several hang, and others go on"
for i in 1 2 3; do
	reeve add -l stuck -w "$tmp/work/hang" --start-timeout 20s true >/dev/null
done
settle
for i in 1 2 3 4 5; do
	assert_eq "output" "$i" "$(reeve run echo "$i")"
done
reeve cancel -l stuck
reeve wait -q -l stuck || :

step "a child that is stopped before exec"
spawner=$(reeve daemon status --json | jq .spawner_pid)
id=$(reeve add -w "$tmp/work/hang" --start-timeout infinity --kill-grace 100ms true)
# each round trip is a chance for it to be there
i=0
until child=$(pgrep -P "$spawner") || [ $i -ge 400 ]; do
	settle
	i=$((i + 1))
done
kill -s STOP "$child"
# it comes back from where it hangs, with an error, and stops there
exec 7>&-
i=0
until grep -q '^State:.*stopped' "/proc/$child/status" || [ $i -ge 400 ]; do
	settle
	i=$((i + 1))
done
grep -q '^State:.*stopped' "/proc/$child/status" || fail "the child does not stop"
for i in 1 2 3 4 5; do
	assert_eq "output" "$i" "$(reeve run echo "$i")"
done
assert_eq "state" starting "$(reeve ls --json "$id" | jq -r '.[0].state')"
reeve cancel "$id"
assert_exit 1 reeve wait -q "$id"
assert_eq "result" cancelled "$(reeve ls --json "$id" | jq -r '.[0].result')"
stop_reeved
umount -l "$tmp/work/hang"
