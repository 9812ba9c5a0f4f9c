#!/bin/sh
# A folder of src is a layer; includes point down only. Says what ARCHITECTURE.md says,
# so that it stays true.
# usage: layering.sh [TREE]    exit 0 kept, 1 broken (each place is printed)
set -u
tree=${1:-${srcdir:-.}}
cd "$tree" || exit 1

# layer: layers it may include
layers='
base:
include: base runtime
runtime: base
http: base runtime
varlink: base
job: base
sched: base job
config: base job
spawn: base
store: base job
client: base varlink
daemon: base runtime varlink job sched spawn store client config
cli: base job config varlink client
'
# what a library's headers begin with: layers that may see them
libraries='
event2/: runtime
curl/: http
event.h: runtime
valgrind/: runtime
sqlite3: store
jansson: varlink client daemon cli
systemd/: daemon
ini.h: config
sha2.h: daemon
sha256.h: daemon
libsmartcols/: cli
histedit.h: cli
editline/: cli
'

# shellcheck disable=SC2016  # the dollars are awk's
find src -type f \( -name '*.[ch]' -o -name '*.def' \) | LC_ALL=C sort |
	LAYERS=$layers LIBRARIES=$libraries xargs awk '
function fault(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}
function table(text, to,    rows, n, i, at) {
	n = split(text, rows, "\n")
	for (i = 1; i <= n; i++) {
		at = index(rows[i], ":")
		if (at)
			to[substr(rows[i], 1, at - 1)] = substr(rows[i], at + 1) " "
	}
}
BEGIN {
	table(ENVIRON["LAYERS"], allowed)
	table(ENVIRON["LIBRARIES"], library)
}
FNR == 1 {
	split(FILENAME, part, "/")
	layer = part[2]
	if (!(layer in allowed))
		fault("src/" layer " is no layer that layering.sh knows")
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	header = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", header)
	quoted = substr(header, 1, 1) == "\""
	header = substr(header, 2)
	sub(/[">].*/, "", header)

	for (start in library)
		if (index(header, start) == 1 && !index(library[start], " " layer " "))
			fault("<" header "> may not be seen from " layer)

	folder = header
	if (!sub(/\/.*/, "", folder))
		folder = ""
	if (quoted && folder == "" && header != "config.h")
		fault("\"" header "\" is written without its folder")
	# the public headers: base.h goes with base, http.h with http, the others declare
	# the runtime
	if (folder == "reeve" && header == "reeve/http.h")
		folder = "http"
	else if (folder == "reeve")
		folder = header == "reeve/base.h" ? "base" : "runtime"
	else if (!quoted)
		next
	if (folder == "" || folder == layer)
		next
	if (!(folder in allowed))
		fault("\"" header "\" is of no layer that layering.sh knows")
	else if (!index(allowed[layer], " " folder " "))
		fault("\"" header "\": " layer " may not use " folder)
}
END { exit bad }
' || exit 1
