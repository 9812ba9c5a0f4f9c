# A page of the manual from a public header, so that what a programmer reads with man is
# what stands at the declaration: the comment at the top is the description, each further
# comment goes with the declarations below it.
# usage: awk -v module=NAME -v date=DATE -f man.awk HEADER
function escape(s) {
	gsub(/\\/, "\\e", s)
	if (s ~ /^[.']/)
		s = "\\&" s
	return s
}
function literal_on() {
	if (!in_literal)
		print ".Bd -literal"
	in_literal = 1
}
function literal_off() {
	if (in_literal)
		print ".Ed"
	in_literal = 0
}
function list_off() {
	if (in_list)
		print ".El"
	in_list = 0
}
# a line of a comment, without its asterisk
function text(s) {
	if (s ~ /^ *$/) {
		literal_off()
		list_off()
		pending_pp = 1
		return
	}
	if (s ~ /^(\t| {4,})/ && !in_list) { # an example
		if (pending_pp && !in_literal)
			pending_pp = 0
		literal_on()
		sub(/^(\t| )/, "", s)
		print escape(s)
		return
	}
	literal_off()
	if (s ~ /^ *@[a-z_]/) {
		if (!in_list)
			print ".Bl -tag -width Ds"
		in_list = 1
		pending_pp = 0
		sub(/^ *@/, "", s)
		name = s
		sub(/  .*/, "", name)
		sub(/^[^ ]*( [^ ]+)*  +/, "", s)
		gsub(/@/, "", name)
		print ".It " escape(name)
		print escape(s)
		return
	}
	sub(/^ +/, "", s)
	if (pending_pp)
		print ".Pp"
	pending_pp = 0
	print escape(s)
}
# what a header is for: the first sentence of its comment, without its end
function print_name(module, i, name) {
	i = doc[1] ~ /^ *$/ ? 2 : 1
	name = doc[i]
	while (name !~ /\.( |$)/ && ++i <= n_doc && doc[i] !~ /^ *$/)
		name = name " " doc[i]
	sub(/\. .*|\.$|:$/, "", name)
	# an abbreviation stays as it is
	if (name !~ /^[A-Z][A-Z]/)
		name = tolower(substr(name, 1, 1)) substr(name, 2)
	print ".Dd " date
	print ".Dt REEVE_" toupper(module) " 3"
	print ".Os"
	print ".Sh NAME"
	print ".Nm reeve/" module ".h"
	print ".Nd " escape(name)
	print ".Sh SYNOPSIS"
	print ".In reeve/" module ".h"
}
function end_text() {
	literal_off()
	list_off()
	pending_pp = 0
}
# the comment that was collected, after the declarations that it belongs to
function flush_item(i) {
	if (n_code) {
		print n_items++ ? ".Pp" : ".Sh DECLARATIONS"
		print ".Bd -literal"
		for (i = 1; i <= n_code; i++)
			print escape(code[i])
		print ".Ed"
		print ".Pp"
	}
	for (i = 1; i <= n_doc; i++)
		text(doc[i])
	end_text()
	n_code = n_doc = 0
}
function take_comment(line) {
	is_end = line ~ /\*\/$/
	sub(/ ?\*\/$/, "", line)
	sub(/^\/\*\*? ?/, "", line)
	sub(/^ \* ?/, "", line)
	return line
}
/^#(\t|if|ifdef|ifndef|else|endif|include)/ || /^extern "C"/ || /^#define REEVE_[A-Z]+_H/ { next }
/^}$/ && !in_code { next }
in_comment {
	line = take_comment($0)
	if (is_end && line ~ /^ *$/) {
		in_comment = 0
	} else {
		doc[++n_doc] = line
		if (is_end)
			in_comment = 0
	}
	if (!in_comment && !seen_top) {
		seen_top = 1
		print_name(module)
		print ".Sh DESCRIPTION"
		for (i = doc[1] ~ /^ *$/ ? 2 : 1; i <= n_doc; i++)
			text(doc[i])
		end_text()
		n_doc = 0
	}
	next
}
/^\/\*/ && !in_code {
	flush_item()
	line = take_comment($0)
	if (line !~ /^ *$/)
		doc[++n_doc] = line
	in_comment = !is_end
	if (!seen_top && is_end) { # a header with one line at its top
		in_comment = 1
		$0 = " */"
		n_doc = 0
		doc[++n_doc] = line
		seen_top = 1
		print_name(module)
		in_comment = n_doc = 0
	}
	next
}
/^$/ {
	if (in_code)
		code[++n_code] = ""
	else if (n_code)
		flush_item()
	next
}
{
	line = $0
	if ($0 !~ /^#/)
		gsub(/RV_(PUBLIC|AWAIT|TS) /, "", line)
	kind = $0 ~ /^RV_AWAIT/ ? "  /* may suspend */" : $0 ~ /^RV_TS/ ? "  /* any thread */" : ""
	if (line ~ /;$/)
		line = line (kind ? kind : suffix)
	else if (kind)
		suffix = kind
	if (line ~ /; /)
		suffix = ""
	code[++n_code] = line
	# of a macro the first line that does not end so is the last
	in_code = line ~ /[{\\]$/ || (in_code && !in_macro && line !~ /^}/)
	in_macro = line ~ /\\$/
}
END {
	flush_item()
	print ".Sh SEE ALSO"
	print ".Xr libreeve 3"
}
