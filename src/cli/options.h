/*
 * Options of the command line, read by tables.
 *
 * Long options (--name VALUE, --name=VALUE), single letters (-n VALUE, -nVALUE, and
 * flags together: -fq), and the properties of jobs from job/fields.def as options of
 * their own. Abbreviations are not accepted: what is unique today is ambiguous after
 * the next release. Pure: nothing is printed and the process's state is not looked at.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "job/spec.h"

/* what a value or an operand is, for completion */
enum hint {
	HINT_NONE,
	HINT_FILE,
	HINT_DIR,
	HINT_COMMAND, /* a program and its arguments */
	HINT_JOB,     /* ids and names of jobs */
	HINT_FINISHED_JOB,
	HINT_POOL,
	HINT_LABEL,
	HINT_STATE,
	HINT_RESULT,
	HINT_SIGNAL,
	HINT_ZONE, /* time zones */
	HINT_USER,
	HINT_FUNCTION,
	HINT_VERB,
	HINT_WHEN, /* always, auto, never */
	HINT_STREAM,
	HINT_SHUTDOWN,       /* terminate, drain, detach */
	HINT_CHOICE,         /* one of the words of the metavar */
	HINT_WORDS,          /* the command's own list of sub-verbs, then files */
	HINT_WORDS_POOL,     /* the same, then names of pools */
	HINT_WORDS_SCHEDULE, /* the same, then names of schedules */
	HINT_SCHEDULE,
	HINT_WORDS_SERVICE, /* the same, then names of services */
	HINT_SERVICE,
	HINT_ENVIRONMENT,
	HINT_SORT,    /* keys to sort by, with commas between them */
	HINT_COLUMNS, /* columns of ls, the same */
};

enum option_id {
	OPT_HELP = 1,
	OPT_VERSION,
	OPT_JSON,
	OPT_COLOR,
	OPT_SOCKET,
	OPT_SYSTEM,
	OPT_USER_MODE,
	OPT_QUIET,
	/* which jobs */
	OPT_ALL,
	OPT_POOL,
	OPT_STATE,
	OPT_RESULT,
	OPT_FAILED,
	OPT_LABEL,
	OPT_NAME,
	OPT_SINCE,
	OPT_SCHEDULE,
	OPT_USER,
	/* of single verbs */
	OPT_WHEN,
	OPT_JITTER,
	OPT_MISSED,
	OPT_MISSED_MAX,
	OPT_MISSED_SPREAD,
	OPT_OVERLAP,
	OPT_QUEUE_MAX,
	OPT_BATCH,
	OPT_GRAPH,
	OPT_EACH,
	OPT_NUL,
	OPT_KEEP_GOING,
	OPT_NO_OUTPUT,
	OPT_KEY,
	OPT_LIMIT,
	OPT_SORT,
	OPT_COLUMNS,
	OPT_ENV,
	OPT_FOLLOW,
	OPT_FROM,
	OPT_LINES,
	OPT_RUN,
	OPT_STREAM,
	OPT_TIMEOUT,
	OPT_ANY,
	OPT_FIRST_FAILURE,
	OPT_FOR,
	OPT_SIGNAL,
	OPT_FORCE,
	OPT_EOF,
	OPT_NO_NEWLINE,
	OPT_FINISHED,
	OPT_DRY_RUN,
	OPT_DETACH,
	OPT_STATE_DIR,
	OPT_CONFIG,
	OPT_FILE,
	OPT_AS,
	OPT_CHANGED,
	OPT_EXIT_CODE,
	OPT_MODE,
	OPT_MORE,
	OPT_SLOTS,
	OPT_RATE,
	OPT_PAUSE_ON_FAILURE,
	OPT_ON_EMPTY,
	OPT_COUNT,
	OPT_NO_WAIT,
	OPT_ROLLING,
	OPT_TZ,
	OPT_UNTIL,
	OPT_GREP,
	OPT_IGNORE_CASE,
	/* OPT_FIELD + enum job_field: a property of the job */
	OPT_FIELD,
};

struct option_def {
	int id;              /* enum option_id; 0 ends a table */
	const char *name;    /* without "--" */
	char letter;         /* 0: none */
	const char *metavar; /* NULL: a flag */
	enum hint hint;
	const char *help;
};

/* Everything a verb accepts: tables tried in turn, then the fields of jobs. */
struct option_set {
	const struct option_def *tables[5]; /* NULL where there are fewer */
	bool fields;                        /* properties of jobs too */
	int64_t now_usec;                   /* what times are written against */
	bool stop_at_operand; /* the first operand ends the options: a command follows
			       */
};

struct option_hit {
	int id;
	const char *value; /* in argv; NULL for a flag */
};

struct options {
	struct option_hit *hits; /* in the order given */
	size_t n_hits;
	struct job_spec spec; /* the properties that were given */
	char **args;          /* operands: strings of argv, the array owned */
	size_t n_args;
	bool dash_dash; /* operands began with "--" */
};

#define OPTIONS_NULL        \
	{                   \
		.n_hits = 0 \
	}

/**
 * Read argv[first..argc).
 *
 * @ret       deinit it afterwards, also on failure
 * @ret_next  first argument that was not read; may be NULL. Where it is not NULL
 * reading ends before the first operand (options before the verb).
 * @err       what is wrong, for people, malloc'd; may stay NULL when out of memory
 *
 * Returns 0, -EINVAL, -ENOMEM.
 */
int options_parse(struct options *ret, const struct option_set *set, char *const *argv,
	int argc, int first, int *ret_next, char **err);

void options_deinit(struct options *o);

bool options_has(const struct options *o, int id);
/* value of the last such option; NULL when not given (or a flag) */
const char *options_get(const struct options *o, int id);

/* option of the set by its long name, or by its letter where name is NULL; NULL: none.
 * Fields of jobs are written into *field. */
const struct option_def *option_find(const struct option_set *set, const char *name,
	size_t name_len, char letter, struct option_def *field);

/* row of a field as an option; false for those that are not (command: the operands) */
bool option_of_field(struct option_def *ret, enum job_field f);

#endif
