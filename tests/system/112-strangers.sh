#!/bin/sh
# Processes that the spawner may not look into, which a user's setuid programs are, hold up
# the ends of their own job only, and of that for a moment.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null &&
	setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$(pwd)/reeved" -a -r "$0"; then
	# root may look into all of them
	exec setpriv --reuid 65534 --regid 65534 --clear-groups sh "$0" "$@"
fi
. "${srcdir:-.}/tests/support/system.sh"
[ "$(id -u)" -ne 0 ] || skip "nobody else can reach the build folder"
[ -u /bin/su ] || skip "no setuid program"
printf '[pool default]\nslots = 2\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
mkfifo begun

step "a job that makes them all the time"
# each in a session of its own, where only its environment would tell whose it is
maker=$(reeve add --leftovers leave -c "while :; do
	(setsid /bin/su -c true >/dev/null 2>&1 </dev/null &)
	i=\$((\${i:-0} + 1))
	[ \$i -ne 20 ] || echo >'$tmp/work/begun'
	sleep 0.02
done")
head -n 1 begun >/dev/null

step "others end"
i=0
while [ $i -lt 100 ]; do
	reeve add true
	i=$((i + 1))
done >ids
# one after the other: what holds each up for a second or more takes too long for all
reeve wait - <ids
reeve cancel "$maker"
reeve wait -q "$maker" || :
stop_reeved
