#!/bin/sh
# The configuration looked at and changed by commands: one value and no other byte, what is
# wrong refused, the daemon told.
. "${srcdir:-.}/tests/support/system.sh"
export XDG_CONFIG_HOME="$tmp/config" TMPDIR="$tmp/texts"
unset VISUAL
mkdir "$TMPDIR"
dir=$XDG_CONFIG_HOME/reeve
drop=$dir/reeve.conf.d
config() {
	reeve --user config "$@"
}
editor() { # COMMANDS: an editor that does this to "$1"
	printf '#!/bin/sh\nset -e\n%s\n' "$*" >"$tmp/editor"
	chmod +x "$tmp/editor"
	export EDITOR="$tmp/editor"
}

step "set makes the file for it; the same again changes nothing"
assert_eq "new" changed "$(config set reeved.log-level debug)"
assert_eq "again" unchanged "$(config set reeved.log-level debug)"
assert_eq "the file" "[reeved]
log-level = debug" "$(cat "$drop/90-local.conf")"
assert_eq "get" debug "$(config get reeved.log-level)"
assert_eq "a default" full "$(config get reeved.durability)"
assert_eq "JSON" "{\"changed\":true,\"file\":\"$drop/90-local.conf\"}" \
	"$(reeve --user --json config set 'pool gpu.slots' 3)"
assert_eq "a section with a name" '["pool","gpu","slots","3",5]' \
	"$(reeve --user --json config get pool.gpu.slots | jq -c '[.section, .name, .key, .value, .line]')"
assert_eq "unset" changed "$(config unset pool.gpu.slots)"
assert_eq "unset again" unchanged "$(config unset pool.gpu.slots)"
assert_exit 3 config get pool.gpu.slots 2>err
assert_eq "the section that it left is gone, too" "[reeved]
log-level = debug" "$(cat "$drop/90-local.conf")"
assert_exit 3 config get pool.nowhere.slots 2>err
assert_match "said" "*no [[]pool nowhere]" "$(cat err)"
assert_exit 3 config get pool.defalt.slots 2>err
assert_match "suggested" "*no [[]pool defalt], did you mean 'default'*" "$(cat err)"
assert_exit 2 config get pool.default.slts 2>err
assert_match "suggested" "*no key 'slts' in [[]pool], did you mean 'slots'*" "$(cat err)"
assert_exit 2 config get rieved.log-level 2>err
assert_match "suggested" "*no section 'rieved', did you mean 'reeved'*" "$(cat err)"
assert_exit 2 config get reeved.log-levle 2>err
assert_exit 2 config get log-level 2>err
assert_exit 2 config frobnicate 2>err

step "what set has made, unset takes out"
cp "$drop/90-local.conf" before
assert_eq "set" changed "$(config set service.zz.command 'sleep 1')"
assert_eq "unset" changed "$(config unset service.zz.command)"
cmp before "$drop/90-local.conf" || fail "unset leaves something behind"
printf '\n[pool gpu]\n# two\nslots = 2\n\n[service a.b]\ncommand = true\n' >>"$drop/90-local.conf"
assert_eq "a section, by its name" changed "$(config unset pool.gpu service.a.b)"
cmp before "$drop/90-local.conf" || fail "unset leaves something behind"
assert_eq "again" unchanged "$(config unset pool.gpu)"
printf '[defaults]\nenv = A=1\nnice = 1\nenv = B=1\n' >"$tmp/twice.conf"
assert_exit 1 config set --file "$tmp/twice.conf" defaults.env C=1 2>err
assert_match "a way on" "*env is set in line 2 too: unset takes out both*" "$(cat err)"
assert_eq "both" changed "$(config unset --file "$tmp/twice.conf" defaults.env)"
assert_eq "the rest" "[defaults] nice = 1" "$(paste -sd ' ' "$tmp/twice.conf")"

step "unset of what another file says, or of what there is not"
printf '[service web]\ncommand = true\nready = notify\n' >"$dir/reeve.conf"
assert_eq "unset" unchanged "$(config unset service.web.ready 2>err)"
assert_match "who says it" "*ready: $dir/reeve.conf:3 says it, and is what holds*" "$(cat err)"
assert_eq "a section" unchanged "$(config unset service.web 2>err)"
assert_match "who says it" "*web: $dir/reeve.conf:1 says it, and is what holds*" "$(cat err)"
config set service.web.ready exec >/dev/null 2>&1
assert_eq "unset" changed "$(config unset service.web.ready 2>err)"
assert_match "who says it" "*ready: $dir/reeve.conf:3 says it, and is what holds*" "$(cat err)"
assert_exit 2 config unset service.web.redy 2>err
assert_match "said" "*no key 'redy' in [[]service], did you mean 'ready'*" "$(cat err)"
assert_exit 2 config unset servise.web.ready 2>err
assert_match "said" "*no section 'servise', did you mean 'service'*" "$(cat err)"
rm "$dir/reeve.conf"
cmp before "$drop/90-local.conf" || fail "unset leaves something behind"

step "several are one change: all of it, or nothing"
assert_exit 1 config set schedule.night.when '0 3 * * *' 2>err
assert_match "said" "*night*command: *nothing was changed*" "$(tr '\n' ' ' <err)"
cp "$drop/90-local.conf" before
assert_exit 1 config set schedule.night.when '0 3 * * *' schedule.night.command true \
	pool.gpu.slots many 2>err
cmp before "$drop/90-local.conf" || fail "a part of it was written"
assert_eq "set" changed \
	"$(config set schedule.night.when '0 3 * * *' schedule.night.command true pool.gpu.slots 2)"
assert_eq "again" unchanged "$(config set pool.gpu.slots 2 schedule.night.command true)"
assert_eq "the file" "[schedule night]
when = 0 3 * * *
command = true

[pool gpu]
slots = 2" "$(sed '1,/^$/d' "$drop/90-local.conf" | sed '/./,$!d')"
assert_eq "unset" changed "$(config unset pool.gpu.slots reeved.min-free)"
assert_exit 2 config set pool.gpu.slots 2 pool.gpu.rate 2>err
assert_match "said" "*SECTION.KEY VALUE*" "$(cat err)"
assert_exit 1 config unset schedule.night.when 2>err
cp before "$drop/90-local.conf"

step "what a value of the shipped file is set to is the only line that differs"
cp "$top/conf/reeve.conf" "$dir/reeve.conf"
chmod 640 "$dir/reeve.conf"
ln -s reeve/reeve.conf "$XDG_CONFIG_HOME/link"
assert_eq "set" changed "$(config set --file "$XDG_CONFIG_HOME/link" reeved.keep-finished-max 77)"
diff "$top/conf/reeve.conf" "$dir/reeve.conf" >found || :
assert_eq "lines that differ" "> keep-finished-max = 77" "$(sed 1d found)"
assert_eq "a link is followed, the mode kept" "640 -rw-r-----" \
	"$(stat -c '%a %A' "$dir/reeve.conf")"
[ -L "$XDG_CONFIG_HOME/link" ] || fail "the link was replaced"
assert_eq "in effect" 77 "$(config get reeved.keep-finished-max)"
assert_eq "unset" changed "$(config unset --file "$dir/reeve.conf" reeved.keep-finished-max)"
cmp "$top/conf/reeve.conf" "$dir/reeve.conf" || fail "unset leaves something behind"

step "a later file says otherwise: that is told"
assert_eq "set" changed "$(config set --file "$dir/reeve.conf" reeved.log-level warning 2>err)"
assert_match "said" "*90-local.conf:2 says otherwise*" "$(cat err)"
assert_eq "in effect" debug "$(config get reeved.log-level)"
assert_eq "show says where from" "# $drop/90-local.conf:2
log-level = debug" "$(config show --changed | grep -B 1 '^log-level')"
assert_eq "as JSON" "[\"debug\",\"$drop/90-local.conf\"]" \
	"$(reeve --user --json config show | jq -c '.[] | select(.key == "log-level") | [.value, .file]')"

assert_eq "one section, by its name" "[pool default] slots" \
	"$(config set pool.default.slots 3 >/dev/null; config set pool.gpu.slots 2 >/dev/null
	config show --changed pool.default | sed -n '/^\[/p; s/ =.*//p' | paste -sd ' ' -)"
assert_eq "those of a kind" "[pool default] [pool gpu]" \
	"$(config show pool | grep '^\[' | paste -sd ' ' -)"
assert_eq "by a glob" '["gpu"]' \
	"$(reeve --user --json config show 'pool.g*' | jq -c '[.[].name] | unique')"
assert_exit 3 config show pool.nowhere 2>err
assert_match "said" "*no section 'pool.nowhere'*" "$(cat err)"
config unset pool.default.slots >/dev/null
config unset pool.gpu.slots >/dev/null

step "what would be wrong is refused, and nothing written"
cp "$drop/90-local.conf" before
assert_exit 1 config set reeved.log-level loud 2>err
assert_match "said" "*90-local.conf:2: log-level: *nothing was changed*" "$(tr '\n' ' ' <err)"
assert_exit 1 config set reeved.log-levle info 2>err
assert_match "suggested" "*did you mean 'log-level'*" "$(tr '\n' ' ' <err)"
assert_exit 1 config set defaults.priority 'x
' 2>err
assert_exit 2 config set reeved.log-level 2>err
cmp before "$drop/90-local.conf" || fail "the file was written"
for bad in "$tmp" "$tmp/none/x.conf"; do
	assert_exit 1 config set --file "$bad" reeved.log-level info 2>err
	grep -qF "$bad" err || fail "the error does not name '$bad': $(cat err)"
done

step "a broken file can be mended, one error at a time"
printf '[reeved]\nlog-levle = info\n# kept\nslosts = 2\n' >"$drop/95-broken.conf"
assert_exit 1 config show 2>err
assert_eq "one less" changed "$(config unset --file "$drop/95-broken.conf" reeved.slosts 2>err)"
assert_match "what is left is told" "*95-broken.conf:2: unknown key*1 error less*" "$(tr '\n' ' ' <err)"
assert_eq "none left" changed "$(config unset --file "$drop/95-broken.conf" reeved.log-levle)"
assert_eq "its comment stays" "[reeved]
# kept" "$(cat "$drop/95-broken.conf")"

step "check --as: a file as if it stood among the others"
printf '[reeved]\nlog-level = info\n' >candidate
assert_exit 0 config check --as 50-new.conf candidate >out
tail -n 1 out | grep -q '4 files read, no error' || fail "check says: $(cat out)"
printf '[pool gpu]\nslots = many\n' >candidate
assert_exit 1 config check --as "$drop/50-new.conf" candidate 2>err
assert_match "the candidate is named" "*candidate:2: slots: *" "$(cat err)"
assert_exit 2 config check --as "$tmp/50-new.conf" candidate 2>err
assert_exit 2 config check --as 50-new candidate 2>err
[ ! -e "$drop/50-new.conf" ] || fail "check wrote a file"

step "a file that the daemon does not read is judged by itself"
assert_eq "set" changed "$(config set --file "$tmp/own.conf" pool.gpu.slots 2)"
assert_eq "get" 2 "$(config get --file "$tmp/own.conf" pool.gpu.slots)"
assert_exit 3 config get pool.gpu.slots 2>err
assert_match "not among the daemon's" "*no [[]pool gpu]*" "$(cat err)"

step "a file that is made may be written by its owner alone, whatever the umask"
for mask in 000 002 077; do
	(
		umask "$mask"
		config set --file "$tmp/own.$mask.conf" pool.gpu.slots 2 >/dev/null
	)
done
assert_eq "modes" "644 644 600 " "$(stat -c %a "$tmp"/own.???.conf | tr '\n' ' ')"

step "edit: checked, installed, the old one kept, the daemon told"
start_reeved
cp "$drop/90-local.conf" before
editor "stat -c %a \"\$1\" >$tmp/mode; printf 'keep-finished-max = 5\n' >\"\$1\"; sed 's/^/[reeved]\n/' -i \"\$1\""
assert_eq "edit" changed "$(config edit)"
assert_eq "the copy is private" 600 "$(cat "$tmp/mode")"
assert_eq "taken" 5 "$(config get reeved.keep-finished-max)"
cmp before "$drop/90-local.conf~" || fail "the old one is not kept"
assert_eq "as it was" "$(stat -c '%a %u' "$drop/90-local.conf")" "$(stat -c '%a %u' "$drop/90-local.conf~")"
assert_eq "the daemon has it already" '[]' "$(reeve daemon reload --json | jq -c .changed)"
assert_eq "nothing is left" 0 "$(find "$TMPDIR" -type f | wc -l)"
editor true
assert_eq "nothing was changed" unchanged "$(config edit)"

step "edit: an error is told, and one can edit again, or leave"
cp "$drop/90-local.conf" before
editor "if [ -e $tmp/second ]; then echo '# good' >\"\$1\"; else touch $tmp/second; echo rubbish >>\"\$1\"; fi"
assert_eq "again" changed "$(echo y | config edit 2>err)"
grep -q "90-local.conf:3: no '=' in this line: 'rubbish'" err || fail "no error: $(cat err)"
editor "echo rubbish >>\"\$1\""
cp "$drop/90-local.conf" before
assert_exit 1 config edit </dev/null 2>err
cmp before "$drop/90-local.conf" || fail "it was installed"
assert_match "the text is kept" "*your text is in $TMPDIR/reeve-config-*" "$(tr '\n' ' ' <err)"
grep -qx rubbish "$TMPDIR"/reeve-config-* || fail "the text is not there"
editor exit 3
assert_exit 1 config edit </dev/null 2>err
assert_match "said" "*exit 3*nothing was changed" "$(tr '\n' ' ' <err | sed 's/ $//')"
assert_eq "only the text that was typed is kept" 1 "$(find "$TMPDIR" -name 'reeve-config-*' | wc -l)"
editor touch "$tmp/opened"
assert_exit 1 config edit --file "$tmp/none/x.conf" 2>err
[ ! -e "$tmp/opened" ] || fail "an editor for a file that cannot be"

step "edit: what somebody else has written meanwhile is not overwritten"
editor "echo '# mine' >>\"\$1\"; echo '# theirs' >>$drop/90-local.conf"
assert_exit 1 config edit </dev/null 2>err
assert_match "said" "*changed meanwhile*" "$(tr '\n' ' ' <err)"
tail -n 1 "$drop/90-local.conf" | grep -qx '# theirs' || fail "theirs is gone"
stop_reeved

step "the files are those of the daemon that the socket names"
# whether one of these runs or none: --user says it
assert_eq "set, to be found" changed "$(config set reeved.log-level info)"
[ -z "$reeved_pid" ] || stop_reeved
if [ "$(id -u)" -eq 0 ]; then
	assert_exit 2 reeve config get reeved.log-level 2>err
	assert_match "none answers" "*'$REEVE_SOCKET' (chosen by *REEVE_SOCKET) does not answer*--user or --file*" "$(cat err)"
	assert_exit 2 reeve config set reeved.log-level debug 2>err
fi
start_reeved
assert_eq "by the variable" info "$(reeve config get reeved.log-level)"
assert_eq "the file" "$drop/90-local.conf" \
	"$(reeve --json config set reeved.log-level debug | jq -r .file)"
assert_eq "by --socket" debug \
	"$(env -u REEVE_SOCKET "$REEVE" --socket "$REEVE_SOCKET" config get reeved.log-level)"
stop_reeved

step "another user's are not guessed"
two_users
state=$tmp/theirs/state
mkdir -m 755 "$tmp/theirs" "$state"
chown 65534:65534 "$tmp/theirs" "$state"
export REEVE_SOCKET="$tmp/theirs/sock"
REEVED_ROOT=$REEVED
REEVED=nobody_reeved
nobody_reeved() {
	exec env HOME="$tmp/theirs" XDG_CONFIG_HOME="$tmp/theirs" setpriv --reuid 65534 --regid 65534 --clear-groups "$REEVED_ROOT" "$@"
}
start_reeved
for verb in "get reeved.log-level" "set reeved.log-level debug" show "unset reeved.log-level" check; do
	# shellcheck disable=SC2086 # its words
	assert_exit 2 reeve config $verb 2>err
	assert_match "$verb" "config ${verb%% *}: *is another user's: --system, --user or --file says*" \
		"$(sed 's/^reeve: //' err)"
done
assert_eq "said" debug "$(reeve --user config get reeved.log-level)"
printf '[reeved]\nlog-level = warning\n' >"$tmp/one.conf"
assert_eq "--file" warning "$(reeve config get --file "$tmp/one.conf" reeved.log-level)"
assert_exit 0 reeve config check "$tmp/one.conf" >out
stop_reeved

step "nor are root's taken for those of a daemon that is not root's, whatever that says"
reeved_mode=--system
start_reeved
assert_eq "it says" system "$(reeve daemon status --json | jq -r .mode)"
assert_exit 2 reeve config set reeved.log-level info 2>err
assert_match "set" "*is another user's: *" "$(cat err)"
stop_reeved
