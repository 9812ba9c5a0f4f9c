#!/bin/sh
# What [defaults] say holds for services, too: what a change of it restarts is told before and
# after, and values are told as they hold.
. "${srcdir:-.}/tests/support/system.sh"
export XDG_CONFIG_HOME="$tmp/config"
dir=$XDG_CONFIG_HOME/reeve
mkdir -p "$dir"
conf=$dir/reeve.conf
pids() { # "NAME PID", sorted
	reeve service ls --json |
		jq -r '.[] | .name as $n | .instances[] | "\($n) \(.pid)"' | sort
}
until_running() { # as many services as this
	until [ "$(reeve service ls --json |
		jq '[.[].instances[] | select(.state == "running")] | length')" -eq "$1" ]; do
		settle
	done
}
until_others() { # NAME...: they have another process than in the file before
	for name; do
		until [ "$(pids | grep "^$name ")" != "$(grep "^$name " before)" ]; do
			settle
		done
	done
	until_running "$n_running"
}
changed() { # services that have another process than in the file before
	pids | grep -vxF -f before | cut -d' ' -f1 | paste -sd ' ' -
}
said() { # what reload said, on one line
	reeve daemon reload | xargs
}
write() { # DEFAULTS
	cat >"$conf" <<END
[defaults]
$1
[service a]
command = sleep 1001
[service b]
command = sleep 1002
[service own]
command = sleep 1003
kill-grace = 9s
nice = 2
END
}
write "kill-grace = 5s"
start_reeved
n_running=3
until_running 3
pids >before

step "what a change restarts is told before, and when it is done"
write "kill-grace = 6s"
assert_eq "diff" "defaults.kill-grace becomes 6s, was 5s, for jobs that are submitted from then on; services a and b are restarted" \
	"$(reeve config diff)"
assert_eq "in JSON" "a b" "$(reeve config diff --json | jq -r '.changes[0].services | join(" ")')"
assert_eq "of files" "$(reeve config diff --json | jq -c '.changes[0].services')" \
	"$(sed 's/6s/5s/' "$conf" >"$tmp/was" && cp "$conf" "$tmp/now" && cp "$tmp/was" "$conf" &&
		reeve --user config diff --json --file "$tmp/now" | jq -c '.changes[0].services'
		cp "$tmp/now" "$conf")"
assert_eq "reload" "changed defaults.kill-grace restarted a b" "$(said)"
until_others a b
assert_eq "restarted" "a b" "$(changed)"

step "what is not for services, and what is said already"
pids >before
write "kill-grace = 6s
retries = 3
priority = 4"
assert_eq "diff" "defaults.priority becomes 4, was 0, for jobs that are submitted from then on
defaults.retries becomes 3, was 0, for jobs that are submitted from then on" "$(reeve config diff)"
assert_eq "reload" "changed defaults.priority defaults.retries" "$(said)"
assert_eq "restarted" "" "$(changed)"

step "a default that is written down"
write "kill-grace = 6s
output-max = 64M
output = file
timestamps = no"
sed -i '/^\[service a\]/a start-timeout = 30s' "$conf"
assert_match "what a service says itself" "*service.a.start-timeout becomes 30s" \
	"$(reeve config diff)"
assert_eq "reload" "changed service.a defaults.priority defaults.retries" \
	"$(said)"
assert_eq "restarted" "" "$(changed)"

step "one that is stopped stays so"
reeve stop b >/dev/null
n_running=2
until_running 2
pids >before
write "kill-grace = 6s
nice = 1"
assert_match "diff" "*defaults.nice becomes 1, for jobs * then on; service a is restarted*" \
	"$(reeve config diff)"
assert_match "reload" "changed * restarted a" "$(said)"
until_others a
assert_eq "restarted" "a" "$(changed)"

sed -i '/^\[service [ab]\]/a cwd = /' "$conf"
assert_eq "nor by its own section" "service.a.cwd becomes /; it is restarted
service.b.cwd becomes /" "$(reeve config diff)"
sed -i '/^cwd/d' "$conf"

step "instances that start and stop"
sed -i '/^\[service [ab]\]/a instances = 3' "$conf"
assert_eq "more" "service.a.instances becomes 3, was 1; 2 more are started
service.b.instances becomes 3, was 1; it stays stopped" "$(reeve config diff)"
reeve service scale a 4 >/dev/null
assert_match "than there are" "service.a.instances becomes 3, was 1; 1 is stopped*" \
	"$(reeve config diff)"
reeve service reset a >/dev/null
sed '/^instances/d' "$conf" >"$tmp/candidate"
assert_match "of files" "*service.a.instances becomes 1, was 3; 2 are stopped*" \
	"$(reeve --user config diff --as "$conf" "$tmp/candidate")"
cp "$tmp/candidate" "$conf"
sed '/^\[service b\]/,/^command/d' "$conf" >"$tmp/candidate"
cp "$conf" "$tmp/was"
cp "$tmp/candidate" "$conf"
assert_eq "one that goes, and was stopped" "service.b goes" "$(reeve config diff)"
cp "$tmp/was" "$conf"
until_running 2

step "sections that come and go"
sed -i 's/^\[service own\]/[service other]/' "$conf"
assert_eq "reload" "new service.other gone service.own" "$(said)"
until_running 2

step "values as they hold, and where they are said"
stop_reeved
cat >"$conf" <<END
[defaults]
kill-grace = 3s
env = A=1
[service x]
command = true
env = B=2
END
assert_eq "get" 3s "$(reeve --user config get service.x.kill-grace)"
assert_eq "a list" "A=1
B=2" "$(reeve --user config get service.x.env)"
assert_eq "its place" '["3s",2]' \
	"$(reeve --user config get --json service.x.kill-grace | jq -c '[.value, .line]')"
assert_eq "show" "[service x]
# $conf:5
command = true
# $conf:6
env =
	A=1
	B=2
# $conf:2 [defaults]
kill-grace = 3s" "$(reeve --user config show --changed service.x)"
assert_eq "in JSON" '["3s","defaults",2]' "$(reeve --user config show --json service.x |
	jq -c '.[] | select(.key == "kill-grace") | [.value, .from, .line]')"
for name in service.x.umask service.x.nice defaults.umask service.x.deadline defaults.slots; do
	case $name in
	*.slots) want=1 ;;
	*) want= ;;
	esac
	assert_eq "$name" "$want" "$(reeve --user config get "$name")"
	assert_eq "$name in JSON" "\"$want\"" "$(reeve --user config get --json "$name" | jq .value)"
done
sed 's/^env = B=2/&\nkill-grace = 9s/' "$conf" >"$tmp/candidate"
assert_eq "diff" "service.x.kill-grace becomes 9s, was 3s; it is restarted" \
	"$(reeve --user config diff --as "$conf" "$tmp/candidate")"
sed 's/^env = A=1/&\n\tC=a b/' "$conf" >"$tmp/candidate"
assert_eq "a list in words" "defaults.env becomes A=1 'C=a b', was A=1, for jobs that are submitted from then on; service x is restarted" \
	"$(reeve --user config diff --as "$conf" "$tmp/candidate")"
sed 's/^kill-grace = 3s/kill-grace = 30d/' "$conf" >"$tmp/candidate"
assert_eq "days" 30d "$(reeve --user config get --file "$tmp/candidate" defaults.kill-grace)"
