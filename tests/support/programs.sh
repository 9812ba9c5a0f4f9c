# shellcheck shell=sh
# find_program BUILD-DIRECTORY NAME: prints where a program was built
find_program() {
	for find_program_path in "$1/$2" "$1"/src/*/"$2"; do
		if [ -f "$find_program_path" ] && [ -x "$find_program_path" ]; then
			echo "$find_program_path"
			return 0
		fi
	done
	echo "'$2' is not built below '$1'" >&2
	return 1
}
