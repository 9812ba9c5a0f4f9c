#!/bin/sh
# Does every manual page format without a single complaint?
# usage: manpages.sh [TREE]    exit 0 yes, 1 no, 77 nothing here that can tell
set -u
tree=${1:-${srcdir:-.}}
# those that are made from the headers, where a build has made them
made=$([ $# -gt 0 ] || find "$PWD/src/runtime/man" -name '*.3' 2>/dev/null)
cd "$tree" || exit 1

if command -v groff >/dev/null 2>&1; then
	# stderr only, on stdout
	# shellcheck disable=SC2069
	complaints() { groff -mdoc -Tutf8 -ww "$1" 2>&1 >/dev/null; }
elif command -v mandoc >/dev/null 2>&1; then
	complaints() { mandoc -Tlint -Wwarning "$1" 2>&1; }
else
	echo "skipped: neither groff nor mandoc is installed"
	exit 77
fi

pages=$(find src conf contrib debian -name '*.[1358]' 2>/dev/null | LC_ALL=C sort)
if [ -z "$pages" ]; then
	echo "no manual page found below '$tree'"
	exit 1
fi
bad=0
for page in $pages $made; do
	text=$(complaints "$page")
	# an empty page, or one in another macro package, is formatted without a word
	grep -q '^\.Sh NAME$' "$page" || text="$text${text:+
}no '.Sh NAME': not an mdoc page"
	# what was made from a header: whole sentences, and blocks that are closed
	case $page in
	*/reeve_*.3)
		grep -q '^\.Nd .*\(,\| or\| and\| in\)$' "$page" &&
			text="$text${text:+
}NAME is cut"
		awk '{ n += gsub(/[{]/, "") - gsub(/[}]/, "") } END { exit n != 0 }' "$page" ||
			text="$text${text:+
}a brace is left over"
		;;
	esac
	[ -n "$text" ] || continue
	printf '%s:\n%s\n' "$page" "$text"
	bad=1
done
exit $bad
