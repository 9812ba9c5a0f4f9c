# shellcheck shell=sh
# For system tests of a full disk: the state directory is a small file system, which goes with the
# test. Read after system.sh.
[ "$(id -u)" = 0 ] || skip "only root can mount a small file system"
mkdir "$state"
mount -t tmpfs -o size=6m,mode=700 reeve-test "$state" 2>/dev/null ||
	skip "a small file system cannot be mounted"
unmount() {
	status=$?
	[ -z "$reeved_pid" ] || kill -s TERM "$reeved_pid" 2>/dev/null || :
	"$build/tests/support/await_gone" -k 60 "$tmp" || :
	umount -l "$state" || :
	finish "$status"
}
trap unmount EXIT
fill() { # to the last byte: what dd cannot write any more is what we want
	dd if=/dev/zero of="$state/filler" bs=64k 2>/dev/null || :
	dd if=/dev/zero of="$state/filler2" bs=1 count=4096 2>/dev/null || :
}
