#!/bin/sh
# A random graph of jobs that succeed or fail as they please: what becomes of each is what a
# naive evaluator says, which goes through them in their order, for no job waits for a later
# one. Then the same with kill -9 of the daemon at random moments.
#
# Each job is /bin/true or /bin/false, in a pool of 2 slots; two thirds of them wait for one to
# four earlier ones, in one of the three ways, a part of these for any of several. 10,000 jobs
# each time; REEVE_TEST_SMALL=1 makes it 4,000. REEVE_TEST_SEED=N repeats a run's graphs.
. "${srcdir:-.}/tests/support/system.sh"
n=10000
[ -z "${REEVE_TEST_SMALL:-}" ] || n=4000
seed=${REEVE_TEST_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
echo "REEVE_TEST_SEED=$seed" >&2
cat >"$tmp/conf" <<-'END'
	[reeved]
	keep-finished-max = 100000
	durability = normal
	[pool default]
	slots = 2
END

# make_graph N SEED: the file into graph; into table for each job its own end, and what it
# waits for: KIND:N|N...
make_graph() {
	awk -v n="$1" -v seed="$2" '
	function some_before(i,    from) {
		# near ones make long chains, far ones wide fans
		from = rand() < 0.5 ? (i > 20 ? i - 20 : 1) : 1
		return from + int(rand() * (i - from))
	}
	BEGIN {
		srand(seed)
		split("after after-any after-failure", kind, " ")
		for (i = 1; i <= n; i++) {
			fails = rand() < 0.25
			printf "[job j%d]\ncommand = %s\n", i, fails ? "/bin/false" : "/bin/true"
			printf "%s", fails ? "failed" : "succeeded" >"table"
			n_deps = i > 1 && rand() < 0.67 ? 1 + int(rand() * 4) : 0
			for (d = 0; d < n_deps; d++) {
				k = rand() < 0.6 ? 1 : rand() < 0.7 ? 2 : 3
				one = some_before(i)
				named = "j" one
				while (rand() < 0.35) {
					other = some_before(i)
					one = one "|" other
					named = named "|j" other
				}
				printf "%s = %s\n", kind[k], named
				printf " %s:%s", kind[k], one >"table"
			}
			print "" >"table"
		}
	}' >graph
}

# the end of each, one a line
evaluate() {
	awk '
	function holds(kind, end) {
		if (kind == "after")
			return end == "succeeded"
		return kind == "after-any" || end == "failed"
	}
	{
		end[NR] = $1
		for (f = 2; f <= NF; f++) {
			split($f, dep, ":")
			m = split(dep[2], job, "[|]")
			met = 0
			for (j = 1; j <= m; j++)
				met += holds(dep[1], end[job[j]])
			if (!met)
				end[NR] = "skipped"
		}
		print end[NR]
	}' table
}

# ends_of N: the end of each of the last N jobs
ends_of() {
	reeve ls --json | jq -r '.[] | "\(.id) \(.result)"' | sort -n | tail -n "$1" |
		awk '{ print $2 }'
}

compare() { # N WHAT
	ends_of "$1" >found
	evaluate >expected
	cmp -s expected found ||
		fail "$2: $(paste expected found | awk '$1 != $2 { print "job " NR ": expected " $1 ", found " $2 }' | head -n 5 | xargs)"
	[ "$(sort found | uniq | wc -l)" -eq 3 ] || fail "$2: not all ends came up"
	runs=$(reeve ls --json | jq "[sort_by(.id) | .[-$1:] | .[] | select(.runs != if .result == \"skipped\" then 0 else 1 end)] | length")
	assert_eq "$2: jobs that did not run once, or not at all where they were skipped" 0 "$runs"
}

step "$n jobs"
start_reeved --config="$tmp/conf"
make_graph "$n" "$seed"
reeve add --graph graph >ids
assert_eq "ids" "$n" "$(wc -l <ids)"
reeve wait -q || :
compare "$n" "left alone"
cut -d ' ' -f 1 table | sort | uniq -c >&2
sort found | uniq -c >&2

step "all of them again: those that failed, and whoever was skipped because of them"
reeve retry --failed
reeve wait -q || :
ends_of "$n" >found
cmp -s expected found || fail "after a retry the same jobs fail again, and others were skipped"

step "$n more while the daemon is killed"
make_graph "$n" "$((seed + 1))"
reeve add --graph graph >ids
n_kills=0
while [ -n "$(reeve ls -q --limit 1 --state waiting --state queued --state starting --state running)" ]; do
	signal_reeved KILL
	start_reeved --config="$tmp/conf"
	n_kills=$((n_kills + 1))
	some=$(awk -v seed="$((seed + n_kills))" 'BEGIN { srand(seed); print int(rand() * 10) }')
	while [ "$some" -gt 0 ]; do
		settle
		some=$((some - 1))
	done
done
echo "killed $n_kills times" >&2
[ "$n_kills" -gt 2 ] || fail "it was hardly killed"
compare "$n" "killed"
stop_reeved
