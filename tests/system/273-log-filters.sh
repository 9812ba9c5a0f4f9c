#!/bin/sh
# logs --since, --until and --grep: by the time at the front of lines where they have one, else by
# when runs began and ended; with -n, -f and --json; what matches nothing is said.
. "${srcdir:-.}/tests/support/system.sh"
mkfifo go end
start_reeved
stamp() { # TIME of date(1)
	date -u -d "$1" +%Y-%m-%dT%H:%M:%S.000000Z
}
ahead() { # TIME of date(1)
	date -d "$1" '+%Y-%m-%d %H:%M:%S'
}
# times are ahead of the run, which goes on: none of them is before its beginning
id=$(reeve add -c "cat <<EOC
before any time
$(stamp '1 hour') Error: three
  at a line that goes on
$(stamp '2 hours') two
$(stamp '3 hours') error: one
$(stamp '3 hours')
EOC
echo 'no newline'; printf 'last error'; echo >'$tmp/work/go'; cat '$tmp/work/end'")
head -n 1 go >/dev/null
logs() {
	reeve logs "$@" "$id" | sed 's/^20[^ ]*Z//; s/^ //' | tr '\n' '/'
}

step "--grep"
assert_eq "as it is" "error: one/last error/" "$(logs --grep 'error')"
assert_eq "-i, behind the time" "Error: three/error: one/" "$(logs -i --grep '^error')"
assert_eq "extended" "two/error: one/" "$(logs --grep 'two|on[e]$' | sed 's|no newline/||')"
assert_eq "the last that match" "error: one/last error/" "$(logs -n 2 -i --grep 'error')"
assert_eq "none of them" "" "$(logs -n 0 --grep 'error' 2>/dev/null)"
assert_eq "--json" "ZXJyb3I=" "$(reeve logs --json --grep '^last' "$id" | jq -r .data_b64 |
	base64 -d | cut -c 6-10 | tr -d '\n' | base64)"
assert_eq "offset" "$(reeve logs "$id" | grep -abo 'last error' | cut -d: -f1)" \
	"$(reeve logs --json --grep '^last' "$id" | jq .offset)"

step "--since and --until by line"
assert_eq "since" "before any time/error: one//no newline/last error/" \
	"$(logs --since "$(ahead '150 minutes')")"
assert_eq "until" "before any time/Error: three/  at a line that goes on/" \
	"$(logs --until "$(ahead '90 minutes')" | sed 's|three/ at|three/  at|')"
assert_eq "between" "before any time/two/" \
	"$(logs --since "$(ahead '90 minutes')" --until "$(ahead '150 minutes')")"
assert_eq "and --grep" "error: one/" "$(logs --since "$(ahead '90 minutes')" --grep '^error')"
assert_eq "and -n" "error: one//no newline/last error/" \
	"$(logs -n 4 --since "$(ahead '90 minutes')")"
: >end

step "what matches nothing, and what is wrong"
assert_exit 3 reeve logs --grep nowhere "$id" 2>err
assert_eq "told" "reeve: logs: no line matches" "$(cat err)"
assert_exit 2 reeve logs --grep '(' "$id" 2>err
assert_match "regex" "*no extended regular expression: '('*" "$(cat err)"
assert_exit 2 reeve logs --since soon "$id" 2>err
assert_match "time" "*--since is no time: 'soon'*" "$(cat err)"
assert_exit 2 reeve logs --since 1h --until 2h "$id" 2>err
assert_match "order" "*--until is before --since*" "$(cat err)"
assert_exit 2 reeve logs -i "$id" 2>err
assert_match "-i alone" "*says how --grep looks*" "$(cat err)"

step "lines without a time: by run, of all runs that reach into it"
runs=$(reeve add --retries 2 --retry-delay 1ms -c \
	'echo "run $REEVE_RUN"; [ $REEVE_RUN -eq 3 ] || exit 1')
reeve wait "$runs" 2>/dev/null
assert_eq "the newest" "run 3" "$(reeve logs --grep run "$runs")"
assert_eq "since" "run 1 run 2 run 3" "$(reeve logs --since 1h "$runs" | xargs)"
assert_eq "the last two of them" "run 2 run 3" "$(reeve logs -n 2 --since 1h "$runs" | xargs)"
assert_eq "of one run" "run 2" "$(reeve logs --run 2 --since 1h "$runs")"
assert_exit 3 reeve logs --until 1h "$runs" 2>err
assert_exit 3 reeve logs --since 2100-01-01 "$runs" 2>err

step "what was trimmed of many runs is told once, of one with its number"
trimmed=$(reeve add --retries 2 --retry-delay 1ms --output-max 64K \
	-c 'head -c 200000 /dev/zero | tr "\0" "\n"; echo "end of $REEVE_RUN"; exit 1')
reeve wait -q "$trimmed" || :
assert_eq "shown" "end of 1 end of 2 end of 3" "$(reeve logs --since 1h --grep . "$trimmed" 2>err | xargs)"
assert_match "told" "reeve: * bytes of 3 runs, 1 to 3, were trimmed (output-max*" "$(cat err)"
# and of each the rest of the line that was cut: its newline
assert_eq "bytes" "$(reeve show --json "$trimmed" | jq '[.run_history[].output_lost_bytes + 1] | add')" \
	"$(sed 's/reeve: \([0-9]*\) .*/\1/' err)"
trimmed=$(reeve add --retries 1 --retry-delay 1ms --output-max 64K \
	-c '[ "$REEVE_RUN" = 1 ] || exit 0; head -c 200000 /dev/zero | tr "\0" "\n"; exit 1')
reeve wait -q "$trimmed"
reeve logs --since 1h "$trimmed" >out 2>err
assert_match "told" "reeve: * bytes of run 1 were trimmed (output-max*" "$(cat err)"

step "several: headings only of those that match"
assert_eq "two jobs" "==> job $runs <== run 3" "$(reeve logs --grep run "$id" "$runs" | xargs)"

step "-f: those that come, too"
reeve add -n live -c "echo old error; echo old; echo >'$tmp/work/go'; head -n 1 go; echo; echo an error; echo a note; cat go" >/dev/null
head -n 1 go >/dev/null
"$REEVE" logs -f -n 1 --grep 'old|error' live >out &
follower=$!
until grep -q old out; do
	settle
done
echo go >go
until grep -q 'an error' out; do
	settle
done
echo 'the last error' >go
wait "$follower"
assert_eq "lines" "old an error the last error" "$(xargs <out)"
assert_exit 3 reeve logs -f --grep nowhere live 2>err

step "many at once"
assert_eq "each by its own" "live | an error $runs | run 3" \
	"$(reeve logs -f -n 1 --grep 'an error|run' live "$runs" | sort -r | xargs)"
stop_reeved
