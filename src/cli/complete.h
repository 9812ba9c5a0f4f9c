/*
 * Candidates for the shell's completion, from the tables of verbs and options; ids,
 * names and pools are asked of the daemon where one runs. contrib/completion calls it
 * as `reeve __complete INDEX WORD...`.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stdio.h>

#include "cli/options.h"

struct command;

/* where the cursor is */
struct complete_place {
	const struct command *command; /* NULL: the verb itself is being written */
	const char *prefix;  /* what is written of the word, after "--name=" */
	enum hint hint;      /* of the value or operand */
	const char *metavar; /* with HINT_CHOICE: "one|another|PATH" */
	bool is_option;      /* an option's name is being written */
	bool is_first;       /* no operand stands before it */
};

/**
 * @words  the command line, words[0] is reeve
 * @index  of the word under the cursor, < n
 */
void complete_find_place(
	struct complete_place *ret, char *const *words, size_t n, size_t index);

/* What `__complete` exits with where the shell has to find the candidates by itself; any
 * other code: its usual completion, of files. contrib/completion knows these. */
enum complete_by_shell {
	COMPLETE_COMMAND = 10,
	COMPLETE_USER = 11,
	COMPLETE_DIR = 12,
};
int complete_by_shell(const struct complete_place *place); /* 0: none of these */

/* The candidates that need no daemon, one a line. False: the hint is one of those that
 * only a daemon, or the shell itself (files, commands), can tell. */
bool complete_static(FILE *out, const struct complete_place *place);

#endif
