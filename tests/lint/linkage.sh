#!/bin/sh
# Does each program link what ARCHITECTURE.md says, and nothing else? Above all: the
# spawner, which holds the privileges, nothing but libc, and the CLI neither the runtime's
# nor the daemon's libraries.
# usage: linkage.sh    in a build directory; exit 0 yes, 1 no, 77 no readelf here
set -u
if ! command -v readelf >/dev/null 2>&1; then
	echo "skipped: readelf is not installed"
	exit 77
fi
bad=0

# allow PROGRAM LIBRARY...: besides libc and what compiler and sanitizers add
allow() {
	program=$1
	shift
	needed=$(LC_ALL=C readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p')
	if [ -z "$needed" ]; then
		echo "$program: not a dynamic program"
		bad=1
	fi
	for library in $needed; do
		case " libc libpthread libm librt libdl libgcc_s libstdc++ $* " in
		*" $library "*) continue ;;
		esac
		case $library in
		ld-linux* | ld64 | libasan | libubsan | libtsan | liblsan) ;;
		*)
			echo "$program: links $library"
			bad=1
			;;
		esac
	done
}

allow reeve-spawner
allow reeve libsmartcols libjansson libinih libedit
allow reeved libevent_core-2.1 libinih libjansson libsqlite3 libsystemd libmd
# what others link gets them no more than this
if [ -e .libs/libreeve.so ]; then
	allow .libs/libreeve.so libevent_core-2.1
fi
if [ -e .libs/libreeve-http.so ]; then
	allow .libs/libreeve-http.so libreeve libcurl
fi
exit $bad
