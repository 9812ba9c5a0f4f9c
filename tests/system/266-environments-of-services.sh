#!/bin/sh
# Environments of services: a reload that changes one restarts the services that start
# otherwise because of it, and no other, also where the daemon is killed in between.
. "${srcdir:-.}/tests/support/system.sh"
conf() { # VALUE_OF_BASE VALUE_OF_SHOP
	cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[environment base]
env = BASE=$1
env-file = $tmp/base.env
[environment shop]
inherit = base
env = SHOP=$2
cwd = ${3:-$tmp}
[service alone]
shell-command = echo "\$BASE"; exec sleep 1000
[service based]
environment = base
instances = 2
shell-command = echo "\$BASE \$FILE \$HOME \$PATH"; exec sleep 1000
[service shop]
environment = shop
command = sh -c 'echo "[\$0] [\$1] \$\$1"; exec sleep 1000' \${SHOP}-\${BASE}:\${NONE} '\$\$\${FILE}'
[service own]
environment = shop
env = SHOP=own
    BASE=own
cwd = /
shell-command = echo "\$SHOP"; exec sleep 1000
EOC
}
instances() { # SERVICE FILTER
	reeve service status --json "$1" | jq -r "[.[0].instances[] | $2] | join(\" \")"
}
until_runs() { # SERVICE N: so many instances of it run
	until [ "$(instances "$1" 'select(.state == "running") | 1' | wc -w)" -eq "$2" ]; do
		settle
	done
}
all_run() {
	until_runs alone 1
	until_runs based 2
	until_runs shop 1
	until_runs own 1
}
pids() { # "NAME INSTANCE PID"
	reeve service ls --json |
		jq -r '.[] | .name as $n | .instances[] | "\($n) \(.instance) \(.pid)"' | sort
}
until_others() { # SERVICE...: until these have other processes than in before, and all run
	for of in "$@"; do
		while pids | grep "^$of " | grep -qxF -f before; do
			settle
		done
	done
	all_run
}
changed() { # names of those that have others than in before
	pids | grep -vxF -f before | cut -d' ' -f1 | sort -u | paste -sd ' ' -
}
said() { # SERVICE: the last line of its first instance's output
	id=$(instances "$1" .job | cut -d' ' -f1)
	until [ -n "$(reeve logs "$id")" ]; do
		settle
	done
	reeve logs "$id"
}

echo "FILE='a b'" >"$tmp/base.env"
conf 1 1
start_reeved --config="$tmp/conf"
all_run

step "what they start with"
assert_eq "a variable, a file, and what a login gives" \
	"1 a b $HOME /usr/local/bin:/usr/bin:/bin" "$(said based)"
assert_eq "variables in a command, each in one word" "[1-1:] [\$a b] \$a b" "$(said shop)"
assert_eq "what a service says itself" own "$(said own)"
assert_eq "none" "" "$(reeve service status --json alone | jq -r '.[0].environment // ""')"

step "nothing is changed"
pids >before
reeve daemon reload >/dev/null
assert_eq "changed" "" "$(changed)"

step "one environment is changed: what would happen, and what does"
conf 1 2
assert_eq "diff" "environment.shop.env becomes SHOP=2, was SHOP=1; services shop and own are restarted" \
	"$(reeve config diff)"
assert_eq "in JSON" "own shop" \
	"$(reeve config diff --json | jq -r '.changes[0].services | sort | join(" ")')"
reeve daemon reload >/dev/null
until_others shop own
assert_eq "changed" "own shop" "$(changed)"
assert_eq "what it starts with" "[2-1:] [\$a b] \$a b" "$(said shop)"

step "one that others build on"
pids >before
conf 2 2
assert_match "diff" "*; services based, *own* are restarted" "$(reeve config diff)"
reeve daemon reload >/dev/null
until_others based shop own
assert_eq "changed" "based own shop" "$(changed)"
assert_match "what it starts with" "2 a b *" "$(said based)"

step "a value that a service does not take"
pids >before
conf 2 2 /usr
assert_eq "diff" "environment.shop.cwd becomes /usr, was $tmp; service shop is restarted" \
	"$(reeve config diff)"
reeve daemon reload >/dev/null
until_others shop
assert_eq "changed" "shop" "$(changed)"

step "a file is read at each start, and by itself restarts nothing"
pids >before
echo "FILE=new" >"$tmp/base.env"
reeve daemon reload >/dev/null
assert_eq "changed" "" "$(changed)"
reeve restart shop >/dev/null
until_others shop
assert_eq "after a restart" "[2-2:] [\$new] \$new" "$(said shop)"

step "a daemon that is killed leaves them, and its successor finds them as they are to be"
pids >before
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
all_run
assert_eq "changed" "" "$(changed)"

step "started anew with an environment that was changed meanwhile"
conf 2 3
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
until_others shop own
assert_eq "changed" "own shop" "$(changed)"
assert_eq "what it starts with" "[3-2:] [\$new] \$new" "$(said shop)"
pids >before

step "HOME and USER that are set are not those that it got by itself"
cat >>"$tmp/conf" <<EOC
[environment homes]
env = HOME=/env
env = USER=somebody
[service homes]
environment = homes
shell-command = echo "\$HOME \$USER"; exec sleep 1000
[service home]
environment = homes
env = HOME=/own
shell-command = echo "\$HOME \$USER"; exec sleep 1000
[service house]
env = PATH=/bin:/usr/bin
env = HOME=/house
shell-command = echo "\$HOME"; exec sleep 1000
[service hut]
env = HOME=/hut
shell-command = echo "\$HOME"; exec sleep 1000
EOC
reeve daemon reload >/dev/null
until_runs homes 1
until_runs home 1
until_runs house 1
until_runs hut 1
assert_eq "of the environment" "/env somebody" "$(said homes)"
assert_eq "its own" "/own somebody" "$(said home)"
pids >before
echo "[pool another]" >>"$tmp/conf"
reeve daemon reload >/dev/null
all_run
assert_eq "changed by a reload" "" "$(changed)"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
all_run
assert_eq "changed by another daemon" "" "$(changed)"
sed -i '/^env = HOME=.house/d; /^env = HOME=.hut/d' "$tmp/conf"
reeve daemon reload >/dev/null
until_others house hut
assert_eq "changed" "house hut" "$(changed)"
assert_eq "one that is not set any more" "$HOME" "$(said hut)"
assert_eq "one that stood behind a PATH of its own" "$HOME" "$(said house)"
conf 2 3
reeve daemon reload >/dev/null
until ! pids | grep -q ^ho; do
	settle
done

step "one that is gone from under a service is refused, and changes nothing"
sed -i 's/^\[environment shop\]/[environment shp]/' "$tmp/conf"
assert_exit 1 reeve daemon reload 2>said
assert_match "the place" "*conf:*[[]service shop] environment: there is no [[]environment shop], did you mean 'shp'?*" \
	"$(cat said)"
assert_eq "changed" "" "$(changed)"

step "without an environment they start as they did"
sed -i '/^environment = /d' "$tmp/conf"
reeve daemon reload >/dev/null
until_others based shop own
assert_eq "what it starts with" "  $HOME /usr/local/bin:/usr/bin:/bin" "$(said based)"

step "a new one, with a service that is set in it"
pids >before
cat >>"$tmp/conf" <<EOC
[environment new]
env = NEW=yes
[service new]
environment = new
shell-command = echo "\$NEW"; exec sleep 1000
EOC
reeve daemon reload >/dev/null
until_runs new 1
assert_eq "changed" "new" "$(changed)"
assert_eq "what it starts with" yes "$(said new)"

step "one for which there is no room does not run, and keeps nothing else from it"
pids >before
{
	sed 's/^min-free = 0/&\nenvironments-max = 1M/' "$tmp/conf"
	printf '[environment large]\nenv = LARGE='
	head -c 1100000 /dev/zero | tr '\0' x
	printf '\n[service large]\nenvironment = large\ncommand = sleep 1000\n'
} >"$tmp/next"
mv "$tmp/next" "$tmp/conf"
reeve daemon reload >/dev/null
assert_eq "changed" "" "$(changed | grep -v large || :)"
assert_match "why" "*there is no room for its environment: environments-max*" \
	"$(reeve service why large)"
kill -9 "$reeved_pid"
reeved_ended
start_reeved --config="$tmp/conf"
all_run
assert_eq "changed" "" "$(changed | grep -v large || :)"
