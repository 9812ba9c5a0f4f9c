# Finds shell scripts that sleep to synchronise: `sleep` where a command stands. A job
# that sleeps (an argument, a quoted text, a here-document) is something else.
FNR == 1 { until_word = "" }
until_word != "" {
	line = $0
	sub(/^\t+/, "", line)
	if (line == until_word)
		until_word = ""
	next
}
{
	line = $0
	if (match(line, /<<-?[ \t]*['"\\]?[A-Za-z_]+/)) {
		until_word = substr(line, RSTART, RLENGTH)
		gsub(/[^A-Za-z_]/, "", until_word)
	}
	gsub(/'[^']*'/, "''", line)
	gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
	sub(/(^|[ \t])#.*/, "", line)
	if (match(line, /(^|[;&|({!`]|[ \t](do|then|else))[ \t]*(command[ \t]+)?u?sleep[ \t]/)) {
		printf "%s:%d: waits by sleeping: %s\n", FILENAME, FNR, $0
		bad = 1
	}
}
END { exit bad }
