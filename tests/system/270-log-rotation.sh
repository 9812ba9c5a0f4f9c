#!/bin/sh
# output-max of a program that writes as fast as it can and knows nothing of it: what is kept are
# whole lines, in a row, to the last one; also across reeveds that are killed.
. "${srcdir:-.}/tests/support/system.sh"
max=$((4 * 1024 * 1024))
cat >"$tmp/conf" <<EOC
[reeved]
min-free = 0
[defaults]
output-max = $max
[service talks]
shell-command = cat begin >/dev/null; awk -f writer.awk; cat end >/dev/null
cwd = $tmp/work
restart = no
EOC
mkfifo begin end written
cat >writer.awk <<'EOC'
# counts until there is a file "stop"
BEGIN {
	for (i = 1;; i++) {
		print i " y"
		if (i % 50000 == 0 && (getline line <"stop") > 0)
			break
	}
	print i >"written"
}
EOC
cat >sequence.awk <<'EOC'
# lines of the writer: each whole, and each one more than the one before; with gaps, what was shown
# of a line when the rest was cut off ends it
{
	if (NF != 2 || $2 != "y" || $1 !~ /^[1-9][0-9]*$/) {
		if (!gaps || torn)
			exit bad("torn: '" $0 "'")
		torn = 1
		next
	}
	if (n > 0 && (gaps && !torn ? $1 <= last : torn ? $1 <= last + 1 : $1 != last + 1))
		exit bad(last " is followed by " $1)
	torn = 0
	last = $1
	bytes += length($0) + 1
	n++
}
END {
	if (!failed)
		print n, last, bytes
}
function bad(what) {
	print what
	failed = 1
	return 1
}
EOC
start_reeved --config="$tmp/conf"

step "followed from the beginning, and reeved killed three times on the way"
"$REEVE" service logs -f talks >followed 2>notes &
follower=$!
echo >begin
for _ in 1 2 3; do
	until [ "$(reeve service logs -n 1 talks 2>/dev/null | wc -l)" -gt 0 ]; do
		settle
	done
	kill -9 "$reeved_pid"
	reeved_ended
	start_reeved --config="$tmp/conf"
done
echo >stop
last=$(head -n 1 written)

step "on disk it comes to be no more than output-max, and a block"
until [ "$(du -sk "$state/output" | cut -f 1)" -le $((max / 1024 + 512)) ]; do
	settle
done

step "what is kept: whole, in a row, to the last line, and not less than output-max"
reeve service logs talks >kept 2>notes
# shellcheck disable=SC2046 # words
set -- $(awk -f sequence.awk kept)
[ $# -eq 3 ] || fail "$*"
assert_eq "the last line" "$last" "$2"
[ "$3" -ge $((max - 100)) ] || fail "only $3 bytes are kept of $max"
assert_eq "bytes" "$3" "$(stat -c %s kept)"
grep -q "^reeve: [0-9]* bytes before this were trimmed (output-max" notes || fail "not told: $(cat notes)"
assert_eq "the last lines" "$((last - 1)) y $last y" "$(reeve service logs -n 2 talks | xargs)"
reeve service logs -n 100000000 talks >asked 2>/dev/null
assert_eq "by number of lines" "" "$(cmp kept asked 2>&1)"

step "who followed has whole lines in order, and the last one"
until [ "$(tail -n 1 followed | xargs)" = "$last y" ]; do
	settle
done
kill "$follower"
wait "$follower" || :
# shellcheck disable=SC2046 # words
set -- $(awk -v gaps=1 -f sequence.awk followed)
[ $# -eq 3 ] || fail "$*"
assert_eq "the last line" "$last" "$2"

step "when it has ended, too"
echo >end
until [ "$(reeve service ls --json talks | jq -r '.[0].state')" = exited ]; do
	settle
done
reeve service logs talks >ended 2>/dev/null
# shellcheck disable=SC2046 # words
set -- $(awk -f sequence.awk ended)
assert_eq "the last line" "$last" "$2"
[ "$3" -ge $((max - 100)) ] || fail "only $3 bytes are kept of $max"
[ "$(du -sk "$state/output" | cut -f 1)" -le $((max / 1024 + 512)) ] ||
	fail "$(du -sk "$state/output") are on disk"

step "output without a newline is cut where it is"
id=$(reeve add --output-max 64K -c 'head -c 300000 /dev/zero | tr "\0" x')
reeve wait "$id"
[ "$(reeve logs "$id" 2>/dev/null | wc -c)" -ge 65536 ] || fail "it was left out"
stop_reeved
