# shellcheck shell=sh
# For the scripts of contrib: make a build directory, with ccache where it is.

# prepare DIR [CONFIGURE-ARGUMENT...]: configure in DIR (build/NAME), if it was not done with the same
# arguments already; make itself runs configure again when configure.ac changes
prepare() {
	prepare_dir=$1
	shift
	if [ -f config.status ]; then
		echo "This tree is configured in place, which shadows every other build." >&2
		echo "Run 'make distclean' first." >&2
		exit 1
	fi
	if [ ! -x configure ] || [ -n "$(find configure.ac -newer configure)" ]; then
		./autogen.sh
	fi
	prepare_cc=${CC:-gcc}
	if command -v ccache >/dev/null 2>&1; then
		prepare_cc="ccache $prepare_cc"
	fi
	prepare_want="CC=$prepare_cc CFLAGS=${CFLAGS-} $*"
	if [ ! -f "$prepare_dir/config.status" ] ||
		[ "$(cat "$prepare_dir/configured-with" 2>/dev/null)" != "$prepare_want" ]; then
		# objects and answers of another compiler or other switches are worth nothing
		# (make distcheck that failed leaves a tree in it that is read-only)
		chmod -R u+w "$prepare_dir" 2>/dev/null || :
		rm -rf "$prepare_dir"
		mkdir -p "$prepare_dir"
		(cd "$prepare_dir" && ../../configure -q CC="$prepare_cc" "$@")
		echo "$prepare_want" >"$prepare_dir/configured-with"
	fi
}
