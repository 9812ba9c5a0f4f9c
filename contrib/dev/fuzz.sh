#!/bin/sh
# Fuzz one target with libFuzzer, from and into a working copy of its corpus.
# usage: contrib/dev/fuzz.sh THING [SECONDS]      THING as in tests/fuzz/fuzz_THING.c
# Inputs that crash are left in build/fuzz/crash-*. Add one to tests/fuzz/corpus/THING
# together with the fix: make check replays the corpus.
set -eu
cd "$(dirname "$0")/../.."
exec </dev/null

thing=${1:-}
seconds=${2:-60}
if [ ! -f "tests/fuzz/fuzz_$thing.c" ]; then
	echo "usage: contrib/dev/fuzz.sh THING [SECONDS], THING one of:" >&2
	find tests/fuzz -name 'fuzz_*.c' | sed 's,.*/fuzz_\(.*\)\.c$,  \1,' | sort >&2
	exit 2
fi
contrib/setup clang
. contrib/dev/build.sh
CC=clang prepare build/fuzz --enable-fuzzing --enable-sanitizers
cd build/fuzz
make -s -j"$(nproc)" "tests/fuzz/fuzz_$thing"
mkdir -p "work/$thing" "../../tests/fuzz/corpus/$thing"
exec "tests/fuzz/fuzz_$thing" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
	"work/$thing" "../../tests/fuzz/corpus/$thing"
