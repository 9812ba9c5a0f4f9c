#!/bin/sh
# Run the tests with coverage in build/coverage and print the share of lines that ran,
# for each folder of src.
# usage: contrib/dev/coverage.sh [VARIABLE=VALUE...]      for make check
set -eu
cd "$(dirname "$0")/../.."
exec </dev/null

contrib/setup
. contrib/dev/build.sh
# ccache and -O0: lines stay lines
CFLAGS='-O0 -g' prepare build/coverage --enable-coverage --disable-hardening CFLAGS='-O0 -g'
cd build/coverage
find . -name '*.gcda' -delete
make -s -j"$(nproc)"
# what failed is contrib/check's business
make -s -k -j"$(nproc)" check "$@" || echo "coverage: some tests failed" >&2

# The same file is compiled into several objects where libraries share it: the best of
# them counts. *.gcno, because what never ran has no *.gcda. gcov prints "File 'x'" and
# then "Lines executed:N% of M".
find src -name '*.gcno' -exec gcov -n -r -s "$(cd ../.. && pwd)" {} + 2>/dev/null | awk '
/^File / {
	file = $2
	gsub(/\047/, "", file)
	sub(/.*\/src\//, "src/", file)
}
/^Lines executed:/ && file ~ /^src\/.*\.c$/ {
	split(substr($0, 16), part, /% of /)
	if (!(file in lines) || part[1] * part[2] / 100 > ran[file]) {
		lines[file] = part[2]
		ran[file] = part[1] * part[2] / 100
	}
	file = ""
}
END {
	for (file in lines) {
		split(file, part, "/")
		all[part[2]] += lines[file]
		good[part[2]] += ran[file]
	}
	for (layer in all)
		printf "%-10s %6d lines %5.1f %%\n", layer, all[layer],
			100 * good[layer] / all[layer]
}' | sort
