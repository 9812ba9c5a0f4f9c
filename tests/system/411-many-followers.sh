#!/bin/sh
# More followers of output than a user may have inotify instances: all of them hear all of
# it, to the end, and the daemon takes one instance for all.
. "${srcdir:-.}/tests/support/system.sh"
hostile="$build/tests/support/hostile"
jobs=100
cat >conf <<END
[pool default]
slots = $jobs
[pool beside]
END
start_reeved --config=conf

n_inotify() {
	find "/proc/$reeved_pid/fd" -lname '*inotify*' | wc -l
}

# count N PATTERN: reads replies from descriptor 6 until N of them had the pattern
count() {
	count_left=$1
	while [ "$count_left" -gt 0 ]; do
		IFS= read -r line <&6
		printf '%s\n' "$line" >>replies
		case $line in
		*'"error"'*) fail "a follower: $line" ;;
		*$2*) count_left=$((count_left - 1)) ;;
		esac
	done
}

step "$jobs jobs with a follower each, and one of them with $jobs more"
mkfifo gate heard
exec 6<>heard 7<>gate
i=0
while [ $i -lt $jobs ]; do
	# the end comes when nobody can write to the gate any more
	echo "exec <'$tmp/work/gate'; echo begun; cat; seq 400; echo the end"
	i=$((i + 1))
done | reeve add --batch - >ids
before=$(n_inotify)
first=$(head -n 1 ids)
: >replies
: >pids
i=0
while [ $i -lt $jobs ]; do
	echo "$first"
	i=$((i + 1))
done | cat ids - >followed
while read -r id; do
	printf '{"method":"io.reeve.Job.Logs","more":true,"parameters":{"follow":true,"select":{"ids":[{"first":%s,"last":%s}]}}}\0' \
		"$id" "$id" | "$hostile" "$REEVE_SOCKET" talk -e >heard 7>&- &
	echo $! >>pids
done <followed
# "begun" and a newline
count $((2 * jobs)) '"data_b64":"YmVndW4K'
now=$(n_inotify)
[ "$now" -le $((before + 1)) ] || fail "$now inotify instances, $before before"
# which follows both streams of its job
assert_eq "reeve run beside them" out "$(reeve run -g beside -c 'echo out' 7>&-)"
exec 7>&-
count $((2 * jobs)) '"ended":true'
while read -r pid; do
	wait "$pid"
done <pids
{
	echo begun
	seq 400
	echo the end
} >expected
jq -j '.parameters.data_b64 | @base64d' replies | wc -c >bytes
assert_eq "bytes that were heard" $((2 * jobs * $(wc -c <expected))) "$(cat bytes)"
reeve wait --all
stop_reeved
