#!/bin/sh
# Commands, directories, inputs and bytes that cannot be, or only just: each ends as a job
# that says which step failed and why; others are not disturbed.
. "${srcdir:-.}/tests/support/system.sh"
start_reeved

# fails_at STEP ERROR CODE ARGUMENTS...: what `reeve run` gives, and what is recorded
fails_at() {
	f_step=$1 f_error=$2 f_code=$3
	shift 3
	assert_exit "$f_code" reeve run "$@" 2>error
	assert_eq "result of '$*'" "failed" "$(reeve ls --json | jq -r '.[-1].result')"
	assert_eq "step and error of '$*'" "$f_step $f_error" \
		"$(reeve show --json | jq -r '(if type == "array" then .[0] else . end) | .run_history[-1] | "\(.step) \(.error)"')"
	# said to whoever has no command line to look at: of services, events, callbacks
	assert_match "reason of '$*'" "start failed at $f_step '*': $f_error" "$(reeve ls --json | jq -r '.[-1].reason')"
}

# output_fails ERROR OUTPUT: likewise for where the output goes
output_fails() {
	id=$(reeve add --output "$2" true)
	assert_exit 1 reeve wait -q "$id"
	assert_eq "step and error of '$2'" "stdout $1" \
		"$(reeve show "$id" --json | jq -r '(if type == "array" then .[0] else . end) | .run_history[-1] | "\(.step) \(.error)"')"
}

step "commands"
fails_at exec 'No such file or directory' 127 no-such-command-anywhere
fails_at exec 'No such file or directory' 127 /nonexistent/command
: >plain
fails_at exec 'Permission denied' 126 ./plain
mkdir directory
fails_at exec 'Permission denied' 126 ./directory
printf '#!/nonexistent/interpreter\n' >script
chmod +x script
fails_at exec 'No such file or directory' 127 ./script
printf '\177ELF\1\2\3' >broken
chmod +x broken
reeve run ./broken >/dev/null 2>&1 || :
ln -s loop loop
fails_at exec 'Too many levels of symbolic links' 126 ./loop
fails_at exec 'Not a directory' 126 ./plain/command
assert_exit 127 reeve run -c no-such-command-in-a-shell 2>/dev/null

step "directories and files"
fails_at chdir 'No such file or directory' 125 -w /nonexistent true
fails_at chdir 'Not a directory' 125 -w "$tmp/work/plain" true
mkfifo fifo
fails_at stdin 'Operation not supported' 125 --stdin "$tmp/work/fifo" cat
fails_at stdin 'No such file or directory' 125 --stdin "$tmp/work/nothing" cat
fails_at stdin 'Is a directory' 125 --stdin "$tmp/work/directory" cat
output_fails 'No such file or directory' "file:/nonexistent/output"
output_fails 'Is a directory' "file:$tmp/work/directory"
# nobody reads it: opening it would hang
output_fails 'No such device or address' "file:$tmp/work/fifo"
if [ ! -e /run/systemd/journal/stdout ]; then
	fails_at stdout 'No such file or directory' 125 --output journal true
	assert_match "what reeve says" "*stdout '/run/systemd/journal/stdout': No such file*" \
		"$(cat error)"
	assert_match "the reason" "*stdout '/run/systemd/journal/stdout': No such*" \
		"$(reeve ls --json | jq -r '.[-1].reason')"
fi

step "an argument list over ARG_MAX"
long=$(head -c 131072 /dev/zero | tr '\0' a)
# one argument of 128 KiB is more than the kernel takes
printf '{"command":["true","%s"]}\n' "$long" >"batch"
id=$(reeve add --batch ./batch)
assert_exit 1 reeve wait -q "$id"
assert_eq "step and error" "exec Argument list too long" \
	"$(reeve show "$id" --json | jq -r '(if type == "array" then .[0] else . end) | .run_history[-1] | "\(.step) \(.error)"')"
assert_exit 0 reeve run true

step "bytes that are not UTF-8"
bad=$(printf '\377\376x')
mkdir "$bad"
cat >print-bytes <<'EOF'
#!/bin/sh
printf '%s|%s|%s\n' "$1" "$BYTES" "$(pwd)"
EOF
chmod +x print-bytes
id=$(cd "$bad" && BYTES="v$bad" reeve add -e "OWN=$bad" --output "file:$tmp/work/$bad/out" \
	"$tmp/work/print-bytes" "a$bad")
reeve wait "$id"
assert_eq "what the job got" "a$bad|v$bad|$tmp/work/$bad" "$(cat "$bad/out")"
reeve show "$id" --json >shown
jq -e . shown >/dev/null || fail "show --json is not JSON"
reeve show "$id" >/dev/null
reeve ls --json | jq -e . >/dev/null || fail "ls --json is not JSON"
reeve ls >/dev/null
b64() {
	printf %s "$1" | base64 -w 0
}
spec() {
	jq -r "(if type == \"array\" then .[0] else . end) | .spec.$1" shown
}
assert_eq "the argument" "$(b64 "a$bad")" "$(spec 'command_b64[1]')"
assert_eq "the directory" "$(b64 "$tmp/work/$bad")" "$(spec cwd_b64)"
assert_eq "the output" "$(b64 "file:$tmp/work/$bad/out")" "$(spec output_b64)"
id=$(reeve add -c "echo '$bad'")
reeve wait "$id"
assert_eq "its log" "$bad" "$(reeve logs "$id")"
signal_reeved TERM
assert_eq "exit status of reeved" 0 "$reeved_status"
start_reeved
assert_eq "after a restart" "$bad" "$(reeve logs "$id")"
reeve retry "$id"
reeve wait "$id"
assert_eq "run again" "$bad" "$(reeve logs "$id")"

step "an environment with an entry without '='"
if command -v python3 >/dev/null && python3 -c 'import ctypes' 2>/dev/null; then
	python3 - "$REEVE" <<'EOF' >./env-of-job
import ctypes, os, sys
libc = ctypes.CDLL(None)
reeve = sys.argv[1].encode()
argv = (ctypes.c_char_p * 5)(b"reeve", b"run", b"/usr/bin/env", b"-0", None)
env = [b"NO_EQUAL_SIGN", b"=no name", b"GOOD=1"]
env += [k + b"=" + v for k, v in os.environb.items()]
libc.execve(reeve, argv, (ctypes.c_char_p * (len(env) + 1))(*env, None))
EOF
	tr '\0' '\n' <./env-of-job >entries
	grep -q '^GOOD=1$' entries || fail "the environment did not arrive"
	! grep -q 'NO_EQUAL_SIGN\|no name' entries || fail "a broken entry was passed on"
else
	echo "not tested: python3 is needed for such an environment" >&2
fi
stop_reeved
