#!/bin/sh
# The line of wait and gather on a terminal: how far it is, and gone at the end.
. "${srcdir:-.}/tests/support/system.sh"
pty="$build/tests/support/pty"
export TERM=xterm
cat >"$tmp/conf" <<-END
	[pool default]
	slots = 1
END
start_reeved --config="$tmp/conf"
mkfifo gate
clear=$(printf '\r\033[K')

# seen FILE TEXT: until the terminal has shown it
seen() {
	i=0
	until grep -q -F -e "$2" "$1"; do
		i=$((i + 1))
		[ $i -lt 10000 ] || fail "not shown: '$2', but '$(cat "$1")'"
	done
}

# ends_cleared FILE: what comes last takes the line away
ends_cleared() {
	assert_eq "the end" "$clear" "$(tail -c 4 "$1")"
}

step "wait: counts as they change"
: >screen
a=$(reeve add -c 'head -n 1 gate >/dev/null; exit 3')
b=$(reeve add -c 'head -n 1 gate >/dev/null')
c=$(reeve add -c 'head -n 1 gate >/dev/null')
"$pty" "$REEVE" wait "$a" "$b" "$c" 2>screen &
waiter=$!
seen screen "0/3 done, 1 running, 2 queued"
echo >gate
seen screen "1/3 done, 1 failed, 1 running, 1 queued"
assert_match "a line of its own for the failure" "*${clear}reeve: job $a failed, exit 3*" "$(cat screen)"
echo >gate
seen screen "2/3 done, 1 failed, 1 running, 0 queued"
echo >gate
assert_exit 1 wait "$waiter"
ends_cleared screen
assert_eq "no colours with NO_COLOR" 0 "$(grep -c '\[31m' screen || :)"

step "colours, and a narrow terminal"
a=$(reeve add -c 'head -n 1 gate >/dev/null')
: >screen
env -u NO_COLOR "$pty" -w 24 "$REEVE" wait --first-failure "$a" "$a" 2>screen &
waiter=$!
seen screen "0/1 done, 1 running"
echo >gate
assert_exit 0 wait "$waiter"
assert_eq "what does not fit" 0 "$(grep -c queued screen || :)"
ends_cleared screen

step "gather: outputs are not mixed with it"
: >screen
"$pty" "$REEVE" gather 'head -n 1 gate >/dev/null; echo one' 'head -n 1 gate >/dev/null; echo two' \
	>out 2>screen &
gatherer=$!
seen screen "0/2 done, 1 running, 1 queued"
echo >gate
seen screen "1/2 done, 1 running, 0 queued"
echo >gate
assert_exit 0 wait "$gatherer"
assert_eq "outputs" "one two" "$(xargs <out)"
ends_cleared screen

step "a signal that ends wait takes it away"
a=$(reeve add -c 'head -n 1 gate >/dev/null')
: >screen
# shellcheck disable=SC2016 # of the inner shell
"$pty" sh -c 'echo $$ >pid; exec "$REEVE" wait "$1"' sh "$a" 2>screen &
waiter=$!
seen screen "0/1 done"
kill -TERM "$(cat pid)"
assert_exit 143 wait "$waiter"
ends_cleared screen
echo >gate
reeve wait "$a"

step "many short ones: redrawn ten times a second at most"
seq 300 | reeve add --each -l many true >/dev/null
start=$(date +%s)
"$pty" "$REEVE" wait -l many 2>screen
end=$(date +%s)
n=$(tr '\r' '\n' <screen | grep -c 'done' || :)
[ "$n" -le $(((end - start + 1) * 10 + 1)) ] || fail "$n times in $((end - start)) s"

step "nothing with -q, --json, a dumb terminal, and where stderr is none"
reeve add -l quiet true >/dev/null
for how in "-q" "--json"; do
	"$pty" "$REEVE" wait $how -l quiet >/dev/null 2>screen
	assert_eq "$how" "" "$(cat screen)"
done
TERM=dumb "$pty" "$REEVE" wait -l quiet 2>screen
assert_eq "dumb" "" "$(cat screen)"
reeve wait -l many 2>err
assert_eq "no terminal" "" "$(cat err)"
stop_reeved
