# bash completion for reeve(1). What can be completed is known to the program itself: it is
# asked with the words of the line, and answers with one candidate a line.
_reeve()
{
	local IFS=$'\n' cur cword words

	# as the program would get them: bash breaks words at '=' and '@' as well
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n '=:@' cur words cword
	else
		cur=${COMP_WORDS[COMP_CWORD]} cword=$COMP_CWORD words=("${COMP_WORDS[@]}")
	fi
	COMPREPLY=($("$1" __complete "$cword" "${words[@]}" 2>/dev/null))
	case $? in # what the shell knows better
	10) COMPREPLY=($(compgen -A command -- "$cur")) ;;
	11) COMPREPLY=($(compgen -A user -- "${cur#--*=}")) ;;
	12)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -A directory -- "${cur#--*=}"))
		;;
	esac
	# readline replaces only what is behind its last break
	if [[ $cur == *@* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${cur%@*}@"}")
	fi
}
complete -o default -F _reeve reeve
