# Finds calls of the functions named in -v names='a|b|c' in C, outside comments, strings
# and character constants. Exit 1 if there is one.
#
# A name after '.', '->' or part of a longer name is another function.
function code_of(line,    out, c) {
	out = ""
	while (line != "") {
		if (in_comment) {
			if (!match(line, /\*\//))
				return out
			line = substr(line, RSTART + 2)
			in_comment = 0
			out = out " "
			continue
		}
		if (!match(line, /["']|\/[*\/]/))
			return out line
		c = substr(line, RSTART, 1)
		out = out substr(line, 1, RSTART - 1)
		line = substr(line, RSTART)
		if (c == "/") {
			if (substr(line, 2, 1) == "/")
				return out
			in_comment = 1
			line = substr(line, 3)
		} else if (c == "\"" && match(line, /^"([^"\\]|\\.)*"/)) {
			line = substr(line, RLENGTH + 1)
			out = out "\"\""
		} else if (c == "'" && match(line, /^'([^'\\]|\\.)*'/)) {
			line = substr(line, RLENGTH + 1)
			out = out "0"
		} else {
			line = substr(line, 2)
		}
	}
	return out
}
FNR == 1 { in_comment = 0 }
{
	text = code_of($0)
	if (match(text, "(^|[^A-Za-z0-9_.>])(" names ")[ \t]*\\(")) {
		printf "%s:%d: forbidden: %s\n", FILENAME, FNR, $0
		bad = 1
	}
}
END { exit bad }
