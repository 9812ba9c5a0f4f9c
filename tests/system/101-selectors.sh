#!/bin/sh
# Which jobs a verb acts on: ids, ranges, names, standard input, selectors.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 4
	[pool other]
	slots = 1
END
start_reeved --config="$tmp/conf"
ids() {
	reeve ls -q "$@" | sort -n | xargs
}

reeve add -l red -n apple true >/dev/null               # 1
reeve add -l red -l sweet -n apricot false >/dev/null   # 2
reeve add -g other true >/dev/null                      # 3
reeve add --hold -n banana true >/dev/null              # 4
reeve add --hold -n banana -l red true >/dev/null       # 5
reeve add -c 'exit 3' >/dev/null                        # 6
reeve wait -q || :

step "ids, ranges, names, standard input"
assert_eq "ids" "1 3" "$(ids 3 1)"
assert_eq "range" "2 3 4" "$(ids 2-4)"
assert_eq "range past the end" "5 6" "$(ids 5-100)"
assert_eq "name" "5" "$(ids banana)"
assert_eq "stdin" "1 6" "$(printf '1\n6\n' | ids -)"
assert_eq "twice is once" "1 2" "$(ids 1 1-2)"

step "selectors"
assert_eq "all" "1 2 3 4 5 6" "$(ids --all)"
assert_eq "pool" "3" "$(ids --pool other)"
assert_eq "state" "4 5" "$(ids --state held)"
assert_eq "states" "1 2 3 4 5 6" "$(ids --state held --state finished)"
assert_eq "result" "1 3" "$(ids --result succeeded)"
assert_eq "failed" "2 6" "$(ids --failed)"
assert_eq "label" "1 2 5" "$(ids --label red)"
assert_eq "labels" "2" "$(ids -l red -l sweet)"
assert_eq "glob" "1 2" "$(ids --name 'ap*')"
assert_eq "all must hold" "5" "$(ids --label red --state held)"
assert_eq "ids are narrowed too" "2" "$(ids 1-3 --failed)"
assert_eq "failed, not more than some" "2 6" "$(ids --failed --limit 5)"
assert_eq "result, not more than some" "1 3" "$(ids --result succeeded --limit 5)"
assert_eq "labels, not more than some" "2 5" "$(ids --label red --limit 2)"
assert_eq "since" "1 2 3 4 5 6" "$(ids --since 1h)"
assert_eq "since a time to come" "" "$(ids --since @99999999999)"
assert_exit 2 reeve ls --state nonsense 2>/dev/null
assert_exit 2 reeve ls --result nonsense 2>/dev/null
assert_exit 2 reeve ls 5-3 2>/dev/null

step "a name is the newest unfinished one, else the newest"
reeve cancel banana
assert_eq "the newest was unfinished" "cancelled" \
	"$(reeve ls --json 5 | jq -r '.[0].result')"
assert_eq "now the older one" "4" "$(ids banana)"
reeve cancel banana
assert_eq "all are finished" "5" "$(ids banana)"

step "bare show and logs mean the newest"
reeve run echo newest >/dev/null
assert_eq "logs" newest "$(reeve logs)"
assert_eq "show" 7 "$(reeve show --json | jq .job.id)"

step "ls --json"
assert_eq "members" true "$(reeve ls --json | jq 'all(.[]; has("id") and has("name") and
	has("state") and has("result") and has("exit_code") and has("signal") and has("pool") and
	has("labels") and has("priority") and has("submitted_usec") and has("started_usec") and
	has("finished_usec") and has("runs"))')"
assert_eq "an array, whatever is in it" "[]" "$(reeve ls --json --state running | jq -c .)"
assert_eq "limit" 2 "$(reeve ls --json --limit 2 | jq length)"
assert_eq "table" 7 "$(reeve ls | tail -n +2 | wc -l)"

step "of a schedule the newest so many, whatever else has finished since"
reeve schedule add seldom --when yearly -- true
reeve schedule run seldom >/dev/null # 8
reeve run true
reeve run true
assert_eq "looked for" "8" "$(ids --schedule seldom --limit 2)"
assert_eq "and counted" 1 "$(reeve varlink io.reeve.Job.List \
	'{"select":{"schedule":"seldom"},"limit":0}' | jq .total)"
reeve rm 8-10

step "rm and clean"
assert_eq "dry run" "2" "$(reeve clean --failed --dry-run | grep -o '[0-9]*' | head -n 1)"
assert_eq "nothing happened" "2 6" "$(ids --failed)"
reeve clean --failed --label red >/dev/null
assert_eq "one of them" "6" "$(ids --failed)"
reeve clean >/dev/null
assert_eq "succeeded ones go" "4 5 6" "$(ids --all)"
reeve clean --finished >/dev/null
assert_eq "all go" "" "$(ids --all)"
assert_exit 3 reeve show 2 2>"$tmp/err"
assert_match "a removed id" "*removed on 20[0-9][0-9]-*" "$(cat "$tmp/err")"
assert_exit 3 reeve show 4711 2>"$tmp/err"
case $(cat "$tmp/err") in *removed*) fail "4711 never was" ;; esac
stop_reeved
start_reeved --config="$tmp/conf"
assert_exit 3 reeve logs 1 2>"$tmp/err"
assert_match "after a restart" "*removed on 20*" "$(cat "$tmp/err")"
long=$(reeve add sleep 1000)
assert_exit 1 reeve rm "$long" 2>/dev/null
reeve rm --force "$long"
assert_exit 3 reeve show "$long" 2>/dev/null

step "few rows are those that finished last, whatever their ids"
reeve rm --force --all || :
mkfifo "$tmp/go"
first=$(reeve add -c "head -n 1 '$tmp/go'")
second=$(reeve add true)
reeve wait "$second"
third=$(reeve add true)
reeve wait "$third"
echo >"$tmp/go"
reeve wait "$first"
assert_eq "rows" "$first $third" "$(reeve ls -q --limit 2 | xargs)"
assert_eq "of one state" "$first" "$(reeve ls -q --limit 1 --state finished)"
assert_eq "page by page" "$first $third $second" "$(reeve varlink --more io.reeve.Job.List \
	'{"order": "finished", "limit": 1000}' | jq -r '.jobs[].id' | xargs)"
assert_eq "of one pool" "$first $third" "$(reeve ls -q --limit 2 --pool default | xargs)"
stop_reeved
start_reeved --config="$tmp/conf"
assert_eq "after a restart" "$first $third $second" "$(reeve ls -q --limit 3 | xargs)"
reeve retry "$second" >/dev/null
reeve wait "$second"
assert_eq "one that was retried" "$second $first" "$(reeve ls -q --limit 2 | xargs)"
reeve rm "$first"
assert_eq "one is gone" "$second $third" "$(reeve ls -q --limit 3 | xargs)"
reeve clean >/dev/null

step "what is named and not there is not success; nothing unfinished is"
assert_exit 3 reeve wait -l no-such-label
assert_exit 3 reeve wait --name 'no-such-*'
reeve wait

step "another user's jobs are not the caller's to select"
mine=$(reeve add --hold -l mine true)
assert_exit 4 reeve cancel --user 4242 --all
assert_exit 2 reeve ls --user no-such-user
assert_eq "untouched" held "$(reeve ls --json "$mine" | jq -r '.[0].state')"
stop_reeved
