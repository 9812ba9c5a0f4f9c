#!/bin/sh
# Does systemd understand every line of the unit files?
# usage: units.sh    exit 0 yes, 1 no, 77 no systemd-analyze here
set -u
if ! command -v systemd-analyze >/dev/null 2>&1; then
	echo "skipped: systemd-analyze is not installed"
	exit 77
fi
units=$(pwd)/conf
if [ -n "${1:-}" ]; then
	units=$1/conf
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
bad=0
for manager in system user; do
	mkdir "$tmp/$manager" "$tmp/run" || exit 1
	for unit in "$units/$manager"/*; do
		case $unit in
		*.in | *.tmp) continue ;;
		esac
		# the programs need not be installed where the tests run
		sed 's,^\(Exec[A-Za-z]*=\)/[^ ]*/\(reeved\|reeve-spawner\),\1/bin/true,' \
			"$unit" >"$tmp/$manager/${unit##*/}" || exit 1
	done
	# this tree's units before those of the machine (the colon at the end: and those)
	text=$(XDG_RUNTIME_DIR=$tmp/run SYSTEMD_UNIT_PATH=$tmp/$manager: \
		systemd-analyze verify "--$manager" --man=no "$tmp/$manager"/* 2>&1 </dev/null)
	r=$?
	# complaints about other packages' units are not ours
	text=$(printf '%s\n' "$text" | grep -F -e reeve -e 'Failed to')
	if [ $r -ne 0 ] || [ -n "$text" ]; then
		printf '%s units (exit %d):\n%s\n' "$manager" "$r" "$text"
		bad=1
	fi
	rm -rf "$tmp/run"
done
exit $bad
