#!/bin/sh
# Turns a text file into a C source that has it as a string:
#	embed.sh io.reeve.Job.varlink > io.reeve.Job.c
# gives
#	const char io_reeve_Job_varlink[] = "...";
set -eu
[ $# -eq 1 ] && [ -f "$1" ] || { echo "usage: embed.sh FILE" >&2; exit 2; }
name=$(basename "$1" | sed 's/[^A-Za-z0-9]/_/g')
echo "/* made from $(basename "$1") */"
echo "extern const char $name[];"
echo "const char $name[] ="
sed 's/\\/\\\\/g; s/"/\\"/g; s/	/\\t/g; s/?/\\?/g; s/^/	"/; s/$/\\n"/' "$1"
echo "	\"\";"
