#!/bin/sh
# A function that hangs where no thread can be stopped: a file on a file system whose server
# never answers. Its job is cancelled, timed out and recorded as any other, others go on, and
# the daemon ends in time.
. "${srcdir:-.}/tests/support/system.sh"
[ "$(id -u)" = 0 ] || skip "only root can mount what hangs"
[ -c /dev/fuse ] || skip "there is no /dev/fuse"
mkdir "$tmp/work/hang"
exec 7<>/dev/fuse || skip "/dev/fuse cannot be opened"
mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 hang "$tmp/work/hang" 2>/dev/null ||
	skip "a file system in user space cannot be mounted"
# nobody reads from 7: every access waits for ever, until it is killed
unmount() {
	umount -l "$tmp/work/hang" 2>/dev/null || :
	finish
}
trap unmount EXIT
cat >some.conf <<'END'
[reeved]
shutdown-timeout = 2s
END
# a leak check stops all threads first, and waits for those that hang
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
start_reeved --config=some.conf 7>&-
printf abc >file

# hang [OPTION...]: the id of a call that does not end, and has begun to
hang() {
	hang_id=$(reeve call --detach "$@" file.hash "path=$tmp/work/hang/file" 7>&-)
	settle 7>&-
	echo "$hang_id"
}

step "one that hangs ends by its limit and after its grace"
id=$(hang -t 100ms --kill-grace 100ms)
assert_exit 1 reeve wait -q "$id" 7>&-
assert_eq "result" timeout "$(reeve ls --json "$id" 7>&- | jq -r '.[0].result')"

step "one that hangs is cancelled"
id=$(hang --kill-grace 100ms)
reeve cancel "$id" 7>&-
assert_exit 1 reeve wait -q "$id" 7>&-
assert_eq "result" cancelled "$(reeve ls --json "$id" 7>&- | jq -r '.[0].result')"
reeved_says 2 "'file.hash' does not end" 7>&-

step "others go on"
reeve call file.hash "path=$tmp/work/file" 7>&- >/dev/null

step "the daemon does not wait for one"
id=$(hang --kill-grace 1h)
stop_reeved 7>&-
await_gone 10
start_reeved --config=some.conf 7>&-
assert_eq "ended by the shutdown" "held lost shutdown" "$(reeve ls --json "$id" 7>&- |
	jq -r '.[0] | "\(.state) \(.result) \(.reason)"')"

step "nor where it detaches"
reeve release "$id" 7>&-
settle 7>&-
stop_reeved --mode detach 7>&-
await_gone 10
