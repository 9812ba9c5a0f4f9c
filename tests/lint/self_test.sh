#!/bin/sh
# Proves that each lint can fail: a small tree that passes all of them, then one fault at
# a time.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
top=$(cd "$here/../.." && pwd) || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
n=0
bad=0

# put FILE LINE...: write it into the tree
put() {
	put_file=$tmp/tree/$1
	shift
	mkdir -p "${put_file%/*}"
	printf '%s\n' "$@" >"$put_file"
}

# a tree without fault; what only looks like one stands in it
fresh_tree() {
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/contrib"
	cp "$top/.clang-format" "$tmp/tree/.clang-format"
	put Makefile.am ''
	put src/daemon/a.c \
		'#include <jansson.h>' '' \
		'#include "base/buf.h"' '#include "daemon/a.h"' '' \
		'/* do not call sleep(1), system("x") or strcpy(a, b) */' \
		'int rv_sleep(int n);' '' \
		'static int a(const char *text)' '{' \
		"	return text[0] == '\"' ? rv_sleep(1) : a(\"sleep(1)\");" '}'
	put src/daemon/a.1 \
		'.Dd January 1, 2024' '.Dt A 1' '.Os' '.Sh NAME' '.Nm a' '.Nd nothing' \
		'.Sh DESCRIPTION' 'Nothing.' '.\" b003, d01'
	put src/daemon/local.mk 'libdaemon_la_SOURCES = src/daemon/a.c src/daemon/a.1'
	put tests/unit/base/test_a.c 'int main(void)' '{' '	return 0;' '}'
	put tests/unit/base/local.mk \
		'TESTS += tests/unit/base/test_a' \
		'tests_unit_base_test_a_SOURCES = tests/unit/base/test_a.c'
	put tests/system/000-a.sh '#!/bin/sh' \
		'# never sleep 1' 'reeve add sleep 60' "reeve add -c 'true; sleep 60'" \
		'reeve add -c "echo' '	sleep 60; while :; do sleep 60; done"' \
		'cat <<EOT' 'sleep 60' 'EOT'
	put tests/system/local.mk 'TESTS += tests/system/000-a.sh'
	put tests/unit/runtime/test_a.c 'START_TEST(b001_d01_first)' '{' '}' \
		'RT_TEST(b002_second)' '{' '}' \
		'UNIT_MAIN("a", b001_d01_first, b002_second)'
	put tests/unit/runtime/local.mk 'TESTS += tests/unit/runtime/test_a' \
		'tests_unit_runtime_test_a_SOURCES = tests/unit/runtime/test_a.c'
	put tests/unit/runtime/CATALOGUE '# a comment' '' 'b001 test  first' \
		'b002 test  second' 'b003 src/daemon/a.1  not here' \
		'b004 pending,tests/unit/runtime/test_b.c  later' 'd01 test,src/daemon/a.1  odd'
	for manager in system user; do
		put conf/$manager/reeve-test.service '[Unit]' 'Description=test' \
			'[Service]' 'ExecStart=/nowhere/reeved --user'
	done
}

# lint RESULT SCRIPT WHAT: run it on the tree. Where it cannot look, it has no result
lint() {
	n=$((n + 1))
	out=$(sh "$here/$2" "$tmp/tree" 2>&1)
	r=$?
	if [ $r -eq 77 ]; then
		echo "$2: $out"
	elif [ $r -ne "$1" ]; then
		printf '%s on %s: exit %d, expected %d\n%s\n' "$2" "$3" $r "$1" "$out"
		bad=1
	fi
}

# refuses SCRIPT FILE LINE...: the lint must refuse a tree with this file
refuses() {
	script=$1
	shift
	put "$@"
	lint 1 "$script" "a bad $1 ($2)"
	fresh_tree
}

fresh_tree
for script in catalogue format layering manpages no_forbidden_calls registration scripts units; do
	lint 0 $script.sh "a tree without fault"
done

for line in 'b005 test  never tested' 'b005 src/daemon/a.1  never said' 'b001 test  again' \
	'b005 pending,tests/unit/runtime/test_a.c  now due' 'b005 test' 'b005 nowhere  ever'; do
	printf '%s\n' "$line" >>"$tmp/tree/tests/unit/runtime/CATALOGUE"
	lint 1 catalogue.sh "a bad line ($line)"
	fresh_tree
done
refuses catalogue.sh tests/unit/runtime/CATALOGUE '# nothing'
for test in b009_unknown b1_short b001_d02_twice; do
	refuses catalogue.sh tests/unit/runtime/test_b.c "RT_TEST($test)" \
		'RT_TEST(b004_later)' "UNIT_MAIN(\"b\", $test, b004_later)"
done
refuses catalogue.sh tests/unit/runtime/test_b.c 'RT_TEST(b004_never_run)'

refuses format.sh src/base/b.c 'int  main( void ) { return 0; }'
rm "$tmp/tree/.clang-format"
lint 1 format.sh "a tree without .clang-format"
fresh_tree

for include in '"daemon/app.h"' '"runtime/loop.h"' '<curl/curl.h>' '<reeve/http.h>' '"reeve/task.h"' '<reeve/task.h>' \
	'<sqlite3.h>' '<jansson.h>' '<event2/event.h>' '<systemd/sd-daemon.h>' \
	'"buf.h"' '"nowhere/a.h"'; do
	refuses layering.sh src/job/b.c "#include $include"
done
refuses layering.sh src/cli/b.c '#include "store/store.h"'
refuses layering.sh src/newlayer/b.c '#include <stdio.h>'

refuses manpages.sh src/daemon/b.8 '.Dd January 1, 2024' '.Dt B 8' '.Os' '.Sh NAME' \
	'.Nm b' '.Nd nothing' '.nosuchmacro'
refuses manpages.sh src/daemon/b.8 ''
rm "$tmp/tree/src/daemon/a.1"
lint 1 manpages.sh "a tree without pages"
fresh_tree

for call in 'sleep(1)' 'usleep (5)' 'system("x")' 'strcpy(a, b)' 'sprintf(a, "%d", 1)' \
	'strtok(a, b)' 'gets(a)' 'alloca(n)' 'popen("x", "r")' 'time(NULL)' \
	'a("\"") + sleep(1)' '/* " */ sleep(1)'; do
	refuses no_forbidden_calls.sh src/job/b.c "int b = $call;"
done
refuses no_forbidden_calls.sh tests/unit/job/test_b.c '/* a' ' */ int b = sleep(1);'
for line in 'sleep 1' 'reeve ls; sleep 0.1' 'while :; do sleep 1; done' \
	'if true && sleep 1' '	sleep 1 # "quoted' "echo 'a' && sleep 1" \
	"$(printf 'echo "a\nb"; sleep 1')" "echo \"don't\"; sleep 1"; do
	refuses no_forbidden_calls.sh tests/system/001-b.sh "$line"
done

for file in src/job/b.c src/job/b.h src/job/README.md tests/unit/job/test_b.c \
	tests/system/001-b.sh contrib/b contrib/dev/b .ci/b debian/b.install \
	debian/tests/b; do
	refuses registration.sh $file ''
done
# named, but only as a source and not as a test
put tests/unit/job/local.mk 'x_SOURCES = tests/unit/job/test_b.c'
refuses registration.sh tests/unit/job/test_b.c ''

# shellcheck disable=SC2016  # the dollar is the faulty script's
refuses scripts.sh contrib/b '#!/bin/sh' 'rm $1'

refuses units.sh conf/system/reeve-bad.service '[Service]' 'ExecStart=/bin/true' \
	'Restrat=always'
refuses units.sh conf/user/reeve-bad.service '[Service]' 'ExecStart=/bin/true' \
	'Type=sometimes'

# our headers are without fault; one that needs another, and one that is no C++, are not
public_headers() {
	mkdir -p "$tmp/tree/src"
	cp -R "$top/src/include" "$tmp/tree/src"
}
public_headers
lint 0 headers.sh "our headers"
for declaration in 'rv_time rv_bad(void);' 'int rv_bad(int class);'; do
	public_headers
	refuses headers.sh src/include/reeve/bad.h "$declaration"
done

# these look at what was built
build=$(pwd)
if [ -e reeved ]; then
	for program in reeve reeve-spawner reeved; do
		ln -s "$build/reeved" "$tmp/tree/$program"
	done
	n=$((n + 1))
	out=$(cd "$tmp/tree" && sh "$here/linkage.sh")
	r=$?
	if [ $r -ne 77 ] && { [ $r -ne 1 ] || [ "${out#*reeve-spawner: links libsqlite3}" = "$out" ]; }; then
		printf 'linkage.sh on a spawner that links SQLite: exit %d\n%s\n' $r "$out"
		bad=1
	fi
	fresh_tree
fi
list=debian/libreeve0.symbols
mkdir "$tmp/tree/debian"
grep -v ' rv_sleep@' "$top/$list" >"$tmp/tree/$list"
lint 1 exports.sh "a list without rv_sleep"
sed 's/ rv_sleep@\(.*\)/&\n rv_slumber@\1/' "$top/$list" >"$tmp/tree/$list"
lint 1 exports.sh "a list with what is not there"
if [ -e .libs/libreeve-http.so ]; then
	cp "$top/$list" "$tmp/tree/$list"
	list=debian/libreeve-http0.symbols
	grep -v ' rv_http_get@' "$top/$list" >"$tmp/tree/$list"
	lint 1 exports.sh "a list without rv_http_get"
fi
fresh_tree
put Makefile 'install uninstall:'
n=$((n + 1))
if (cd "$tmp/tree" && sh "$here/install.sh" >/dev/null 2>&1); then
	echo "install.sh is content with a make install that installs nothing"
	bad=1
fi

echo "$n cases"
exit $bad
