#!/bin/sh
# What a job is given: directory, umask, nice, limits, environment, stdin; and that secrets
# are shown only when asked for.
. "${srcdir:-.}/tests/support/system.sh"
cat >"$tmp/conf" <<-END
	[defaults]
	env-drop = DROP_*
END
export SECRET=swordfish DROP_ME=1 KEEP_ME=2 OTHER=3
start_reeved --config="$tmp/conf"
out() {
	reeve run --stdin null "$@"
}

step "directory and umask: the caller's, or what is asked for"
mkdir sub
assert_eq "cwd" "$tmp/work" "$(out pwd)"
assert_eq "cwd" "$tmp/work/sub" "$(out -w "$tmp/work/sub" pwd)"
assert_eq "umask" 0027 "$(umask 027; out -c umask)"
assert_eq "umask" 0007 "$(out --umask 7 -c umask)"
id=$(reeve add -w "$tmp/nowhere" true)
reeve wait -q "$id" || :
assert_eq "a cwd that is not there" "chdir No such file or directory failed" "$(reeve show --json "$id" |
	jq -r '.run_history[0] | "\(.step) \(.error) \(.result)"')"

step "a directory that is gone is no matter where another is named"
mkdir gone
(
	cd gone
	rmdir ../gone
	assert_eq "cwd" "$tmp/work" "$(out -w "$tmp/work" pwd)"
	assert_exit 2 reeve add true 2>"$tmp/err"
	assert_match "without" "*working directory*No such file*--cwd*" "$(cat "$tmp/err")"
	assert_exit 2 reeve add -w /tmp --stdin x cat 2>"$tmp/err"
	assert_match "relative" "*stdin: 'x' is relative*No such file*" "$(cat "$tmp/err")"
	assert_exit 2 reeve add -w sub true 2>"$tmp/err"
	assert_match "relative" "*cwd: 'sub' is relative*" "$(cat "$tmp/err")"
)

step "what cannot be is named"
assert_exit 2 reeve add --key "$(printf '\377')" true 2>err
assert_eq "key" "reeve: --key: not UTF-8" "$(cat err)"
echo true | assert_exit 2 reeve add --batch - --key "$(printf '\377')" 2>err
assert_eq "key" "reeve: --key: not UTF-8" "$(cat err)"
assert_exit 2 reeve add -g nopool true 2>err
assert_eq "pool" "reeve: pool: no such pool: 'nopool'" "$(cat err)"

step "nice, limits, a session of its own"
nicer=$(($(nice) + 5))
[ "$nicer" -le 19 ] || nicer=19
assert_eq "nice" "$nicer" "$(out --nice "$nicer" nice)"
assert_eq "rlimits" 77 "$(out --rlimits nofile=77 -c 'ulimit -n')"
assert_eq "session" yes "$(out -c 'read -r pid _ _ _ _ sid _ </proc/$$/stat; [ $pid -eq $sid ] && echo yes')"
assert_eq "no descriptors but its own" "0 1 2 3" "$(out ls /proc/self/fd | xargs)"

step "environment"
assert_eq "the caller's" "2 swordfish" "$(out -c 'echo $KEEP_ME $SECRET')"
assert_eq "env-drop" "" "$(out -c 'echo $DROP_ME')"
assert_eq "env-drop of its own" "2" "$(out --env-drop OTHER -c 'echo $KEEP_ME $OTHER')"
assert_eq "env" "new 2" "$(out -e OTHER=new -c 'echo $OTHER $KEEP_ME')"
assert_eq "the job's id" true "$(out -c '[ -n "$REEVE_JOB_ID" ] && echo true')"
id=$(reeve add true)
reeve wait "$id"
case $(reeve show "$id"; reeve show --json "$id"; cat "$tmp/reeved.log") in
*swordfish*) fail "a value was shown without --env" ;;
esac
assert_match "the name" "*SECRET*" "$(reeve show "$id")"
assert_match "with --env" "*SECRET=swordfish*" "$(reeve show --env "$id")"
id=$(reeve add --hold -e OTHER=its-own -e ALONE=x true)
assert_match "its own, by name" "* ALONE *OTHER*" "$(reeve show "$id")"
case $(reeve show "$id") in
*its-own*) fail "a value of its own was shown without --env" ;;
esac
assert_eq "its own instead of the caller's" "OTHER=its-own" \
	"$(reeve show --env "$id" | grep -o 'OTHER=.*')"
odd=$(printf 'odd\377')
id=$(ODD=$odd reeve add --hold true)
assert_match "values that are not UTF-8" "*ODD=odd?xff*SECRET=swordfish*" \
	"$(reeve show --env "$id" | xargs -d '\n')"
reeve rm --force --state held

step "stdin"
assert_eq "null" 0 "$(out -c 'wc -c')"
echo content >input
assert_eq "a file" content "$(reeve run --stdin "$tmp/work/input" cat)"
mkfifo fifo
id=$(reeve add --stdin "$tmp/work/fifo" cat)
reeve wait -q "$id" || :
assert_eq "a FIFO is refused" "stdin failed" "$(reeve show --json "$id" |
	jq -r '.run_history[0] | "\(.step) \(.result)"')"

step "show tells all of it"
id=$(reeve add -n all -l a -l b -p 5 -t 1h --nice 3 --retries 2 --output-max 1M true)
assert_eq "spec" "all a,b 5 3600000000 3 2 1048576" "$(reeve show --json "$id" | jq -r '.spec |
	"\(.name) \(.label | join(",")) \(.priority) \(.timeout_usec) \(.nice) \(.retries) \(.output_max_bytes)"')"
long=$(head -c 1000 /dev/zero | tr '\0' x)
id=$(reeve add --hold -- printf "a b" "it's" "$long" end)
assert_eq "command" "command        printf 'a b' 'it'\\''s' $long end" \
	"$(reeve show "$id" | grep '^command')"
id=$(reeve add --hold -c "echo $long end")
assert_eq "shell command" "command        echo $long end" "$(reeve show "$id" | grep '^command')"
reeve cancel --all
stop_reeved

step "[defaults] decide what neither the job nor an option does"
mkdir there
cat >"$tmp/conf" <<-END
	[defaults]
	cwd = $tmp/work/there
	umask = 0077
END
start_reeved --config="$tmp/conf"
assert_eq "cwd" "$tmp/work/there" "$(out pwd)"
assert_eq "umask" 0077 "$(umask 022; out -c umask)"
assert_eq "cwd" "$tmp/work/sub" "$(out -w sub pwd)"
assert_eq "umask" 0007 "$(out --umask 7 -c umask)"
id=$(echo pwd | reeve add --batch -)
reeve wait "$id"
assert_eq "of a batch" "$tmp/work/there" "$(reeve logs "$id")"
for line in '{}' '{"pool":"default"}'; do
	echo "$line" | assert_exit 2 reeve add --batch - 2>err
	assert_match "nothing to do" "*line 1: command: nothing to do*" "$(cat err)"
done
assert_exit 2 reeve add 2>err
assert_match "nothing to do" "*command: nothing to do*" "$(cat err)"
stop_reeved
printf '[defaults]\nshell-command = echo by default\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
assert_eq "shell-command" "by default" "$(reeve run --stdin null)"
id=$(echo '{"name":"b"}' | reeve add --batch -)
reeve wait "$id"
assert_eq "of a batch" "by default" "$(reeve logs b)"
assert_eq "said" "else" "$(out echo else)"
stop_reeved
printf '[defaults]\nfunction = sleep\narguments = {"seconds":0}\n' >"$tmp/conf"
start_reeved --config="$tmp/conf"
id=$(reeve add)
reeve wait "$id"
assert_eq "function" sleep "$(reeve show --json "$id" | jq -r .spec.function)"
stop_reeved
