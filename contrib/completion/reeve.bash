# bash completion for reeve(1). What can be completed is known to the program itself.
_reeve()
{
	local IFS=$'\n'
	# without bash's own splitting at '=' and ':', which job names may hold
	local words cword cur
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n '=:@' words cword cur 2>/dev/null
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}
	fi
	COMPREPLY=($("$1" __complete "$cword" "${words[@]}" 2>/dev/null))
	# readline replaces only what is behind the '='
	[[ ${#COMPREPLY[@]} -gt 0 && ${COMPREPLY[0]} == --* && ${#COMPREPLY[@]} -eq 1 ]] || return 0
}
complete -o default -F _reeve reeve
