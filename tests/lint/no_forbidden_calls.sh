#!/bin/sh
# No calls that overflow buffers, start shells, block the loop or ask the time behind the
# clock's back; no tests that wait by sleeping.
# usage: no_forbidden_calls.sh [TREE]    exit 0 none, 1 some (each is printed)
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
tree=${1:-${srcdir:-.}}
cd "$tree" || exit 1
bad=0

# C files below a folder (awk gets /dev/null too: with no file it would read stdin)
c_files() {
	find "$1" -name '*.[ch]' | LC_ALL=C sort
}

sleeping='sleep|usleep|nanosleep|clock_nanosleep'
unsafe='system|popen|strcpy|stpcpy|strcat|sprintf|vsprintf|strtok|gets|alloca|tmpnam|mktemp'
c_files src | xargs awk -v names="$sleeping|$unsafe" -f "$here/forbidden_calls.awk" \
	/dev/null || bad=1
c_files src | grep -v '^src/base/clock\.[ch]$' |
	xargs awk -v names='time|gettimeofday|ftime' -f "$here/forbidden_calls.awk" \
		/dev/null || bad=1
c_files tests | xargs awk -v names="$sleeping" -f "$here/forbidden_calls.awk" \
	/dev/null || bad=1
find tests -name '*.sh' | LC_ALL=C sort | xargs awk -f "$here/sleeping_shell.awk" \
	/dev/null || bad=1
exit $bad
