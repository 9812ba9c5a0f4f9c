/*
 * The verbs of `reeve`: one row each, from which come dispatch, options, help and
 * completion. To add a verb: a row here, a file cmd_VERB.c, a paragraph in reeve.1 (a
 * test compares them).
 */
#ifndef CLI_COMMAND_TABLE_H
#define CLI_COMMAND_TABLE_H

#include "cli/options.h"

struct cli;

enum command_flags {
	COMMAND_STARTS_DAEMON =
		1 << 0,           /* submits work: starts a daemon if none is there */
	COMMAND_SELECTS = 1 << 1, /* takes ids, names, selectors */
	COMMAND_FIELDS = 1 << 2,  /* takes the properties of jobs */
	COMMAND_ARGV = 1 << 3,    /* the first operand ends the options */
	COMMAND_HIDDEN = 1 << 4,  /* not in help: for reeve's own scripts */
	COMMAND_RAW = 1 << 5,     /* reads its arguments itself, no options */
};

struct command {
	const char *name;
	const char *alias;                /* or NULL */
	const char *usage;                /* what follows the verb */
	const char *summary;              /* one line */
	const char *text;                 /* further paragraphs, or NULL */
	const struct option_def *options; /* its own, or NULL */
	const char *const *words;         /* sub-verbs, NULL-terminated; or NULL */
	unsigned flags;                   /* enum command_flags */
	enum hint operands;
	int (*run)(struct cli *c); /* returns the exit code */
};

extern const struct command command_table[];
extern const size_t command_table_len;

/* before or after the verb: --json, --socket ... */
extern const struct option_def options_global[];
/* only after it: --help */
extern const struct option_def options_verb[];
/* which daemon; --user only where it is no selector */
extern const struct option_def options_mode[];
extern const struct option_def options_select[];

const struct command *command_find(const char *name); /* or alias; NULL */
/* the verb that was probably meant, or NULL */
const char *command_nearest(const char *name);
/* what may stand after the verb */
struct option_set command_options(const struct command *cmd);
/* what may stand before any verb */
struct option_set global_options(void);

/* clang-format cannot settle how to lay these out */
/* clang-format off */
#define COMMANDS(X) \
	X(run) X(add) X(gather) X(ls) X(show) X(graph) X(logs) X(wait) X(events) X(ps) \
	X(cancel) X(kill) X(pause) X(resume) X(hold) X(release) X(force) X(move) X(set) X(edit) \
	X(retry) X(rm) X(clean) X(why) X(history) X(stats) X(call) X(pool) X(schedule) \
	X(service) X(start) X(stop) X(restart) \
	X(send) X(calendar) X(config) X(daemon) X(varlink) X(help) X(version) X(complete)
/* clang-format on */
#define X(name) int cmd_##name(struct cli *c);
COMMANDS(X)
#undef X
/* VERB --help */
int cmd_help_of(const struct cli *c);

#endif
