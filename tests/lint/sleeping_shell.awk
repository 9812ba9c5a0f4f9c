# Finds shell scripts that sleep to synchronise: `sleep` where a command stands. A job
# that sleeps (an argument, a quoted text, a here-document) is something else.

# text without what is quoted and without its comment; a quotation may go on from line to
# line, so quote outlives the call
function unquoted(text,    out, c, i) {
	out = ""
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\\" && quote != "'") {
			i++
		} else if (quote != "") {
			if (c == quote) {
				quote = ""
				out = out c
			}
		} else if (c == "#" && (i == 1 || substr(text, i - 1, 1) ~ /[ \t]/)) {
			break
		} else {
			if (c == "'" || c == "\"")
				quote = c
			out = out c
		}
	}
	return out
}
FNR == 1 { until_word = quote = "" }
until_word != "" {
	line = $0
	sub(/^\t+/, "", line)
	if (line == until_word)
		until_word = ""
	next
}
{
	if (match($0, /<<-?[ \t]*['"\\]?[A-Za-z_]+/)) {
		until_word = substr($0, RSTART, RLENGTH)
		gsub(/[^A-Za-z_]/, "", until_word)
	}
	# a line that only goes on with a quotation begins no command
	line = (quote != "" ? quote : "") unquoted($0)
	if (match(line, /(^|[;&|({!`]|[ \t](do|then|else))[ \t]*(command[ \t]+)?u?sleep[ \t]/)) {
		printf "%s:%d: waits by sleeping: %s\n", FILENAME, FNR, $0
		bad = 1
	}
}
END { exit bad }
