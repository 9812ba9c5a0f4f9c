#!/bin/sh
# What wait can wait for: the first end, the first failure, an empty pool.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 8
	[pool other]
	slots = 2
END
start_reeved --config="$tmp/conf"
mkfifo gate code
exec 7<>gate

# connected N: until the daemon has so many connections
connected() {
	i=0
	until [ "$(awk -v path="$REEVE_SOCKET" '$6 == "03" && $8 == path' /proc/net/unix |
		wc -l)" -ge "$1" ]; do
		i=$((i + 1))
		[ $i -lt 10000 ] || fail "no $1 connections"
	done
}

step "--any: the first end, its id and its exit code"
a=$(reeve add --hold true)
b=$(reeve add -c 'head -n 1 gate >/dev/null; exit 3')
# shellcheck disable=SC2016 # the job's
c=$(reeve add -c 'read -r code <code; exit $code')
"$REEVE" wait --any "$a" "$b" "$c" >any 2>any.err &
waiter=$!
connected 1
echo >&7
assert_exit 1 wait "$waiter"
assert_eq "the id" "$b" "$(cat any)"
assert_eq "how it ended" "reeve: job $b failed, exit 3" "$(cat any.err)"
assert_eq "one that had ended" "$b" "$(reeve wait -q --any "$b" "$c" || :)"
"$REEVE" wait --json --any "$a" "$c" >any &
waiter=$!
connected 1
echo 0 >code
assert_exit 0 wait "$waiter"
assert_eq "json" "[1,1,0,[$c]]" "$(jq -c '[.waiting, .succeeded, .failed, [.jobs[].id]]' any)"
reeve release "$a"
reeve wait "$a"
assert_eq "several had ended: one" "1" "$(reeve wait -q --any "$a" "$b" "$c" | wc -l)"
assert_eq "nothing unfinished" "" "$(reeve wait --any)"
assert_exit 3 reeve wait --any -l nobody 2>/dev/null
d=$(reeve add --hold true)
assert_exit 124 reeve wait --any -t 1ms "$d" 2>/dev/null

step "--first-failure leaves the others alone"
e=$(reeve add -c 'head -n 1 gate >/dev/null')
# shellcheck disable=SC2016 # the job's
f=$(reeve add -c 'read -r code <code; exit $code')
"$REEVE" wait --first-failure "$d" "$e" "$f" 2>first.err &
waiter=$!
connected 1
echo >&7
reeve wait "$e"
echo 4 >code
assert_exit 1 wait "$waiter"
assert_eq "told" "reeve: job $f failed, exit 4" "$(cat first.err)"
assert_eq "the other" held "$(reeve ls --json "$d" | jq -r '.[0].state')"
reeve release "$d"
assert_exit 0 reeve wait --first-failure "$d" "$e"
assert_exit 1 reeve wait -q --first-failure "$d" "$e" "$f"

step "--for empty: also what comes meanwhile"
held=$(reeve add -g other --hold true)
g=$(reeve add -g other -c 'head -n 1 gate >/dev/null')
"$REEVE" wait --json --for empty -g other >pool.json &
waiter=$!
connected 1
# shellcheck disable=SC2016 # the job's
h=$(reeve add -g other -c 'read -r code <code; exit $code')
echo >&7
reeve wait "$g"
assert_exit 0 kill -0 "$waiter"
echo 0 >code
assert_exit 0 wait "$waiter"
assert_eq "what ended" "[0,2,0,[$g,$h]]" \
	"$(jq -c '[.waiting, .succeeded, .failed, [.jobs[].id]]' pool.json)"
assert_eq "held" held "$(reeve ls --json "$held" | jq -r '.[0].state')"
assert_exit 0 reeve wait --for empty -g other
i=$(reeve add -g other -c 'head -n 1 gate >/dev/null; exit 1')
assert_exit 124 reeve wait -q -t 1ms --for empty -g other
echo >&7
reeve wait -q "$i" || :
assert_exit 3 reeve wait --for empty -g nowhere 2>err
assert_match "the pool" "*'nowhere'*" "$(cat err)"

step "what makes no sense"
assert_exit 2 reeve wait --for empty 2>/dev/null
assert_exit 2 reeve wait --for full -g other 2>/dev/null
assert_exit 2 reeve wait --for empty -g other 7 2>/dev/null
assert_exit 2 reeve wait --any --first-failure 2>/dev/null
assert_exit 2 reeve varlink io.reeve.Job.Wait \
	'{"select":{"ids":[{"first":1,"last":1}]},"until":"empty"}' 2>err
assert_match "the daemon" "*until*" "$(cat err)"

step "more ids than one call takes"
seq 1 2 9001 >odd
assert_exit 6 reeve wait --any - <odd 2>err
assert_match "said" "*too many ids*" "$(cat err)"

step "a daemon that is killed meanwhile"
# shellcheck disable=SC2016 # the job's
j=$(reeve add -c 'read -r code <code; exit $code')
"$REEVE" wait --any "$j" "$held" >any 2>/dev/null &
waiter=$!
"$REEVE" wait --for empty -g default &
emptier=$!
connected 2
signal_reeved KILL
start_reeved --config="$tmp/conf"
connected 2
echo 5 >code
assert_exit 1 wait "$waiter"
assert_eq "the id" "$j" "$(cat any)"
assert_exit 0 wait "$emptier"

step "progress: counts of what runs, paced, the last one true"
k=$(reeve add -c 'head -n 1 gate >/dev/null')
"$REEVE" varlink --more io.reeve.Job.Wait \
	"{\"select\":{\"ids\":[{\"first\":$k,\"last\":$k}]},\"progress\":true}" >progress &
waiter=$!
connected 1
i=0
until reeve ls --json "$k" | jq -e '.[0].state == "running"' >/dev/null; do
	i=$((i + 1))
	[ $i -lt 1000 ] || fail "job $k does not run"
done
until grep -q '"running": *1' progress; do
	kill -0 "$waiter" || fail "it was not told"
done
echo >&7
assert_exit 0 wait "$waiter"
jq -se '.[-1] | .running == null and .succeeded == 1' progress >/dev/null ||
	fail "the last reply: $(tail -n 1 progress)"
seq 300 | sed 's/.*/:/' | reeve add -l many --batch - >/dev/null
reeve varlink --more io.reeve.Job.Wait '{"select":{"labels":["many"]},"progress":true}' >progress
jq -s 'map(select(.running)) | length' progress >n
# 300 jobs change state 600 times and more
[ "$(cat n)" -lt 150 ] || fail "$(cat n) replies of progress"
stop_reeved
