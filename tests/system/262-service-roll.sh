#!/bin/sh
# Rolling restarts: one service after the other, each instance ready before the next one ends, over
# the death of the client and of the daemon; and groups and globs where verbs take services.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/services.sh"

mkfifo "$tmp/f0" "$tmp/f1" "$tmp/f2"
: >"$log"
{
	printf '[reeved]\nmin-free = 0\n'
	service z ""
	service web%i "$tmp/f%i" 'instances = 3' "env = BAD=$tmp/bad%i" |
		sed 's/^\[service web%i\]/[service web]/; s/^restart-delay = .*/restart-delay = 1h/'
	service a ""
	service lone ""
	printf '[group app]\nservices = a web z\n'
} >"$tmp/conf"
web_ready() { # NUMBER: so many instances
	until [ "$(reeve ls --json | jq '[.[] | select(.name == "web" and .ready_usec and .state == "running")] | length')" = "$1" ]; do
		settle
	done
}
let_app_up() { # all of it is being started
	for i in 0 1 2; do
		echo >"$tmp/f$i"
	done
	until_ready a z
	web_ready 3
	said >/dev/null
}
restart_reeved() {
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
}
roll_of() { # SERVICE
	reeve service status --json "$1" | jq -r '.[0].roll'
}
until_roll() { # SERVICE TEXT
	until [ "$(roll_of "$1")" = "$2" ]; do
		settle
	done
}
start_reeved --config="$tmp/conf"
for i in 0 1 2; do
	echo >"$tmp/f$i"
done
until_ready a z lone
web_ready 3
said >/dev/null

step "one after the other"
reeve restart --rolling web &
roll=$!
before=
for i in 0 1 2; do
	until_said start:web$i
	assert_eq "instance $i" "${before}end:web$i start:web$i" "$(said)"
	web_ready 2
	assert_eq "how far it is" "instance $i of 3 is on its way" "$(roll_of web)"
	echo >"$tmp/f$i"
	before="ready:web$i "
done
wait $roll
assert_eq "nothing is said of it any more" null "$(roll_of web)"
said >/dev/null

step "a group: in its order, the client and the daemon are killed meanwhile"
reeve service restart --rolling app &
roll=$!
until_said start:web0
assert_eq "so far" "end:a start:a ready:a end:web0 start:web0" "$(said)"
assert_eq "the next" "it comes after service 'web'" "$(roll_of z)"
assert_exit 1 reeve restart --rolling 'w*' 2>error
assert_match "what a second one is told" "*service 'web' is being restarted*" "$(cat error)"
kill $roll
wait $roll 2>/dev/null || :
restart_reeved
web_ready 2
echo >"$tmp/f0"
until_said start:web1
restart_reeved
restart_reeved
assert_eq "it goes on where it was" "ready:web0 end:web1 start:web1" "$(said)"
echo >"$tmp/f1"
until_said start:web2
echo >"$tmp/f2"
until_said ready:z
until_ready a z
web_ready 3
until_roll z null
assert_eq "to its end" "ready:web1 end:web2 start:web2 ready:web2 end:z start:z ready:z" "$(said)"

step "it stops at the first that does not get ready"
touch "$tmp/bad1"
reeve restart --rolling app 2>error &
roll=$!
echo >"$tmp/f0"
code=0
wait $roll || code=$?
assert_eq "its exit status" 1 "$code"
assert_match "what it says" \
	"*rolling restart of service 'web': it stopped at instance 1: it has ended with status 3*" "$(cat error)"
assert_eq "what happened" "end:a start:a ready:a end:web0 start:web0 ready:web0 end:web1" "$(said)"
assert_eq "what is said of it" "it stopped at instance 1: it has ended with status 3" "$(roll_of web)"
assert_eq "and of the next" "it stopped before it, at service 'web'" "$(roll_of z)"
restart_reeved
assert_eq "after the death of the daemon" "it stopped at instance 1: it has ended with status 3" "$(roll_of web)"
rm "$tmp/bad1"
reeve start --no-wait web
until_said start:web1
echo >"$tmp/f1"
web_ready 3
assert_eq "until it is started" null "$(roll_of web)"

step "one that is stopped meanwhile ends the roll; one that was before stays so"
reeve stop a
reeve restart --rolling app &
roll=$!
until_said start:web0
reeve stop web
wait $roll
assert_eq "the one before" stopped "$(state_of a)"
assert_eq "its roll" null "$(roll_of web)"
until_ready z
said >/dev/null

step "groups and globs, where verbs take services"
reeve start --no-wait app
until_said start:web2
let_app_up
reeve stop app
assert_eq "the other way round" "end:z a" "$(xargs <"$log" | cut -d ' ' -f 1) $(tail -n 1 "$log" | cut -d : -f 2)"
assert_eq "the others" running "$(state_of lone)"
assert_eq "which it lists" "a web z" "$(reeve service ls --json app | jq -r '.[].name' | xargs)"
assert_eq "their states" "stopped" "$(reeve service ls --json app | jq -r '.[].state' | sort -u)"
assert_match "the table" "*GROUP*app*" "$(reeve service ls | xargs)"
reeve start 'a*' z
assert_eq "by globs" "running stopped running" "$(reeve service ls --json app | jq -r '.[].state' | xargs)"
assert_eq "whose logs they are" "==> web.0, job <== ==> web.1, job <== ==> web.2, job <== ==> a, job <==" \
	"$(reeve service logs a web | sed 's/job [0-9]*/job/' | xargs)"
assert_exit 3 reeve start nosuch 2>error
assert_match "the error" "*no service 'nosuch', nor a group*" "$(cat error)"
assert_exit 2 reeve service stop --rolling app 2>/dev/null

step "a reload in the midst: no two instances are away at once"
reeve start --no-wait web
for i in 0 1 2; do
	echo >"$tmp/f$i"
done
web_ready 3
said >/dev/null
reeve restart --rolling web &
roll=$!
until_said start:web0
said >/dev/null
sed -i "s|^env = BAD=$tmp/bad%i|&\nenv = OTHER=1|" "$tmp/conf"
reeve daemon reload >/dev/null
before=
for i in 0 1 2; do
	until_said start:web$i
	web_ready 2
	assert_eq "instance $i" "${before}end:web$i start:web$i" "$(said)"
	echo >"$tmp/f$i"
	before="ready:web$i "
done
wait $roll
web_ready 3
said >/dev/null

step "one that fails with its group has failed"
sed -i "s|^services = a web z|&\nstrategy = one-for-all\nrestart-burst = 2\nrestart-interval = 1h|" "$tmp/conf"
sed -i '/^restart-delay = 1h/s/.*/restart-delay = 1ms\nrestart-delay-max = 1ms/' "$tmp/conf"
reeve daemon reload >/dev/null
touch "$tmp/bad0"
code=0
reeve restart --rolling web 2>error || code=$?
assert_eq "its exit status" 1 "$code"
assert_match "what it says" \
	"*service 'web': it stopped at instance 0: *" "$(cat error)"
assert_match "what is said of it" "it stopped at instance 0: *" "$(roll_of web)"
until_state a stopped
rm "$tmp/bad0"

step "one that is given up in the midst, by another, has failed"
sed -i 's/^strategy = one-for-all/strategy = one-for-one/' "$tmp/conf"
reeve daemon reload >/dev/null
reeve start --no-wait app
let_app_up
reeve restart --rolling web 2>error &
roll=$!
until_said start:web0
for _ in 1 2; do
	kill -9 "$(pid_of a)"
	until_said ready:a
	until_ready a
	said >/dev/null
done
kill -9 "$(pid_of a)"
code=0
wait $roll || code=$?
assert_eq "its exit status" 1 "$code"
assert_match "what it says" "*it stopped at instance 0: its group 'app' was given up" "$(cat error)"
until_state web stopped

step "one whose group was given up cannot be rolled"
code=0
reeve restart --rolling app 2>error || code=$?
assert_eq "its exit status" 1 "$code"
assert_match "what it says" "*service 'a': it did not begin: its group 'app' was given up" "$(cat error)"
assert_eq "the next" "it stopped before it, at service 'a'" "$(roll_of web)"

step "a reload replaces those that do not get ready, and wait for no other"
{
	printf '[reeved]\nmin-free = 0\n'
	service never "$tmp/f0" 'instances = 3'
} >"$tmp/conf"
reeve daemon reload >/dev/null
until [ "$(grep -c start:never "$log")" = 3 ]; do
	settle
done
sed -i "s|$tmp/f0||" "$tmp/conf"
reeve daemon reload >/dev/null
until [ "$(grep -c ready:never "$log")" = 3 ]; do
	settle
done
