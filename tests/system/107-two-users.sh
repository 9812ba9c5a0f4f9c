#!/bin/sh
# The machine's daemon: a job belongs to the user who submitted it and runs as that user;
# others neither see nor touch it; administrators do.
. "${srcdir:-.}/tests/support/system.sh"
two_users
# shellcheck disable=SC2034  # start_reeved reads it
reeved_mode=--system
start_reeved

step "each runs as who submitted it, with that user's rights"
assert_eq "root's" 0 "$(reeve run -- id -u)"
assert_eq "nobody's" 65534 "$(nobody "$REEVE" run -- id -u)"
assert_eq "no groups of root's" 65534 "$(nobody "$REEVE" run -- id -G)"
assert_eq "input" "by a pipe" "$(echo by a pipe | nobody "$REEVE" run -- cat)"
assert_exit 1 nobody "$REEVE" run -- touch "$tmp/not-mine"
# a nice level below that of the test, and so of the daemon: only there rights are needed
[ "$(nice)" -le -20 ] || assert_exit 125 nobody "$REEVE" run --nice $(($(nice) - 1)) -- true
[ ! -e "$tmp/not-mine" ] || fail "written with root's rights"

step "others' jobs are neither seen nor touched"
id=$(reeve add --hold -- echo secret)
assert_eq "list" "" "$(nobody "$REEVE" ls -q --state held)"
for verb in show cancel release rm logs events ps history stats; do
	assert_exit 4 nobody "$REEVE" "$verb" "$id" 2>said
	assert_match "what, and who may" "*reeve: $verb $id: not permitted: that is for the user whom it belongs to, *" \
		"$(cat said)"
done
assert_exit 4 nobody "$REEVE" set "$id" priority=9
assert_exit 4 nobody "$REEVE" ls --user root
assert_exit 4 nobody "$REEVE" events --user root
assert_eq "events" nobody "$(nobody "$REEVE" events --json --user '*' | jq -r .user | uniq)"
assert_eq "root's own" root "$(reeve events --json | jq -r .user | uniq)"
assert_eq "of both" 2 "$(reeve events --json --user '*' | jq -r .user | sort -u | wc -l)"
assert_exit 4 nobody "$REEVE" daemon stop
assert_exit 4 nobody "$REEVE" daemon reload
reeve add --hold -n shared -l shared true >/dev/null
assert_exit 4 nobody "$REEVE" add --after "$id" true 2>said
assert_match "whose it is" "*after: not permitted: job $id belongs to another user" "$(cat said)"
assert_exit 3 nobody "$REEVE" add --after shared true
assert_exit 3 nobody "$REEVE" add --after @shared true
assert_eq "graph" "[]" "$(nobody "$REEVE" graph --json)"
reeve cancel shared
assert_eq "untouched" held "$(reeve ls --json "$id" | jq -r '.[0].state')"

step "limits, and the order of others' jobs, are the administrators'"
mine=$(nobody "$REEVE" add --hold true)
assert_exit 4 nobody "$REEVE" force "$mine"
assert_exit 4 nobody "$REEVE" move "$mine" first
assert_exit 2 nobody "$REEVE" add --force true
for verb in add pause drain; do
	assert_exit 4 nobody "$REEVE" pool "$verb" default
done
reeve force --user nobody "$mine"
reeve wait --user nobody "$mine"

step "root sees its own, and all when asked"
assert_eq "own" 0 "$(reeve ls --all --json | jq '[.[] | select(.uid != 0)] | length')"
[ "$(reeve ls --all --user '*' --json | jq '[.[] | select(.uid == 65534)] | length')" -ge 4 ] ||
	fail "root does not see the jobs of nobody"

step "root looks at others' jobs when it says whose"
theirs=$(nobody "$REEVE" add -n theirs -- echo their output)
nobody "$REEVE" wait "$theirs"
for job in "$theirs" theirs; do
	assert_eq "show $job" "$theirs" \
		"$(reeve show --user nobody --json "$job" | jq .job.id)"
	assert_eq "logs $job" "their output" "$(reeve logs --user nobody "$job")"
done
assert_eq "run" "their output" "$(reeve logs --user nobody --run 1 "$theirs")"
assert_eq "follow" "their output" "$(reeve logs --user '*' -f "$theirs")"
n=$(reeve ls -q --user nobody | wc -l)
[ "$n" -gt 1 ] || fail "nobody has $n jobs"
assert_eq "show --all" "$n" "$(reeve show --user nobody --all --json | jq .job.uid | grep -cx 65534)"
assert_eq "show of everybody" "$(reeve ls -q --user '*' | xargs)" \
	"$(reeve show --user '*' --all --json | jq .job.id | xargs)"
assert_eq "logs --all" "$n" "$(reeve logs --user nobody --all | grep -c '^==> job')"

step "and is told whose they are when it does not"
for verb in ls show logs wait cancel kill hold rm; do
	assert_exit 3 reeve $verb "$theirs" 2>err
	assert_eq "$verb" "reeve: job $theirs belongs to nobody: --user nobody" "$(cat err)"
done
for verb in ls show logs wait cancel kill hold rm; do
	assert_exit 3 reeve $verb theirs 2>err
	assert_eq "$verb" "reeve: job $theirs belongs to nobody: --user nobody" "$(cat err)"
done
reeve add --hold -n ours true >/dev/null
assert_exit 3 nobody "$REEVE" show ours 2>err
assert_eq "to those who may not know" "reeve: no job is named 'ours'" "$(cat err)"
assert_exit 3 reeve show nobodys 2>err
assert_eq "nobody's at all" "reeve: no job is named 'nobodys'" "$(cat err)"
assert_exit 3 reeve ls --json "$theirs" >out 2>err
assert_eq "as JSON" "$theirs nobody 3" \
	"$(jq -r '"\(.parameters.id) \(.parameters.user) \(.exit_code)"' err)"
assert_exit 3 reeve show --user nobody "$id" 2>err
assert_match "root's" "*belongs to root*" "$(cat err)"
assert_eq "not removed" "$theirs" "$(nobody "$REEVE" ls -q "$theirs")"

step "functions that touch files are root's"
assert_exit 4 nobody "$REEVE" call file.hash path=/etc/passwd
reeve call file.hash path=/etc/passwd >/dev/null
reeve rm --all --force >/dev/null

step "systemd gives the state directory the mode that it has without"
for unit in reeved reeve-spawner; do
	assert_eq "StateDirectoryMode of $unit.service" "0$(stat -c %a "$state")" \
		"$(sed -n 's/^StateDirectoryMode=//p' "$top/conf/system/$unit.service.in")"
done
stop_reeved

step "an administrator of whom the name service says much"
{
	cat /etc/passwd
	echo "much:x:12345:12345:$(head -c 8000 /dev/zero | tr '\0' x):/:/bin/sh"
} >"$tmp/passwd"
if unshare --mount mount --bind "$tmp/passwd" /etc/passwd 2>/dev/null; then
	cat >"$tmp/reeved" <<-END
		#!/bin/sh
		exec unshare --mount sh -c 'mount --bind "$tmp/passwd" /etc/passwd && exec "\$@"' \
			sh "$REEVED" "\$@"
	END
	chmod 755 "$tmp/reeved"
	printf '[reeved]\nadmins = much\n' >"$tmp/conf"
	usual=$REEVED
	REEVED=$tmp/reeved
	start_reeved --config="$tmp/conf"
	REEVED=$usual
	reeve daemon reload
	setpriv --reuid 12345 --regid 12345 --clear-groups "$REEVE" ls --user root
	reeve ls --user much
	assert_exit 2 reeve ls --user nobody-so-called 2>err
	assert_match "what it says" "*no such user*" "$(cat err)"
	stop_reeved
else
	echo "not tested: no /etc/passwd of its own" >&2
fi

step "where it listens by itself, others reach it whatever the umask is"
case $tmp in
/run/*)
	echo "not tested: this test itself is in /run" >&2
	exit
	;;
esac
if ! unshare --mount mount -t tmpfs tmpfs /run 2>/dev/null; then
	echo "not tested: a /run of its own cannot be mounted" >&2
	exit
fi
mkfifo "$tmp/ready"
# shellcheck disable=SC2016  # the inner shell's
(umask 077 && exec unshare --mount sh -c 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"' sh \
	"$REEVED" --system --state-dir="$state" --ready-fd=3) \
	3>"$tmp/ready" >>"$tmp/reeved.log" 2>&1 </dev/null &
reeved_pid=$!
assert_eq "readiness" READY=1 "$(timeout 60 head -n 1 "$tmp/ready")"
within() {
	nsenter --mount --target "$reeved_pid" env -u REEVE_SOCKET "$@"
}
assert_eq "nobody's" 65534 "$(within setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$REEVE" --system run -- id -u)"
within "$REEVE" --system daemon stop
reeved_ended
assert_eq "exit status of reeved" 0 "$reeved_status"
