#!/bin/sh
# A state database that is not one, from a newer version, damaged or unreadable: the daemon
# does not start, says what is wrong, and leaves the file as it is.
. "${srcdir:-.}/tests/support/system.sh"
db=$state/reeve.db

# refused PATTERN: the daemon does not start, says so, and touches nothing
refused() {
	before=$(cksum "$db")
	code=0
	timeout 60 "$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" \
		>said 2>&1 </dev/null || code=$?
	assert_eq "exit status" 1 "$code"
	assert_match "what it says" "$1" "$(cat said)"
	assert_eq "the file" "$before" "$(cksum "$db")"
	[ ! -S "$REEVE_SOCKET" ] || fail "a socket was left"
	"$build/tests/support/await_gone" 10 "$state" || fail "a process was left"
}

step "a good one, to damage"
start_reeved
id=$(reeve add echo kept)
reeve wait "$id"
stop_reeved
cp -a "$state" good

step "not a database"
echo "this is a letter to my aunt, not a database" >"$db"
refused "*'$db'*"
head -c 100000 /dev/urandom >"$db"
refused "*'$db'*"

step "another program's"
printf 'SQLite format 3\0' >"$db"
head -c 4080 /dev/urandom >>"$db"
refused "*'$db'*"

step "from a newer version"
cp -a good/reeve.db "$db"
# user_version: four bytes at 60 of the header
printf '\0\0\3\347' | dd of="$db" bs=1 seek=60 conv=notrunc 2>/dev/null
refused "*newer*"

step "of another application"
cp -a good/reeve.db "$db"
printf 'ABCD' | dd of="$db" bs=1 seek=68 conv=notrunc 2>/dev/null
refused "*'$db'*"

step "cut off"
cp -a good/reeve.db "$db"
truncate -s 5000 "$db"
refused "*'$db'*"

step "a directory in its place"
rm -f "$db"
mkdir "$db"
code=0
timeout 60 "$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" >said 2>&1 </dev/null || code=$?
assert_eq "exit status" 1 "$code"
assert_match "what it says" "*reeve.db*" "$(cat said)"
rmdir "$db"

if [ "$(id -u)" != 0 ]; then
	step "unreadable"
	cp -a good/reeve.db "$db"
	chmod 000 "$db"
	code=0
	"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" >said 2>&1 </dev/null || code=$?
	assert_eq "exit status" 1 "$code"
	assert_match "what it says" "*ermission denied*" "$(cat said)"
	chmod 600 "$db"
elif command -v setpriv >/dev/null; then
	step "unreadable"
	cp -a good/reeve.db "$db"
	chmod 000 "$db"
	chmod 755 "$tmp"
	before=$(cksum "$db")
	code=0
	chown -R 65534:65534 "$state"
	setpriv --reuid 65534 --regid 65534 --clear-groups env XDG_RUNTIME_DIR="$state" \
		"$REEVED" --user --socket="$state/sock" --state-dir="$state" >said 2>&1 </dev/null || code=$?
	case $(cat said) in
	*loading*libraries*) ;; # the build directory is not for others
	*)
		assert_match "exit status" "[1-9]*" "$code"
		assert_match "what it says" "*ermission denied*" "$(cat said)"
		;;
	esac
	chown -R 0:0 "$state"
	assert_eq "the file" "$before" "$(cksum "$db")"
	chmod 600 "$db"
fi

step "put back, all is there"
rm -rf "$state"
cp -a good "$state"
start_reeved
assert_eq "its log" kept "$(reeve logs "$id")"
stop_reeved
