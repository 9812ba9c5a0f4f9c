#!/bin/sh
# The order in which jobs start: priority, then submission; move and force change it.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<'EOF'
[reeved]
min-free = 0
[pool default]
slots = 1
EOF
mkfifo "$tmp/go"
block() { # the only slot is taken until something comes through the FIFO
	blocker=$(reeve add -c "read -r x <'$tmp/go'")
	until [ "$(reeve ls --json "$blocker" | jq -r '.[0].state')" = running ]; do
		settle
	done
}
go() { # and what ran then, in order
	: >"$tmp/order"
	echo go >"$tmp/go"
	reeve wait -q || :
	tr '\n' ' ' <"$tmp/order"
}
note() { # NAME OPTION...: a job that notes its name; prints its id
	name=$1
	shift
	reeve add "$@" -c "echo $name >>'$tmp/order'"
}
start_reeved --config="$tmp/conf"

step "priority, then submission"
block
note a >/dev/null
note b -p 5 >/dev/null
note c >/dev/null
note d -p -1 >/dev/null
note e -p 5 >/dev/null
assert_eq "order" "b e a c d " "$(go)"

step "moved jobs stand before, or behind, all others"
block
a=$(note a)
b=$(note b -p 5)
c=$(note c)
d=$(note d)
e=$(note e)
reeve move "$d" "$e" first
reeve move "$b" last
reeve move "$c" first
assert_eq "order" "c d e a b " "$(go)"
assert_exit 1 reeve move "$a" first
assert_exit 2 reeve move "$a"
assert_exit 2 reeve move first

step "a moved job keeps its place over a crash, and loses it when it is retried"
block
a=$(note a)
b=$(note b)
reeve move "$b" first
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
assert_eq "order" "b a " "$(go)"
block
c=$(note c)
reeve retry "$b"
assert_eq "order of a retried one" "b c " "$(go)"

step "force starts a job past all limits"
block
q=$(note q)
h=$(note h --hold)
p=$(note p)
reeve pool pause default
reeve force "$h" "$p"
reeve wait "$h" "$p"
assert_eq "the other one" queued "$(reeve ls --json "$q" | jq -r '.[0].state')"
assert_eq "forced is kept" true "$(reeve show --json "$p" | jq .spec.force)"
reeve pool resume default
go >/dev/null
assert_exit 1 reeve force "$q"

step "a job that says force does not wait for a slot"
block
note f --force >/dev/null
until [ "$(cat "$tmp/order")" = "$(printf 'q\nf')" ] || [ "$(tail -n 1 "$tmp/order")" = f ]; do
	settle
done
go >/dev/null

finish
