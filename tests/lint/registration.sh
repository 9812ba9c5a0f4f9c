#!/bin/sh
# Is every file of the tree named in a local.mk? One that is not is missing from the build,
# from the tests or from the tarball, and nobody notices.
# usage: registration.sh [TREE]    exit 0 yes, 1 no (each is printed)
set -u
tree=${1:-${srcdir:-.}}
cd "$tree" || exit 1

# first the words of all makefiles, then the paths of all files
{
	find Makefile.am src tests conf contrib \( -name '*.mk' -o -name Makefile.am \) \
		-exec sed -e 's/^[ \t]*#.*//' -e 's/[$][({]srcdir[)}]\///g' {} + |
		tr -s ' \t\\=:,' '\n' | sed 's/^/w /'
	find src tests conf -type f \( -name '*.[ch1358]' -o -name '*.def' -o -name '*.in' \
		-o -name '*.varlink' -o -name '*.sh' -o -name '*.awk' -o -name '*.py' \
		-o -name '*.sym' -o -name '*.md' -o -name '*.conf' \) \
		-exec grep -L '^/\* Generated' {} + | LC_ALL=C sort | sed 's/^/f /'
	# all files here, but what autotools and debhelper make
	find contrib .ci debian -maxdepth 2 -type f -not -name '*.mk' \
		-not -path 'contrib/autotools/*' -not -path 'debian/.debhelper/*' \
		-not -path 'debian/tmp/*' -not -path debian/files \
		-not -path 'debian/autoreconf.*' \
		-not -name '*debhelper*' -not -name '*.substvars' \
		2>/dev/null | LC_ALL=C sort | sed 's/^/f /'
} | awk '
# named itself, or by a folder that is distributed whole (a fuzz corpus)
function is_named(path) {
	while (path ~ /\/.*\//) {
		if (path in word)
			return 1
		sub(/\/[^\/]*$/, "", path)
	}
	return path in word
}
$1 == "w" { word[$2] = 1 }
$1 == "f" {
	if (!is_named($2)) {
		print $2 ": named in no *.mk"
		bad = 1
	}
	program = $2
	if (program ~ /^tests\/.*\/test_[^\/]*\.c$/) {
		sub(/\.c$/, "", program)
		if (!(program in word)) {
			print $2 ": no test program \"" program "\" in any *.mk"
			bad = 1
		}
	}
}
END { exit bad }
'
