#!/bin/sh
# Are all C files laid out as clang-format 14 does it? Prints each place that is not.
# usage: format.sh [TREE]    exit 0 yes, 1 no, 77 no clang-format 14 here
set -u
tree=${1:-${srcdir:-.}}

for tool in clang-format-14 clang-format; do
	case $("$tool" --version 2>/dev/null) in
	*'version 14.'*) break ;;
	esac
	tool=
done
if [ -z "$tool" ]; then
	echo "skipped: clang-format 14 is not installed (others lay out differently)"
	exit 77
fi

cd "$tree" || exit 1
# .clang-format is found from the file upwards; without it everything would be LLVM style
if [ ! -f .clang-format ]; then
	echo "no .clang-format in '$tree'"
	exit 1
fi
find src tests contrib/examples -name '*.[ch]' -exec grep -LZ '^/\* Generated' {} + |
	LC_ALL=C sort -z | xargs -0 -n 16 -P 2 "$tool" --style=file --dry-run -Werror 2>&1 || {
	echo "contrib/dev/format mends this"
	exit 1
}
