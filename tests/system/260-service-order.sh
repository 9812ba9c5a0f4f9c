#!/bin/sh
# Services that require others, or come after them: started one after the other, each ready before
# the next, stopped the other way round, whatever moment the daemon is killed at.
. "${srcdir:-.}/tests/support/system.sh"
. "$top/tests/support/services.sh"
mkfifo "$tmp/fifo"
: >"$log"
{
	printf '[reeved]\nmin-free = 0\n'
	# the file has them in another order than that of their starts
	service web "" 'requires = db' 'after = cache'
	service edge "" 'requires = web'
	service cache ""
	service db "$tmp/fifo" 'after = cache'
	service lone ""
} >"$tmp/conf"

step "each is ready before the next"
start_reeved --config="$tmp/conf"
until_ready cache lone
until_said start:db
until_state web waiting
assert_eq "why" "web 0: it waits for service 'db' (not ready)" \
	"$(reeve service why web | tr -s ' ')"
assert_match "why of its job" "*it waits for service 'db' (not ready)*" "$(reeve why web)"
assert_match "why of the next" "*it waits for service 'web' (waiting)*" "$(reeve service why edge)"
echo >"$tmp/fifo"
until_ready web edge
assert_eq "their order" "start:cache ready:cache start:db ready:db start:web ready:web start:edge ready:edge" \
	"$(grep -v lone "$log" | xargs)"
assert_eq "what it shows" '["db"] ["cache"]' \
	"$(reeve service status --json web | jq -c '.[0] | .requires, .after' | xargs -d '\n')"
said >/dev/null

step "what requires one is stopped before it, and comes again by itself"
reeve stop db
assert_eq "their order" "end:edge end:web end:db" "$(said)"
assert_eq "states" "stopped stopped stopped running running" \
	"$(for s in db web edge cache lone; do state_of $s; done | xargs)"
assert_match "why" "*it requires service 'db' (stopped)*" "$(reeve service why web)"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
until_ready cache lone
assert_eq "states" "stopped stopped stopped" \
	"$(for s in db web edge; do state_of $s; done | xargs)"
reeve start --no-wait db
echo >"$tmp/fifo"
until_ready web edge
assert_eq "their order" "start:db ready:db start:web ready:web start:edge ready:edge" "$(said)"

step "who starts one starts what it requires"
reeve stop db cache
said >/dev/null
reeve start --no-wait edge
until_said start:db
assert_eq "cache, which none requires, stays down" "stopped waiting" \
	"$(for s in cache web; do state_of $s; done | xargs)"
echo >"$tmp/fifo"
until_ready edge
reeve start cache
until_ready cache
said >/dev/null

step "one that comes again, or is restarted, leaves the others as they are"
kill -9 "$(pid_of db)"
echo >"$tmp/fifo"
until_said ready:db
reeve restart --no-wait db
until_said end:db
echo >"$tmp/fifo"
until_ready db
assert_eq "what happened" "start:db ready:db end:db start:db ready:db" "$(said)"
kill -9 "$(pid_of web)"
until_said ready:web
assert_eq "and the other way round" "start:web ready:web" "$(said)"

step "what it requires is not ready as it comes again: it waits"
for s in db web; do
	kill -9 "$(pid_of $s)"
done
until_state web waiting
echo >"$tmp/fifo"
until_ready web
assert_eq "their order" "start:db ready:db start:web ready:web" "$(said)"

step "the daemon is killed in the middle of the chain, again and again"
reeve stop db cache
said >/dev/null
reeve start --no-wait cache
reeve start --no-wait edge
until_said start:db
for _ in 1 2 3; do
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
	until_state web waiting
done
assert_eq "nothing but those before it was started" "start:cache ready:cache start:db" "$(said)"
echo >"$tmp/fifo"
until_ready edge
assert_eq "then the others" "ready:db start:web ready:web start:edge ready:edge" "$(said)"

step "the end of the daemon ends them the other way round"
stop_reeved
assert_eq "their order" "end:edge end:web end:db end:cache" "$(grep -v lone "$log" | xargs)"
said >/dev/null
start_reeved --config="$tmp/conf" --shutdown=drain
echo >"$tmp/fifo"
until_ready edge
assert_eq "and it starts them in order" \
	"start:cache ready:cache start:db ready:db start:web ready:web start:edge ready:edge" \
	"$(grep -v lone "$log" | xargs)"
said >/dev/null
stop_reeved
assert_eq "as drain does" "end:edge end:web end:db end:cache" "$(grep -v lone "$log" | xargs)"
said >/dev/null

step "killed in the middle of a stop, it goes on with it"
mkfifo "$tmp/linger"
sed -i "s|^requires = web|&\\nstop-timeout = 1h\\nenv = LINGER=$tmp/linger|" "$tmp/conf"
start_reeved --config="$tmp/conf"
echo >"$tmp/fifo"
until_ready edge lone
said >/dev/null
reeve stop --no-wait db
until_said asked:edge
kill -9 "$reeved_pid"
reeved_ended
assert_eq "so far" "asked:edge" "$(said)"
start_reeved --config="$tmp/conf"
until_state edge stopping
assert_eq "the next is not asked" running "$(state_of web)"
echo >"$tmp/linger"
until_state db stopped
assert_eq "their order" "end:edge end:web end:db" "$(said)"

step "those that a reload removes end the other way round, too"
reeve start --no-wait edge
echo >"$tmp/fifo"
until_ready edge
said >/dev/null
printf '[reeved]\nmin-free = 0\n' >"$tmp/conf.new"
service lone "" >>"$tmp/conf.new"
mv "$tmp/conf" "$tmp/conf.old"
mv "$tmp/conf.new" "$tmp/conf"
reeve daemon reload >/dev/null
echo >"$tmp/linger"
until_said end:cache
assert_eq "their order" "asked:edge end:edge end:web end:db end:cache" "$(said)"

step "one that is given up takes those down that require it"
{
	cat "$tmp/conf"
	printf '[service bad]\nshell-command = test -e %s/good && exec sleep 1000\n' "$tmp"
	printf '%s\n' 'restart-delay = 1ms' 'restart-delay-max = 1ms' 'restart-burst = 2' \
		'restart-interval = 1h' '[service once]' 'command = true' 'restart = on-failure'
	service needs "" 'requires = bad'
	service later "" 'after = bad' 'requires = once'
} >"$tmp/conf.new"
touch "$tmp/good"
mv "$tmp/conf.new" "$tmp/conf"
reeve daemon reload >/dev/null
until_ready needs later
said >/dev/null
rm "$tmp/good"
kill -9 "$(pid_of bad)"
until_state bad failed
until_state needs stopped
assert_eq "who was stopped" "end:needs" "$(said)"
assert_eq "the other" running "$(state_of later)"
assert_match "why" "*it requires service 'bad' (failed)*" "$(reeve service why needs)"
reeve restart --no-wait later
until_said ready:later
assert_eq "it does not wait for one that is given up" "end:later start:later ready:later" "$(said)"
touch "$tmp/good"
reeve start needs
until_ready needs
assert_eq "who starts it starts what it requires" "start:needs ready:needs" "$(said)"

step "faults of the configuration are told with their places, and change nothing"
{
	cat "$tmp/conf"
	printf '[service x]\ncommand = true\nrequires = lonee\n'
	printf '[service y]\ncommand = true\nafter = z\n[service z]\ncommand = true\nrequires = y\n'
} >"$tmp/bad.conf"
assert_exit 1 reeve config check "$tmp/bad.conf" >said 2>&1
assert_match "the name" "*bad.conf:*: *requires: there is no *service lonee*, did you mean 'lone'?*" "$(cat said)"
assert_match "the ring" "*bad.conf:*: *after: it waits for itself: y, z, y*" "$(cat said)"
