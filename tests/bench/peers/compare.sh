#!/bin/sh
# The works C1 to C9 as libreeve does them, the least that they cost, and as other runtimes
# do them: one table, of medians over rounds in which all of them take their turn.
#
# usage, in a build directory: compare.sh [ROUNDS [MS [WORK...]]]
#	ROUNDS	default 5
#	MS	how long one run should take; default 300. 0: once and unwarmed, a trial
#	WORK	as bench_runtime --list names them; default all
#
# A peer that is not installed is reported as missing; contrib/dev/install-peers installs
# all. They are built below tests/bench/peers.out. Exit status 1 where one that is
# installed does not build, fails, or answers anything but a figure.
set -u
peers=$(cd "$(dirname "$0")" && pwd)
out=$PWD/tests/bench/peers.out
bench=$PWD/tests/bench/bench_runtime
rounds=${1:-5}
ms=${2:-300}
if [ $# -gt 2 ]; then shift 2; else shift $#; fi
n_sleepers=100000
[ "$ms" != 0 ] || n_sleepers=100
status=0
found=

if [ ! -x "$bench" ]; then
	echo "compare: no tests/bench/bench_runtime here: run me in a build directory" >&2
	exit 2
fi
mkdir -p "$out"

missing() {
	echo "missing: $1: $2"
}

# build NAME COMMAND...: what it says is shown where it fails
build() {
	build_name=$1
	shift
	if ! "$@" >"$out/$build_name.log" 2>&1; then
		cat "$out/$build_name.log"
		echo "FAIL: $build_name does not build"
		status=1
		return 1
	fi
}

# first_of COMMAND...: the first that there is. Debian's own comes before what stands
# elsewhere in PATH: the peers' libraries are Debian's.
first_of() {
	for command in "$@"; do
		command -v "$command" && return
	done
	return 1
}

python=$(first_of /usr/bin/python3 python3)
node=$(first_of /usr/bin/node node nodejs)
go=$(first_of /usr/bin/go go)
cargo=$(first_of /usr/bin/cargo cargo)
crates=/usr/share/cargo/registry

find_python() {
	if [ -z "$python" ]; then
		missing asyncio python3
		missing uvloop python3
		return
	fi
	found="$found asyncio"
	if "$python" -c 'import uvloop' 2>/dev/null; then
		found="$found uvloop"
	else
		missing uvloop python3-uvloop
	fi
}

find_go() {
	if [ -z "$go" ]; then
		missing go golang-go
	elif build go env GO111MODULE=off GOFLAGS= GOCACHE="$out/go-cache" "$go" build \
		-o "$out/peer_go" "$peers/peer.go"; then
		found="$found go-1 go-2"
	fi
}

# from Debian's crates and nothing else; cargo writes beside its sources
# shellcheck disable=SC2317  # called by build
build_tokio() {
	mkdir -p "$out/tokio/src" "$out/tokio/.cargo"
	for file in Cargo.toml src/main.rs; do
		# what has not changed is not built again; the copy may be written to
		cmp -s "$peers/tokio/$file" "$out/tokio/$file" ||
			cat "$peers/tokio/$file" >"$out/tokio/$file" || return
	done
	# in the folder and not by --config: an older cargo knows no such switch
	cat >"$out/tokio/.cargo/config.toml" <<EOT
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "$crates"
EOT
	(
		rustc=$(dirname "$cargo")/rustc
		[ ! -x "$rustc" ] || export RUSTC="$rustc"
		export CARGO_HOME="$out/cargo-home" CARGO_TARGET_DIR="$out/cargo-target"
		cd "$out/tokio" && "$cargo" build --release --offline
	)
}

find_tokio() {
	set -- "$crates"/tokio-1.*
	if [ -z "$cargo" ]; then
		missing tokio cargo
	elif [ ! -d "$1" ]; then
		missing tokio librust-tokio-dev
	elif build tokio build_tokio; then
		found="$found tokio-1 tokio-2"
	fi
}

find_node() {
	if [ -z "$node" ]; then
		missing node nodejs
	else
		found="$found node"
	fi
}

find_libuv() {
	if ! pkg-config --exists libuv 2>/dev/null; then
		missing libuv libuv1-dev
	else
		# shellcheck disable=SC2046  # words
		build libuv "${CC:-cc}" -O2 "$peers/peer_uv.c" -o "$out/peer_uv" \
			$(pkg-config --cflags --libs libuv) && found="$found libuv"
	fi
}

# run CONTENDER WORK MS
run() {
	case $1 in
	ours | bound) "$bench" --one "$1" "$2" "$3" ;;
	asyncio) "$python" "$peers/peer.py" "$2" "$3" ;;
	uvloop) "$python" "$peers/peer.py" --uvloop "$2" "$3" ;;
	go-*) GOMAXPROCS=${1#go-} "$out/peer_go" "$2" "$3" ;;
	tokio-*) "$out/cargo-target/release/peer_tokio" "${1#tokio-}" "$2" "$3" ;;
	node) "$node" "$peers/peer.js" "$2" "$3" ;;
	libuv) "$out/peer_uv" "$2" "$3" ;;
	esac
}

# one ROUND WORK CONTENDER: lines "ROUND WORK CONTENDER FIGURE" in figures, none for "-". Who
# rounds his time to milliseconds can be early: then the second is below 0.
one() {
	amount=$ms
	[ "$2" != C4 ] || amount=$n_sleepers
	answer=$(run "$3" "$2" "$amount" </dev/null) || answer="nothing, and failed"
	[ "$answer" != - ] || return
	echo "$answer" | awk -v round="$1" -v work="$2" -v who="$3" '
	!/^-?[0-9.]+( -?[0-9.]+)?$/ || NR > 1 { exit 1 }
	{ print round, work, who, $1 }
	NF > 1 { print round, work "p", who, $2 }' >>"$figures" || {
		echo "FAIL: $3 answered for $2: $answer"
		status=1
	}
}

find_python
find_go
find_tokio
find_node
find_libuv

works=${*:-$("$bench" --list | sed -e 's/|.*//' -e /^C4p/d)}
figures=$out/figures
: >"$figures"
for round in $(seq "$rounds"); do
	for work in $works; do
		for who in bound ours $found; do
			one "$round" "$work" "$who"
		done
	done
done

# bytes of C4 and milliseconds of C4p, nanoseconds else; below a peer's figure how many
# times ours it is
"$bench" --list | awk -v peers="$found" -v figures="$figures" '
function median(list, part, n, i, j, x) {
	n = split(list, part, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && part[j - 1] + 0 > part[j] + 0; j--) {
			x = part[j]
			part[j] = part[j - 1]
			part[j - 1] = x
		}
	return n == 0 ? "" : part[int((n + 1) / 2)]
}
# of the rounds in which both have a figure
function ratio(a, b, work, round, list) {
	for (round = 1; round <= n_rounds; round++)
		if ((a, work, round) in figure && figure[b, work, round] > 0)
			list = list " " figure[a, work, round] / figure[b, work, round]
	return median(list)
}
function of(who, work, round, list) {
	for (round = 1; round <= n_rounds; round++)
		if ((who, work, round) in figure)
			list = list " " figure[who, work, round]
	return median(list)
}
function show(x) {
	if (x == "")
		return "-"
	return sprintf((x < 100 ? "%.2f" : "%.0f"), x)
}
BEGIN {
	FS = " "
	while ((getline line < figures) > 0) {
		split(line, f, " ")
		figure[f[3], f[2], f[1]] = f[4]
		seen[f[2]] = 1
		if (f[1] > n_rounds)
			n_rounds = f[1]
	}
	FS = "|"
	n_peers = split(peers, peer, " ")
	printf "%-4s %-28s %9s %9s %6s %5s", "", "", "bound", "ours", "ratio", "goal"
	if (n_peers > 0)
		printf "  "
	for (i = 1; i <= n_peers; i++)
		printf " %9s", peer[i]
	print ""
}
seen[$1] {
	printf "%-4s %-28s %9s %9s %6s %5s", $1, $3, show(of("bound", $1)),
		show(of("ours", $1)), show(ratio("ours", "bound", $1)),
		($2 > 0 ? $2 : "-")
	if (n_peers > 0)
		printf "  "
	for (i = 1; i <= n_peers; i++)
		printf " %9s", show(of(peer[i], $1))
	print ""
	if (n_peers == 0)
		next
	printf "%69s", ""
	for (i = 1; i <= n_peers; i++) {
		r = show(ratio(peer[i], "ours", $1))
		printf " %9s", r == "-" ? "" : r "x"
	}
	print ""
}'
exit $status
