#!/bin/sh
# The stream of changes of state: what is in it, going on behind a cursor, limits, and
# that nothing is left out in silence.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<'EOC'
[reeved]
min-free = 0
events-max = 100
[pool default]
slots = 1
[pool other]
slots = 1
EOC
start_reeved --config="$tmp/conf"
steps() { # ID: what it went through, as "from>to ..."
	reeve events --json "$1" | jq -r '"\(.from)>\(.to)"' | xargs
}
says() { # FILE PATTERN: until the file has such a line
	until grep -q "$2" "$1"; do
		settle
	done
}

step "each change of a job is told, with its facts"
mkfifo "$tmp/go"
id=$(reeve add -n build -l red -- sh -c "read -r x <'$tmp/go'; exit 7")
until [ "$(reeve ls --json "$id" | jq -r '.[0].state')" = running ]; do
	settle
done
echo go >"$tmp/go"
assert_exit 1 reeve wait -q "$id"
assert_eq "steps" "null>queued queued>starting starting>running running>finished" \
	"$(steps "$id")"
assert_eq "the end" '["build","default","failed",7,null,1]' \
	"$(reeve events --json --result failed "$id" |
		jq -c '[.name, .pool, .result, .exit_code, .signal, .run]')"
assert_match "for people" "* job $id (build)  running -> finished, failed, exit 7" \
	"$(reeve events "$id" | tail -n 1)"

step "selectors mean what a job came into"
other=$(reeve add -g other -l red -l blue -- true)
reeve wait -q "$other"
assert_eq "by state" 2 "$(reeve events --json --state queued | wc -l)"
# one that is over at once is not seen running
assert_eq "by pool" "$other" "$(reeve events --json --pool other | jq .id | uniq)"
assert_eq "by labels" "$other" "$(reeve events --json -l red -l blue | jq .id | uniq)"
assert_eq "by one label" "$id $other" "$(reeve events --json -l red | jq .id | uniq | xargs)"
assert_eq "by name" 4 "$(reeve events --json --name 'b*' | wc -l)"
assert_eq "--failed" 1 "$(reeve events --json --failed | wc -l)"
assert_eq "--limit" 3 "$(reeve events --json --limit 3 | wc -l)"
assert_exit 2 reeve events --limit 0
assert_exit 2 reeve events --since yesteryear
assert_exit 3 reeve events 999999

step "going on behind a cursor"
cursor=$(reeve events --json | tail -n 1 | jq -r .cursor)
assert_eq "nothing since" "" "$(reeve events --json --since "$cursor")"
third=$(reeve add -- true)
reeve wait -q "$third"
assert_eq "since" "$third" "$(reeve events --json --since "$cursor" | jq .id | uniq)"
assert_eq "since a time before its start" '{"lost":0,"restarted":true}' \
	"$(reeve events --json --since 1h | head -n 1)"
assert_eq "since that time" "$id $other $third" \
	"$(reeve events --json --since 1h | jq '.id // empty' | uniq | xargs)"
assert_exit 2 reeve events --since "${cursor%.*}.99999999"

step "a removed job is told, and what was told of it stays"
reeve rm "$third"
assert_eq "its last" '["finished",null]' \
	"$(reeve events --json --since "$cursor" | tail -n 1 | jq -c '[.from, .to]')"

step "following shows what comes"
reeve events -f --json --since "$cursor" --pool other >"$tmp/followed" 2>"$tmp/notes" &
follower=$!
id=$(reeve add -g other -- true)
says "$tmp/followed" '"to":"finished"'
assert_eq "only of that pool" "$id" "$(jq .id "$tmp/followed" | uniq)"

step "and goes on after the daemon was killed"
cp "$tmp/followed" "$tmp/before"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
id=$(reeve add -g other -- true)
says "$tmp/followed" '"restarted":true'
says "$tmp/followed" "\"id\":$id.*\"to\":\"finished\""
assert_eq "the gap is in its place" "$(wc -l <"$tmp/before")" \
	"$(sed '/restarted/,$d' "$tmp/followed" | wc -l)"
assert_eq "nothing twice" "$(jq -r 'select(.cursor) | .cursor' "$tmp/followed" | sort | wc -l)" \
	"$(jq -r 'select(.cursor) | .cursor' "$tmp/followed" | sort -u | wc -l)"
kill "$follower"
wait "$follower" || :
old=$(reeve events --since "$cursor" 2>&1 >/dev/null)
assert_match "an old cursor" "*was started since*" "$old"

step "at the limit the oldest go, and who wanted them is told how many"
start=$(reeve events --json | jq -r .cursor | tail -n 1)
reeve pool pause default
held=$(reeve add --hold -- true)
n=0
while [ "$n" -lt 60 ]; do # two events each
	reeve release "$held"
	reeve hold "$held"
	n=$((n + 1))
done
reeve events --json --since "$start" >"$tmp/late"
assert_eq "kept" 100 "$(jq -c 'select(.cursor)' "$tmp/late" | wc -l)"
told=$(jq -c 'select(.lost) | .lost' "$tmp/late")
first=$(jq -r 'select(.cursor) | .cursor' "$tmp/late" | head -n 1)
assert_eq "lost" "$((${first#*.} - ${start#*.} - 1))" "$told"
[ "$told" -gt 0 ] || fail "nothing was lost"
assert_match "for people" "*$told events of all jobs before this are not kept*" \
	"$(reeve events --since "$start" 2>&1 >/dev/null)"

step "a follower that does not read is paused, and told what it missed"
reeve add --batch - >/dev/null <<-EOC
	$(yes '{"command":["true"],"hold":true}' | head -n 400)
EOC
mkfifo "$tmp/pipe"
exec 9<>"$tmp/pipe" # it takes what a pipe holds, and nobody reads
start=$(reeve events --json | jq -r .cursor | tail -n 1)
reeve events -f --json --since "$start" >"$tmp/pipe" &
follower=$!
n=0
while [ "$n" -lt 8 ]; do # 800 events each, far over what pipe, sockets and a page hold
	reeve release --all
	reeve hold --all
	n=$((n + 1))
done
end=$(reeve events --json | jq -r .cursor | tail -n 1)
timeout 60 cat <&9 >"$tmp/slow" &
reader=$!
says "$tmp/slow" "\"cursor\":\"$end\""
kill "$follower" "$reader"
wait "$follower" "$reader" || :
exec 9<&-
seen=$(grep -c '"cursor":' "$tmp/slow")
lost=$(jq -R 'fromjson? | .lost // 0' "$tmp/slow" | awk '{ n += $1 } END { print n + 0 }')
assert_eq "shown and lost are all" "$((${end#*.} - ${start#*.}))" "$((seen + lost))"
[ "$lost" -gt 100 ] || fail "it lost $lost only"
assert_eq "in order" true "$(jq -R 'fromjson? | .cursor // empty | split(".")[1] | tonumber' \
	"$tmp/slow" | jq -s '. == sort')"

step "a smaller limit holds after a reload"
sed -i 's/events-max = 100/events-max = 16/' "$tmp/conf"
reeve daemon reload >/dev/null
assert_eq "kept" 16 "$(reeve events --json | wc -l)"

step "raw: one page without more"
assert_eq "events" 16 "$(reeve varlink io.reeve.Job.Events | jq '.events | length')"
assert_exit 2 reeve varlink io.reeve.Job.Events '{"cursor":"x"}' 2>/dev/null

finish
