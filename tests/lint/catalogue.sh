#!/bin/sh
# Has each behaviour of tests/unit/runtime/CATALOGUE a test that bears its number, or a
# line in the documentation? And does no test bear a number that is not there?
# usage: catalogue.sh [TREE]    exit 0 yes, 1 no (each is printed)
set -u
tree=${1:-${srcdir:-.}}
cd "$tree" || exit 1
list=tests/unit/runtime/CATALOGUE

# every name in the tests that begins with a number: as a test, and where it is listed
names() {
	find tests -name 'test_*.c' -exec sed -n \
		's/^[A-Z_]*TEST[A-Z_]*(\([bdt][0-9][0-9]*_[a-z0-9_]*\).*/test \1/p' {} +
	find tests -name 'test_*.c' -exec grep -hv '^[A-Z_]*TEST[A-Z_]*(' {} + |
		grep -oE '\<[bdt][0-9]+_[a-z0-9_]+' | sed 's/^/listed /'
}

{
	names
	sed -e '/^#/d' -e '/^$/d' -e 's/^/line /' $list
} | awk -v list=$list '
function numbers(name, found,   n) {
	n = 0
	while (match(name, /^(b[0-9][0-9][0-9]|[dt][0-9][0-9])_/)) {
		found[++n] = substr(name, 1, RLENGTH - 1)
		name = substr(name, RLENGTH + 1)
	}
	return n
}
function complain(what) {
	print what
	bad = 1
}
function file_has(file, tag,   line, has) {
	while ((getline line < file) > 0)
		if (line ~ "(^|[^a-z0-9])" tag "([^a-z0-9]|$)")
			has = 1
	close(file)
	return has
}
function file_is_there(file,   line, r) {
	r = (getline line < file) >= 0
	close(file)
	return r
}
$1 == "test" { is_test[$2] = 1 }
$1 == "listed" { is_listed[$2] = 1 }
$1 == "line" {
	tag = $2
	if (tag in where)
		complain(list ": " tag " stands there twice")
	if (NF < 4)
		complain(list ": " tag ": says not where, or not what")
	where[tag] = $3
	n_lines++
}
END {
	for (name in is_test) {
		if (!(name in is_listed))
			complain(name ": in no list of tests, so it never runs")
		n = numbers(name, found)
		if (n == 0)
			complain(name ": begins with a number, but with none of " list)
		for (i = 1; i <= n; i++) {
			if (!(found[i] in where))
				complain(name ": " found[i] " is not in " list)
			is_tested[found[i]] = 1
		}
	}
	for (tag in where) {
		n = split(where[tag], part, ",")
		file = part[n]
		if (part[1] == "pending" && n == 2) {
			if (!is_tested[tag] && file_is_there(file))
				complain(tag ": " file " is there, but no test bears it")
			continue
		}
		if (part[1] == "test" && !is_tested[tag])
			complain(tag ": no test bears it")
		if (file != "test" && !file_has(file, tag))
			complain(tag ": " file " does not name it")
	}
	if (!n_lines)
		complain(list ": is empty")
	exit bad
}
'
