#!/bin/sh
# The coroutine core under valgrind, which knows of every stack: no use of memory that is
# not ours, none of what was never written, and nothing lost at the end.
# usage: valgrind.sh    in a build directory; exit 0 yes, 1 no, 77 it cannot be told here
set -u
build=$(pwd)
tests="test_coro test_task test_task_cancel test_gen test_group"

if ! command -v valgrind >/dev/null 2>&1; then
	echo "skipped: valgrind is not installed"
	exit 77
fi
# the macros that tell it of stacks come from its header
if ! grep -q '^#define HAVE_VALGRIND_VALGRIND_H 1' "$build/config.h"; then
	echo "skipped: built without valgrind/valgrind.h"
	exit 77
fi
if grep -q '^#define REEVE_SANITIZED 1' "$build/config.h"; then
	echo "skipped: sanitizers and valgrind exclude each other"
	exit 77
fi

bad=0
for name in $tests; do
	# a test is a child of its program: an error in there makes it fail as well
	echo "$name"
	valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
		--show-leak-kinds=definite "$build/tests/unit/runtime/$name" || bad=1
done
exit $bad
