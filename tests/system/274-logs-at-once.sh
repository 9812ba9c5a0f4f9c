#!/bin/sh
# Many logs followed at once: whole lines, each behind the name of its job or service, in a colour
# on a terminal; restarts and new instances are followed; a line without end costs little.
. "${srcdir:-.}/tests/support/system.sh"
pty="$build/tests/support/pty"
conf() { # INSTANCES of web
	cat >"$tmp/conf" <<-EOC
		[reeved]
		min-free = 0
		[service web]
		shell-command = echo "up \$REEVE_RUN"; read -r x <"$tmp/work/web.\$REEVE_INSTANCE"; echo "got \$x"
		instances = $1
		restart-delay = 1ms
		[service db]
		shell-command = echo up; cat '$tmp/work/db'
		restart = no
		[service other]
		shell-command = echo never seen; exec sleep 1000
	EOC
}
until_has() { # FILE N TEXT: until so many lines of the file have the text
	until [ "$(grep -c -- "$3" "$1")" -ge "$2" ]; do
		settle
	done
}
stop_following() {
	kill "$follower"
	wait "$follower" || :
}
mkfifo web.0 web.1 db a b
conf 1
start_reeved --config="$tmp/conf"

step "jobs: whole lines behind their names, until the last has ended"
one=$(reeve add -n alpha -c "printf 'half a '; cat '$tmp/work/a'; echo done")
two=$(reeve add -c "echo first; echo second >&2; cat '$tmp/work/b'")
"$REEVE" logs -f "$one" "$two" >out 2>err &
follower=$!
exec 7>a 8>b
until_has out 1 "^$two *| second"
echo "line" >&7
until_has out 1 "alpha | half a line"
printf 'without an end' >&8
exec 7>&- 8>&-
assert_exit 0 wait "$follower"
assert_eq "lines of the one" "half a line/done/" \
	"$(sed -n 's/^alpha | //p' out | tr '\n' '/')"
assert_eq "lines of the other" "first/second/without an end/" \
	"$(sed -n "s/^$two   *| //p" out | tr '\n' '/')"
assert_eq "all of them" 5 "$(wc -l <out)"
assert_eq "stderr" "" "$(cat err)"

step "two of one name are told apart by their ids; --json says whose each page is"
three=$(reeve add -n alpha echo three)
reeve wait "$three"
reeve logs -f "$one" "$three" >out
assert_eq "names" "alpha/$one alpha/$three" "$(sed 's/ *|.*//' out | sort -u | xargs)"
assert_eq "the lines" "alpha/$three three" "$(reeve logs -f --json "$one" "$three" |
	jq -r 'select(.name == "alpha/'"$three"'" and .data_b64 != "") | "\(.name) \(.data_b64 | @base64d)"' | xargs)"

step "in a colour on a terminal, each its own"
env -u NO_COLOR TERM=xterm "$pty" sh -c 'exec "$0" "$@" >&2' "$REEVE" logs -f "$one" "$two" 2>out
esc=$(printf '\033')
assert_match "coloured" "*$esc*[[]3?malpha |$esc*[[]0m done*" "$(cat out)"
assert_eq "colours" 2 "$(grep -o "$esc\[[0-9]*m[a-z0-9]" out | sed 's/.$//' | sort -u | wc -l)"
env NO_COLOR=1 TERM=xterm "$pty" sh -c 'exec "$0" "$@" >&2' "$REEVE" logs -f "$one" "$two" 2>out
assert_eq "NO_COLOR" 0 "$(grep -c "$esc" out)"
reeve --color=always logs -f "$one" "$two" >out
grep -q "$esc" out || fail "--color=always: no colour"

step "services by glob: a new run, a new instance, one that is started again"
"$REEVE" service logs -f 'w*' db >out 2>err &
follower=$!
until_has out 1 "^web | up 1"
until_has out 1 "^db  | up"
exec 8>db
echo hello >web.0
until_has out 1 "^web | got hello"
until_has out 1 "^web | up 2"
reeve service scale web 2 >/dev/null
until_has out 1 "^web.1 | up 1"
echo "once more" >web.1
until_has out 1 "^web.1 | got once more"
exec 8>&-
until [ "$(reeve service ls --json db | jq -r '.[0].state')" = exited ]; do
	settle
done
reeve service start --no-wait db >/dev/null
until_has out 2 "^db .*| up"
echo "over" >db
until_has out 1 "^db .*| over"
assert_eq "of others" 0 "$(grep -c "never seen" out)"
assert_eq "lines that are none of these" 0 \
	"$(grep -cvE '^(web|web\.[01]|db) *\| (up [0-9]+|up|got .*|over)$' out || :)"

step "over a crash of the daemon"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
echo "after the crash" >web.0
until_has out 1 "^web.0 | got after the crash"
for text in "up 1" "got hello" "got once more" "got after the crash"; do
	assert_eq "'$text' of web" "$(grep "^web" out | grep -c "$text\$")" \
		"$(grep "^web" out | grep "$text\$" | sort -u | wc -l)"
done
stop_following

step "what comes by a reload is taken up: of a group, of --all, and by glob"
"$REEVE" service logs -f --all >all 2>all.err &
others=$!
"$REEVE" service logs -f 'w*' >globbed 2>globbed.err &
others="$others $!"
until_has all 1 "never seen"
until_has globbed 1 "^web"
cat >>"$tmp/conf" <<-EOC
	[group shop]
	services = till
	[service till]
	command = sh -c 'echo till; exec sleep 1000'
EOC
reeve daemon reload >/dev/null
"$REEVE" service logs -f shop >out 2>err &
follower=$!
until_has out 1 "^till | till"
sed -i 's/^services = till/services = till wares/' "$tmp/conf"
cat >>"$tmp/conf" <<-EOC
	[service wares]
	command = sh -c 'echo wares; exec sleep 1000'
EOC
reeve daemon reload >/dev/null
until_has out 1 "^wares | wares"
reeve service scale till 2 >/dev/null
until_has out 1 "^till.1 *| till"
until_has globbed 1 "^wares *| wares"
until_has all 1 "^wares *| wares"
assert_eq "said" "reeve: wares is followed, too/reeve: till.1 is followed, too/" "$(tr '\n' '/' <err)"
assert_eq "said of the glob" "reeve: wares is followed, too" "$(cat globbed.err)"
assert_eq "said of all" 1 "$(grep -c "wares is followed" all.err)"
assert_eq "of others" "" "$(grep -v '^till\|^wares' out || :)"
for pid in $others; do
	kill "$pid"
	wait "$pid" || :
done
stop_following

step "one service as it is, and --all"
"$REEVE" service logs -f db >out &
follower=$!
until_has out 1 "^over"
assert_eq "without a name" 0 "$(grep -c '|' out)"
stop_following
"$REEVE" service logs -f --all >out &
follower=$!
until_has out 1 "^other *| never seen"
until_has out 1 "^db *| over"
stop_following
assert_exit 3 reeve service logs -f none 2>err
assert_match "error" "*no service 'none'*" "$(cat err)"

step "runs that come and go faster than they are shown are all there"
id=$(reeve add --retries 30 --retry-delay 1ms --retry-delay-max 1ms -c 'echo "run $REEVE_RUN"; [ $REEVE_RUN -gt 30 ]')
"$REEVE" logs -f "$id" >out &
follower=$!
reeve wait "$id"
wait "$follower"
from=$(sed -n '1s/run //p' out)
seq "$from" 31 | sed 's/^/run /' | cmp - out || fail "runs are missing: $(xargs <out)"

step "lines of many that write at once are not torn"
ids=
for w in 1 2 3 4; do
	ids="$ids $(reeve add --hold -n "w$w" -c "yes 'line of $w' | head -n 20000")"
done
# shellcheck disable=SC2086 # ids
"$REEVE" logs -f $ids >out &
follower=$!
# shellcheck disable=SC2086
reeve release $ids
wait "$follower"
assert_eq "lines" "20000 20000 20000 20000" \
	"$(for w in 1 2 3 4; do grep -cx "w$w | line of $w" out; done | xargs)"
assert_eq "all of them" 80000 "$(wc -l <out)"

step "a line without an end comes in pieces, and is not held"
id=$(reeve add -n endless -c 'head -c 30000000 /dev/zero | tr "\0" x; echo; echo end')
reeve wait "$id"
other=$(reeve add -n short echo short)
reeve wait "$other"
before=$(reeve logs -f "$other" "$id" | awk '{ if (length($0) > max) max = length($0) } END { print max, NR }')
assert_eq "the longest, and how many" "$((65536 + 10)) 460" "$before"

step "limits"
assert_exit 2 reeve logs -f --until today "$one" "$two" 2>err
assert_match "error" "*--until is for what has been*" "$(cat err)"
reeve add --each -n many true ::: $(seq 501) >ids
reeve wait --all >/dev/null 2>&1 || :
# shellcheck disable=SC2046
assert_exit 2 reeve logs -f $(cat ids) 2>err
assert_match "error" "*at most 500 jobs*" "$(cat err)"
stop_reeved
