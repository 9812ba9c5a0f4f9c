#!/bin/sh
# ls: the order that is asked for, the first so many of it, and the columns.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 4
	[pool b]
	slots = 1
	[pool a]
	slots = 1
END
start_reeved --config="$tmp/conf"
ids() {
	reeve ls -q "$@" | xargs
}
lines() { # N COMMAND...: so many copies, as a batch
	n=$1
	shift
	yes "$*" | head -n "$n"
}

reeve add -n kiwi -g b true >/dev/null                  # 1
reeve add -n apple -g a -p 5 -c 'exit 3' >/dev/null     # 2
reeve wait -q || :
reeve add -n mango -g b -p 5 --hold true >/dev/null     # 3
reeve add -p -1 --hold true >/dev/null                  # 4
reeve add -n apple -d 1h true >/dev/null                # 5

step "keys, descending, several"
assert_eq "priority" "4 1 5 2 3" "$(ids --sort priority)"
assert_eq "descending" "2 3 1 5 4" "$(ids --sort -priority)"
assert_eq "as one word" "2 3 1 5 4" "$(ids --sort=-priority)"
assert_eq "two" "3 2 5 1 4" "$(ids --sort -priority,-id)"
assert_eq "texts, none is last" "2 5 1 3 4" "$(ids --sort name)"
assert_eq "descending, none is last" "3 1 2 5 4" "$(ids --sort -name)"
assert_eq "pool" "2 1 3 4 5" "$(ids --sort pool)"
assert_eq "state" "3 4 5 1 2" "$(ids --sort state)"
assert_eq "exit" "2 1 3 4 5" "$(ids --sort -exit)"
assert_eq "result" "1 2 3 4 5" "$(ids --sort result)"
assert_eq "due" "5 1 2 3 4" "$(ids --sort due)"
assert_eq "started" "1 2 3 4 5" "$(ids --sort started)"
assert_eq "finished" "2 1 3 4 5" "$(ids --sort -finished)"
assert_eq "user" "1 2 3 4 5" "$(ids --sort user,submitted)"

step "the first so many of those that match"
assert_eq "limit" "3 1" "$(ids --sort -name --limit 2)"
assert_eq "no limit" "5" "$(ids --sort -name --limit 0 | wc -w)"
assert_eq "a filter" "4 3" "$(ids --sort priority --state held)"
assert_eq "ids" "4 2" "$(ids --sort priority 2 4)"
assert_eq "finished too" "2" "$(ids --sort -priority --state finished --limit 1)"
assert_eq "--json" "3 1" "$(reeve ls --json --sort -name --limit 2 | jq -r '.[].id' | xargs)"
assert_eq "nothing" "[]" "$(reeve ls --json --sort name --state running)"

step "what is no order"
assert_exit 2 reeve ls --sort colour 2>"$tmp/err"
assert_match "all keys are named" "*'colour'; there are: id, name, state, *" "$(cat "$tmp/err")"
assert_exit 2 reeve ls --sort name,-name 2>/dev/null
assert_exit 2 reeve ls --sort id,name,pool,user,state 2>/dev/null
for bad in '"sort":["x"]' '"sort":["id"],"order":"id","reverse":true' \
	'"sort":["id"],"from_id":3' '"sort":["id"],"order":"finished"'; do
	assert_exit 2 reeve varlink io.reeve.Job.List "{$bad}" 2>/dev/null
done

step "columns"
assert_eq "in the order given" "COMMAND ID PRIORITY" \
	"$(reeve ls --columns command,id,priority | head -n 1 | xargs)"
assert_eq "cells" "true 4 -1" "$(reeve ls --columns command,id,priority 4 | tail -n 1 | xargs)"
assert_eq "an exit" "failed 3" "$(reeve ls --columns result,exit 2 | tail -n 1 | xargs)"
assert_eq "--json" '[{"id":2,"exit_code":3,"signal":null}]' \
	"$(reeve ls --json --columns id,exit 2 | jq -c .)"
assert_eq "--json is whole without it" true \
	"$(reeve ls --json 2 | jq '.[0] | has("command") and has("submitted_usec")')"
assert_exit 2 reeve ls --columns id,colour 2>"$tmp/err"
assert_match "all are named" "*'colour'; there are: id, state, *" "$(cat "$tmp/err")"
assert_exit 2 reeve ls -q --columns id 2>/dev/null

step "more than can be sorted need a limit"
lines 10000 true | reeve add --hold --batch - >/dev/null
assert_exit 6 reeve ls -q --sort id 2>"$tmp/err"
assert_match "which is told" "*sorted jobs = 10000*" "$(cat "$tmp/err")"
assert_eq "the first" "10005 10004" "$(ids --sort -id --limit 2)"
assert_eq "as many as that" 10000 "$(reeve ls -q --sort state --limit 10000 | wc -l)"
assert_eq "fewer that match" 5 "$(reeve ls -q --sort state 1-5 | wc -l)"

step "they may go while they are listed"
reeve ls -q --sort -id --limit 10000 >"$tmp/sorted" &
lister=$!
reeve rm --force 6-10005 >/dev/null
wait "$lister"
assert_eq "in order" "" "$(sort -rnu "$tmp/sorted" | cmp - "$tmp/sorted" 2>&1)"
