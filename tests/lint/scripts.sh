#!/bin/sh
# Is every shell script free of what shellcheck warns of?
# usage: scripts.sh [TREE]    exit 0 yes, 1 no, 77 no shellcheck here
set -u
tree=${1:-${srcdir:-.}}
cd "$tree" || exit 1
if ! command -v shellcheck >/dev/null 2>&1; then
	echo "skipped: shellcheck is not installed"
	exit 77
fi
# by their first line: most commands have no suffix
find contrib tests .ci debian autogen.sh -type f -size -128k \
	-not -path 'contrib/autotools/*' -exec awk '
	FNR == 1 && /^#!\/(usr\/)?bin\/(env )?(ba|da)?sh/ { print FILENAME }
	FNR == 1 { nextfile }' {} + 2>/dev/null | LC_ALL=C sort |
	xargs shellcheck --external-sources --source-path=SCRIPTDIR || exit 1
