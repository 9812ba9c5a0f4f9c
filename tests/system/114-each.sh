#!/bin/sh
# add --each: a job for every item, whatever is in its name.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved

# command ID: the job's argv, or its shell line, as JSON
command() {
	reeve show --json "$1" | jq -c '.spec | .command // .shell_command // .command_b64'
}

step "items on standard input, words and marks"
printf 'a b.png\ndir/c.d.e\n-n\n' |
	reeve add --each -l each -- printf '%s|' '{}' '{.}.jpg' '{/}' '{//}' '{/.}' '{#}' >ids
assert_eq "ids" "1 2 3" "$(xargs <ids)"
reeve wait -l each
assert_eq "spaces" "a b.png|a b.jpg|a b.png|.|a b|1|" "$(reeve logs 1)"
assert_eq "a path" "dir/c.d.e|dir/c.d.jpg|c.d.e|dir|c.d|2|" "$(reeve logs 2)"
assert_eq "like an option" '["printf","%s|","-n","-n.jpg","-n",".","-n","3"]' "$(command 3)"

step "without a mark the item is the last argument"
id=$(echo "it's; exit 7 *" | reeve add --each printf '<%s>')
reeve wait "$id"
assert_eq "appended" "<it's; exit 7 *>" "$(reeve logs "$id")"

step "-c: quoted for the shell"
# shellcheck disable=SC2016 # text
printf '%s\n' 'x"$(exit 9)' "it's" >items
reeve add --each -c 'printf "[%s]" {}; exit {#}' <items >ids
reeve wait -q "$(head -n 1 ids)" "$(tail -n 1 ids)" || :
# shellcheck disable=SC2016
assert_eq "outputs" '[x"$(exit 9)]'"[it's]" "$(reeve logs "$(head -n 1 ids)")$(reeve logs "$(tail -n 1 ids)")"
assert_eq "numbers" "1 2" "$(reeve ls --json - <ids | jq -r 'map(.exit_code) | sort | join(" ")')"
id=$(reeve add --each -c 'printf %s' ::: 'a  b')
reeve wait "$id"
assert_eq "appended" "a  b" "$(reeve logs "$id")"

# shellcheck disable=SC2016
printf '%s\n' '$(touch "'"$tmp/done"'")' >items
for text in 'echo "{}"' "echo '{}'" 'echo `echo {}`' 'echo "'; do
	assert_exit 2 reeve add --each -c "$text" <items 2>err
	assert_match "$text" "*--each: *item*" "$(cat err)"
	assert_exit 2 reeve gather --each -c "$text" <items 2>err
done
assert_exit 0 reeve gather --each -c 'echo "$(echo {})" {}' <items >out
[ ! -e "$tmp/done" ] || fail "a part of an item was run"

step "-0, and items on the command line"
printf 'two\nlines\0\0last' | reeve add --each -0 -- printf '(%s)' >ids
assert_eq "jobs" 3 "$(wc -l <ids)"
reeve wait - <ids
assert_eq "newlines" '["printf","(%s)","two\nlines"]' "$(command "$(head -n 1 ids)")"
assert_eq "an empty one" '["printf","(%s)",""]' "$(command "$(sed -n 2p ids)")"
assert_eq "without an end" "(last)" "$(reeve logs "$(tail -n 1 ids)")"
assert_eq "argv" 2 "$(reeve add --each true {} ::: a b </dev/null | wc -l)"

step "bytes that are not UTF-8"
id=$(printf '\377.x\n' | reeve add --each -- printf '%s' '{.}')
reeve wait "$id"
assert_eq "argument" "ff" "$(reeve logs "$id" | od -An -tx1 | tr -d ' ')"
id=$(printf '\377\n' | reeve add --each -c 'printf %s {}')
reeve wait "$id"
assert_eq "shell" "ff" "$(reeve logs "$id" | od -An -tx1 | tr -d ' ')"

step "many, by pieces; options hold for all"
seq 1201 | reeve add --each --hold -l many -p 3 true >ids
assert_eq "ids" 1201 "$(wc -l <ids)"
assert_eq "in order" 1201 "$(reeve show --json "$(tail -n 1 ids)" | jq -r '.spec.command[1]')"
assert_eq "priority" 3 "$(reeve ls --json -l many | jq 'map(.priority) | unique | .[]')"
reeve cancel -l many >/dev/null

step "what has come is submitted, though more may come"
mkfifo slow told
for how in "--each -l slow true" "--batch -"; do
	# shellcheck disable=SC2086 # words
	"$REEVE" add $how <slow >told &
	adder=$!
	exec 8>slow 9<told
	echo true >&8
	read -r id <&9
	reeve wait "$id"
	printf 'true\nfalse\ntru' >&8
	read -r id <&9
	read -r id <&9
	reeve wait -q "$id" || :
	echo e >&8
	exec 8>&-
	assert_match "$how" "$((id + 1))" "$(timeout 60 cat <&9)"
	assert_exit 0 wait "$adder"
	exec 9<&-
done

step "the same key, the same ids"
assert_eq "ids" "$(reeve add --each --key k true ::: a b | xargs)" \
	"$(reeve add --each --key k true ::: a b | xargs)"

step "what is refused"
before=$(reeve ls -q | wc -l)
assert_exit 3 reeve add --each true </dev/null 2>err
assert_match "nothing" "*no items*" "$(cat err)"
assert_exit 3 reeve add --each true ::: 2>/dev/null
assert_exit 2 reeve add --each ::: a 2>/dev/null
assert_exit 2 reeve add --each -c true x ::: a 2>/dev/null
assert_exit 2 reeve add -0 true 2>/dev/null
assert_exit 2 reeve add --each --batch - true 2>/dev/null
printf 'a\nb\0c\n' >nul
assert_exit 2 reeve add --each true <nul 2>err
assert_match "NUL" "*item 2*NUL*" "$(cat err)"
awk 'BEGIN { while (n++ < 2000000) printf "x" }' >long
assert_exit 6 reeve add --each true <long 2>err
assert_match "long" "*item 1*message-max*" "$(cat err)"
assert_eq "nothing was submitted" "$before" "$(reeve ls -q | wc -l)"
stop_reeved
