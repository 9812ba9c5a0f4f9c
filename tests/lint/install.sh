#!/bin/sh
# make install puts everything below DESTDIR, a program outside of the tree builds with
# what was installed and nothing else, and make uninstall leaves no file.
# usage: install.sh    in a build directory; exit 0 yes, 1 no
# REEVE_CC, REEVE_LDFLAGS: the compiler, and what it needs to link with this build
set -u
build=$(pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
dest=$tmp/dest
bad=0

# complain TEXT...
complain() {
	echo "install: $*"
	bad=1
}

# run_make ARGUMENT...: a make of its own, which takes no jobs of the one that runs tests
run_make() {
	if ! env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$build" "$@" \
		DESTDIR="$dest" >"$tmp/make.log" 2>&1; then
		cat "$tmp/make.log"
		echo "install: make $* failed"
		exit 1
	fi
}

# installed PATTERN...: one file each, whose path ends so
installed() {
	for pattern in "$@"; do
		[ "$(find "$dest" -path "$dest*/$pattern" | wc -l)" -eq 1 ] ||
			complain "not one $pattern"
	done
}

run_make install
installed bin/reeve sbin/reeved reeve/reeve-spawner etc/reeve/reeve.conf \
	bash-completion/completions/reeve.bash \
	man1/reeve.1 man5/reeve.conf.5 man8/reeved.8 man8/reeve-spawner.8 \
	include/reeve/reeve.h pkgconfig/reeve.pc libreeve.a
for manager in system user; do
	for unit in reeve-spawner.service reeve.target reeved.service reeved.socket; do
		installed "systemd/$manager/$unit"
	done
done
# what the units and the daemon start is where they look for it
# shellcheck disable=SC2013  # no path of these has blanks
for program in $(sed -n 's/^Exec[A-Za-z]*=\(\/[^ ]*reeve[^ ]*\).*/\1/p' \
	"$build"/conf/system/*.service "$build"/conf/user/*.service | sort -u); do
	[ -x "$dest$program" ] || complain "a unit starts $program, which is not installed"
done

# archive_names LIBRARY PREFIX: what is in the archive cannot clash with a program's own
archive_names() {
	archive=$(find "$dest" -name "$1.a")
	nm -g --defined-only "$archive" >"$tmp/nm" || exit 1
	# those of a compiler begin with two underscores
	awk -v prefix="$2" 'NF == 3 && index($3, prefix) != 1 && $3 !~ /^__/' "$tmp/nm" \
		>"$tmp/bare"
	[ ! -s "$tmp/bare" ] || complain "$1.a: names without $2: $(cat "$tmp/bare")"
	grep -q " T $2" "$tmp/nm" || complain "$1.a has none of its functions"
}
if command -v objcopy >/dev/null 2>&1; then
	archive_names libreeve rv_
fi

cd "$tmp" || exit 1
cat >hello.c <<'END'
#include <reeve/reeve.h>
#include <stdio.h>

static int child(void *arg)
{
	int rc = rv_sleep(RV_MS(1));

	return rc < 0 ? rc : printf("%s", (const char *)arg);
}

static int app(void *arg)
{
	rv_group g;
	int rc = rv_group_enter(&g, RV_GROUP_FAIL_FAST);

	if (rc < 0)
		return rc;
	if (!rv_group_spawn(&g, child, arg))
		rc = -1;
	return rv_group_exit(&g, rc);
}

int main(void)
{
	static char text[] = "hello\n";

	return rv_run(app, text, NULL) < 0;
}
END
cp hello.c hello.cc

pc=$(find "$dest" -name reeve.pc)
# pkg-config FLAG PACKAGE: as anybody would call it, if DESTDIR were the root
from_pc() {
	PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_PATH=${pc%/*} \
		${PKG_CONFIG:-pkg-config} "$@"
}
cflags=$(from_pc --cflags reeve) && libs=$(from_pc --libs reeve) || exit 1
case "$cflags $libs" in
*"-I$dest/"*"-L$dest/"*) ;;
*)
	# a prefix where the compiler looks by itself is left out by pkg-config
	prefix=$(from_pc --variable=prefix reeve)
	cflags=-I$dest${prefix#"$dest"}/include
	libs="-L$(dirname "${pc%/*}") -lreeve"
	;;
esac
if grep -n -F -e "$build" -e "$tmp" "$pc"; then
	complain "paths of the build are in reeve.pc"
fi

# shellcheck disable=SC2086  # words are wanted
if ${REEVE_CC:-cc} -std=gnu11 -Wall -Wextra -Werror $cflags -o hello hello.c $libs \
	${REEVE_LDFLAGS:-}; then
	out=$(LD_LIBRARY_PATH=$(dirname "${pc%/*}") ./hello)
	[ "$out" = hello ] || complain "the program says '$out'"
else
	complain "a C program does not build"
fi
# shellcheck disable=SC2086
if ! command -v g++ >/dev/null 2>&1; then
	echo "no g++: C++ is not tried"
elif ! g++ -Wall -Wextra -Werror $cflags -c hello.cc; then
	complain "a C++ program does not build"
elif ! nm hello.o | grep -q ' U rv_run$'; then
	complain "the headers declare C++ functions"
fi
# and one with functions that are called as the library's own are, against the archive
sed -e 's/child/loop_run/; s/^static int loop_run/int loop_run/' hello.c >clash.c
others=$(from_pc --libs --static reeve | tr ' ' '\n' | grep -v '^-lreeve$\|^-L')
# shellcheck disable=SC2086
if ! ${REEVE_CC:-cc} -std=gnu11 -Wall -Wextra -Werror $cflags -o clash clash.c \
	"$(find "$dest" -name libreeve.a)" $others ${REEVE_LDFLAGS:-}; then
	complain "a C program does not build with libreeve.a"
elif [ "$(./clash)" != hello ]; then
	complain "the program with libreeve.a does not say hello"
fi
# where dumps tell the library's functions from the program's by their names
cat >dump.c <<'END'
#include <reeve/reeve.h>

int sleep_here(void *arg)
{
	int r = rv_sleep(RV_SEC(60));

	__asm__ volatile("" : "+r"(r)); /* no tail call */
	return r;
}

static int app(void *arg)
{
	rv_task *t = rv_spawn(sleep_here, arg);
	int r = t ? rv_yield() : -1;

	rv_debug_dump_tasks(rv_loop_current(), 1);
	if (t)
		rv_task_cancel(t);
	rv_task_unref(t);
	return r;
}

int main(void)
{
	return rv_run(app, NULL, NULL) < 0;
}
END
# shellcheck disable=SC2086
if ! ${REEVE_CC:-cc} -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter $cflags -o dump \
	dump.c "$(find "$dest" -name libreeve.a)" $others ${REEVE_LDFLAGS:-}; then
	complain "a program that dumps its tasks does not build with libreeve.a"
elif ! ./dump >dumped || ! grep -q ' at sleep_here ' dumped || grep -q private dumped; then
	complain "a dump of a program with libreeve.a is wrong: $(cat dumped)"
fi
# each header can be included alone, and has a page
for header in "$(dirname "$(find "$dest" -name reeve.h)")"/*.h; do
	# shellcheck disable=SC2086
	printf '#include <reeve/%s>\n' "${header##*/}" |
		${REEVE_CC:-cc} -Wall -Wextra -Werror $cflags -fsyntax-only -xc - ||
		complain "${header##*/} cannot be included alone"
	page=${header##*/}
	page=reeve_${page%.h}.3
	case $page in
	reeve_reeve.3) page=libreeve.3 ;;
	esac
	installed "man3/$page"
done

# libreeve-http, where there is libcurl: it brings libreeve along, and libreeve not libcurl
http_pc=${pc%/*}/reeve-http.pc
if [ -e "$http_pc" ]; then
	installed include/reeve/http.h libreeve-http.a man3/reeve_http.3
	! command -v objcopy >/dev/null 2>&1 || archive_names libreeve-http rv_http_
	if grep -n -F -e "$build" -e "$tmp" "$http_pc"; then
		complain "paths of the build are in reeve-http.pc"
	fi
	http_cflags=$(from_pc --cflags reeve-http) && http_libs=$(from_pc --libs reeve-http) ||
		exit 1
	case "$http_libs" in
	*"-lreeve-http"*"-lreeve"*) ;;
	*) complain "pkg-config --libs reeve-http says '$http_libs'" ;;
	esac
	cat >fetch.c <<-'END'
		#include <reeve/http.h>
		#include <reeve/reeve.h>
		#include <stdio.h>

		static int app(void *arg)
		{
			rv_http_response r = {0};
			int rc = rv_http_get(arg, &r);

			printf("%s\n", rv_errmsg());
			return rc;
		}

		int main(void)
		{
			static char url[] = "file:///etc/passwd";

			return rv_run(app, url, NULL) == 0;
		}
	END
	# shellcheck disable=SC2086  # words are wanted
	if ${REEVE_CC:-cc} -std=gnu11 -Wall -Wextra -Werror $cflags $http_cflags -o fetch \
		fetch.c -L"${pc%/pkgconfig/*}" $http_libs ${REEVE_LDFLAGS:-}; then
		out=$(LD_LIBRARY_PATH=${pc%/pkgconfig/*} ./fetch)
		[ "$out" = "'file' is neither http nor https" ] ||
			complain "the program that fetches says '$out'"
	else
		complain "a program that fetches does not build"
	fi
elif [ -e "$build/libreeve-http.la" ]; then
	complain "no reeve-http.pc"
fi

run_make uninstall
left=$(find "$dest" ! -type d)
[ -z "$left" ] || complain "left by make uninstall: $left"
exit $bad
