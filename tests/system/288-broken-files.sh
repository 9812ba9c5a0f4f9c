#!/bin/sh
# Several files of the configuration are broken, in several ways: a reload, SIGHUP and a check
# say every error with its file and line, and what runs goes on as it was.
. "${srcdir:-.}/tests/support/system.sh"
dir=$XDG_CONFIG_HOME/reeve
drop=$dir/reeve.conf.d
mkdir -p "$drop"
pids() {
	reeve ls --json | jq -r '[.[] | select(.service) | "\(.service) \(.pid)"] | sort | join(",")'
}
good() {
	cat >"$dir/reeve.conf" <<-END
		[reeved]
		min-free = 0
		[service a]
		command = sleep 1000
		instances = 2
	END
	cat >"$drop/10-b.conf" <<-END
		[service b]
		command = sleep 1000
	END
	cat >"$drop/20-c.conf" <<-END
		[service c]
		command = sleep 1000
	END
}
bad() {
	# a value that is none, a service that would be another
	cat >"$dir/reeve.conf" <<-END
		[reeved]
		min-free = lots
		[service a]
		command = sleep 2000
		instances = many
		restart-delay = 0
	END
	# a key that there is not, a specifier that there is not, one twice
	cat >"$drop/10-b.conf" <<-END
		[service b]
		command = sleep %q
		nise = 3
		restart = always
		restart = no
	END
	# no key at all, a section that there is not; and a good one
	cat >"$drop/20-c.conf" <<-END
		[service c]
		command = sleep 2000
		whatever
		[servise d]
		command = true
	END
}
# FILE:LINE of each error, each in a line
want=$(sort <<-END
	$dir/reeve.conf:2
	$dir/reeve.conf:5
	$dir/reeve.conf:6
	$drop/10-b.conf:2
	$drop/10-b.conf:3
	$drop/10-b.conf:5
	$drop/20-c.conf:3
	$drop/20-c.conf:4
END
)
places() { # FILE: of the errors that are in it
	grep -o "${dir}[^: ]*:[0-9]*" "$1" | sort -u
}

good
start_reeved
until [ "$(reeve ls --json | jq '[.[] | select(.state == "running")] | length')" = 4 ]; do
	settle
done
pids >before

step "config check"
bad
assert_exit 1 reeve --user config check 2>said
assert_eq "errors" "$want" "$(places said)"
assert_match "a suggestion" "*did you mean 'nice'*" "$(tr '\n' ' ' <said)"
assert_match "another" "*did you mean *service*" "$(grep servise said)"
assert_exit 1 reeve --user --json config check 2>said
assert_eq "as JSON" "$want" "$(jq -r '.errors[] | "\(.file):\(.line)"' said | sort -u)"

step "each fault of a section, each line of a list, in the order of the lines"
cat >one.conf <<-END
	[service s]
	force = yes
	hold = yes
	name = x
	arguments = {}
	delay = 5
	retries = 1
	on-lost = rerun
	env = 2B=4
	  C
	  D=%i
	  E
	[environment e]
	env-file = relative
END
for mode in --user ''; do
	# shellcheck disable=SC2086 # none, or one
	assert_exit 1 reeve $mode config check one.conf 2>said
	assert_eq "lines" "1 2 3 4 5 6 7 8 9 10 12 14 " \
		"$(sed -n 's/^one.conf:\([0-9]*\): .*/\1/p' said | tr '\n' ' ')"
done

step "a reload"
assert_exit 1 reeve daemon reload 2>said
assert_eq "errors" "$want" "$(places said)"
assert_eq "what runs" "$(cat before)" "$(pids)"

step "SIGHUP"
: >"$tmp/reeved.log"
kill -s HUP "$reeved_pid"
reeved_says 1 "20-c.conf:4: "
assert_eq "errors" "$want" "$(places "$tmp/reeved.log")"
settle
assert_eq "what runs" "$(cat before)" "$(pids)"

step "a daemon that is started with them says all of it, and does not start"
stop_reeved
status=0
"$REEVED" --user --socket="$REEVE_SOCKET" --state-dir="$state" >said 2>&1 </dev/null || status=$?
[ "$status" -ne 0 ] || fail "it started"
assert_eq "errors" "$want" "$(places said)"

step "mended, it takes all of it"
good
start_reeved
until [ "$(reeve ls --json | jq '[.[] | select(.state == "running")] | length')" = 4 ]; do
	settle
done
sed -i 's/1000/2000/' "$drop/20-c.conf"
pids >before
reeve daemon reload >/dev/null
until [ "$(reeve ls --json | jq -r '.[] | select(.service == "c" and .state == "running").pid')" != \
	"$(sed 's/.*,c //' before)" ]; do
	settle
done
assert_eq "the others" "$(sed 's/,c .*//' before)" "$(pids | sed 's/,c .*//')"
stop_reeved
