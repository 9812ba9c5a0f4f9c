#!/bin/sh
# A job in an editor: what is shown, checked, kept and refused.
. "${srcdir:-.}/tests/support/system.sh"
export TMPDIR="$tmp/texts"
unset VISUAL
mkdir "$TMPDIR"
start_reeved
editor() { # COMMANDS: an editor that does this to "$1"
	printf '#!/bin/sh\nset -e\n%s\n' "$*" >"$tmp/editor"
	chmod +x "$tmp/editor"
	export EDITOR="$tmp/editor"
}
spec() { # JOB FILTER
	reeve show --json "$1" | jq -c ".spec | $2"
}
kept() {
	find "$TMPDIR" -type f | wc -l
}

step "what the editor sees is the job, and private"
id=$(reeve add --hold -n build -e 'SECRET=a b' -e 'TWO=c' -c 'echo one
echo  two # three')
editor "stat -c %a \"\$1\" >$tmp/mode; cp \"\$1\" $tmp/seen"
assert_eq "nothing was changed" "job $id unchanged" "$(reeve edit "$id")"
assert_eq "mode" 600 "$(cat "$tmp/mode")"
assert_eq "gone again" 0 "$(kept)"
for line in 'name = build' '#priority = 0' '#timeout = infinity' '\[job\]' '# higher starts first (N)'; do
	grep -qx "$line" "$tmp/seen" || fail "the text has no line '$line'"
done
! grep -q '^#\{0,1\}\(hold\|function\|force\) =' "$tmp/seen" || fail "it shows what cannot be changed"

step "what was changed is what changes"
before=$(spec "$id" 'del(.priority, .name, .umask)')
editor "sed -i -e 's/^#priority = .*/priority = 7/' -e '/^name = /d' \"\$1\""
assert_eq "said" "job $id changed" "$(reeve edit build)"
assert_eq "changed" '[7,null]' "$(spec "$id" '[.priority, .name]')"
assert_eq "all else is as it was" "$before" "$(spec "$id" 'del(.priority, .name, .umask)')"
editor "reeve=$REEVE; \"\$reeve\" set $id nice=5 >/dev/null; sed -i 's/^priority = .*/priority = 8/' \"\$1\""
reeve edit "$id" >/dev/null
assert_eq "so is what others changed" '[8,5]' "$(spec "$id" '[.priority, .nice]')"

step "what is wrong is told with its line, and the text is kept"
editor "printf '[job]\npriority = high\ntimeuot = 5\npriority = 1\n' >\"\$1\""
assert_exit 2 reeve edit "$id" </dev/null 2>"$tmp/err"
for text in "conf:2: priority: " "conf:3: unknown property 'timeuot', did you mean 'timeout'?" \
	"conf:4: priority is said on line 2 already" "your text is in $TMPDIR/reeve-job-$id-"; do
	grep -q -F -e "$text" "$tmp/err" || fail "no '$text' in: $(cat "$tmp/err")"
done
assert_eq "kept" 1 "$(kept)"
assert_eq "as it was" 8 "$(spec "$id" .priority)"
rm "$TMPDIR"/*
editor "sed -i 's/^#pool = .*/pool = nowhere/' \"\$1\"; grep -n '^pool' \"\$1\" | cut -d : -f 1 >$tmp/line"
assert_exit 1 reeve edit "$id" </dev/null 2>"$tmp/err"
grep -q "conf:$(cat "$tmp/line"): pool: no such pool: 'nowhere'" "$tmp/err" ||
	fail "what the daemon refuses has no line: $(cat "$tmp/err")"
rm "$TMPDIR"/*

step "one can edit again"
editor "if [ -e $tmp/second ]; then sed -i 's/^priority = .*/priority = 9/' \"\$1\"
else touch $tmp/second; sed -i 's/^priority = .*/priority = much/' \"\$1\"; fi"
echo y | reeve edit "$id" 2>/dev/null >/dev/null
assert_eq "the second time" 9 "$(spec "$id" .priority)"
assert_eq "nothing is left" 0 "$(kept)"

step "an editor that fails changes nothing"
editor "sed -i 's/^priority = .*/priority = 1/' \"\$1\"; exit 3"
assert_exit 1 reeve edit "$id" </dev/null 2>"$tmp/err"
assert_match "told" "*failed (exit 3)*" "$(cat "$tmp/err")"
assert_eq "as it was" 9 "$(spec "$id" .priority)"
rm "$TMPDIR"/*
EDITOR=/does/not/exist assert_exit 1 reeve edit "$id" </dev/null 2>/dev/null
rm "$TMPDIR"/*

step "no text is left behind that could not be written whole"
(
	trap '' XFSZ # so that it is an error, as on a full disk
	ulimit -f 0
	reeve edit "$id" </dev/null 2>&1 || :
) | cat >"$tmp/err"
assert_match "told" "*reeve: edit: *" "$(cat "$tmp/err")"
assert_eq "nothing is kept" 0 "$(kept)"

step "one that has started meanwhile is refused what it does not take"
mkfifo "$tmp/go"
late=$(reeve add --hold -c "read -r x <'$tmp/go'")
editor "\"$REEVE\" release $late; until [ \"\$(\"$REEVE\" ls --json $late | jq -r '.[0].state')\" = running ]; do :; done
sed -i 's/^#slots = .*/slots = 2/' \"\$1\""
assert_exit 1 reeve edit "$late" </dev/null 2>"$tmp/err"
assert_match "told" "*slots: it is running*" "$(cat "$tmp/err")"
rm "$TMPDIR"/*
editor "cp \"\$1\" $tmp/seen; sed -i 's/^#timeout = .*/timeout = 1h/' \"\$1\""
assert_eq "a running one" "job $late changed" "$(reeve edit "$late")"
! grep -q slots "$tmp/seen" || fail "it shows what a running one does not take"
echo go >"$tmp/go"
reeve wait "$late"
assert_exit 1 reeve edit "$late"
assert_exit 2 reeve edit --all
assert_exit 2 reeve edit

finish
