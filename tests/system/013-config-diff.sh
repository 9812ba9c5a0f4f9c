#!/bin/sh
# What a reload would do is told before it is done, and by files without a daemon.
. "${srcdir:-.}/tests/support/system.sh"
export XDG_CONFIG_HOME="$tmp/config"
dir=$XDG_CONFIG_HOME/reeve
mkdir -p "$dir/reeve.conf.d"
conf=$dir/reeve.conf
diff_is() { # WANT [OPTION...]
	want=$1
	shift
	assert_eq "what is told${*:+ with $*}" "$want" "$(reeve --user config diff "$@" 2>&1)"
}
printf '[reeved]\nmin-free = 1M\n[pool a]\nslots = 2\n[pool b]\nslots = 3\n' >"$conf"
start_reeved

step "nothing, and everything"
diff_is "nothing would change"
assert_exit 0 reeve --user config diff --exit-code >/dev/null
cat >"$conf" <<END
[reeved]
min-free = 2M
durability = normal
[defaults]
nice = 3
[pool a]
slots = 4
on-empty = echo 'it is' empty
[schedule s]
when = daily
command = true
END
diff_is "reeved.durability becomes normal, was full, when the daemon is restarted
reeved.min-free becomes 2M, was 1M
defaults.nice becomes 3, for jobs that are submitted from then on
pool.a.on-empty becomes 'echo 'it is' empty'
pool.a.slots becomes 4, was 2
pool.b goes; its jobs wait until it is there again
schedule.s is new
schedule.s.command is true
schedule.s.when is daily"
assert_exit 1 reeve --user config diff --exit-code >/dev/null
assert_eq "JSON" '["pool","a","slots","2","4",7]' "$(reeve --user --json config diff |
	jq -c '.changes[] | select(.key == "slots") | [.section, .name, .key, .before, .after, .line]')"
assert_eq "n" 9 "$(reeve --user --json config diff | jq .n)"
assert_eq "and nothing was done" 2 "$(reeve pool ls --json | jq '.[] | select(.name == "a").slots')"
reeve daemon reload >/dev/null
diff_is "nothing would change"

step "what was set at run time"
reeve pool set a --slots 9
diff_is "pool.a.slots = 9 was set at run time, and stays"
assert_exit 0 reeve --user config diff --exit-code >/dev/null
sed -i 's/^slots = 4/slots = 5/' "$conf"
diff_is "pool.a.slots becomes 5, was 4
pool.a.slots = 9 was set at run time, and is dropped"
reeve daemon reload >/dev/null
diff_is "nothing would change"

step "what would be refused"
reeve pool add late --slots 1
printf '[pool late]\nslots = nine\n[reeved]\nmin-fee = 1M\n' >>"$conf"
assert_exit 1 reeve --user config diff 2>err
assert_match "all of it" "*reeve.conf:13: *nine*
*reeve.conf:15: *min-fee*" "$(sed 1d err)"
assert_exit 2 reeve --user config diff --exit-code 2>err
assert_match "all the same" "*nine*" "$(cat err)"
sed -i '$d' "$conf"
sed -i 's/nine/9/; $d' "$conf"
assert_exit 1 reeve --user config diff 2>err
assert_match "a name that was added at run time" "*late*" "$(sed 1d err)"
reeve pool rm late
diff_is "pool.late is new
pool.late.slots is 9"

step "of files, without a daemon"
stop_reeved
printf '[pool late]\nslots = 7\n' >"$tmp/candidate"
diff_is "pool.late.slots becomes 7, was 9" --as 50-late.conf "$tmp/candidate"
cp "$tmp/candidate" "$dir/reeve.conf.d/50-late.conf"
diff_is "nothing would change" --as 50-late.conf "$tmp/candidate"
assert_exit 1 reeve --user config diff --exit-code --file "$tmp/candidate" >out
assert_eq "a pool that the file has not" 1 "$(grep -c '^pool.a goes' out)"
assert_exit 5 reeve --user config diff 2>err
assert_exit 5 reeve --user config diff --exit-code 2>err
echo nonsense >"$tmp/broken"
assert_exit 1 reeve --user config diff --file "$tmp/broken" 2>err
assert_exit 2 reeve --user config diff --exit-code --file "$tmp/broken" 2>err
assert_exit 2 reeve --user config diff --as x 2>err
assert_exit 2 reeve --user config diff --as nowhere/x.conf "$tmp/candidate" 2>err
