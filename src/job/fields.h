/*
 * The table of a job's properties (fields.def) and everything that is the same for all
 * fields of a type: parsing text, printing it, checking limits. Pure; the decoders of
 * the protocol and the options of the CLI walk the same table.
 */
#ifndef JOB_FIELDS_H
#define JOB_FIELDS_H

#include "base/buf.h"
#include "reeve/base.h"

enum job_type {
	JOB_TYPE_NUMBER,    /* num */
	JOB_TYPE_BOOL,      /* num: 0 or 1 */
	JOB_TYPE_OCTAL,     /* num; text is octal */
	JOB_TYPE_DURATION,  /* num: microseconds, INT64_MAX for infinity */
	JOB_TYPE_TIME,      /* num: microseconds since the epoch; text @SECONDS */
	JOB_TYPE_SIZE,      /* num: bytes, INT64_MAX for infinity */
	JOB_TYPE_SIGNAL,    /* num: signal number; text TERM or SIGTERM or 15 */
	JOB_TYPE_LEFTOVERS, /* num: enum job_leftovers */
	JOB_TYPE_ON_LOST,   /* num: enum job_on_lost */
	JOB_TYPE_TEXT,      /* str: UTF-8 */
	JOB_TYPE_NAME,      /* str: name_is_valid */
	JOB_TYPE_POOLS,     /* str: one name, "a,b" or "a|b" (asks.h) */
	JOB_TYPE_JSON,      /* str: text of a JSON object (not parsed in this layer) */
	JOB_TYPE_BYTES,     /* str: any bytes but NUL */
	JOB_TYPE_OUTPUT,    /* str: file, null, journal, inherit, file:/absolute/path;
			       bytes */
	JOB_TYPE_RLIMITS,   /* str: canonical text "nofile=1024:4096 core=0" */
	JOB_TYPE_CODES,     /* str: canonical text "0 75 SIGTERM" */
	JOB_TYPE_ARGV,      /* strv: bytes; text is split by shell-like quoting */
	JOB_TYPE_ENV,       /* strv: NAME=VALUE, bytes; appends */
	JOB_TYPE_NAMES,     /* strv: name_is_valid each; appends */
	JOB_TYPE_NEEDS,     /* strv: NAME=N each (asks.h); appends */
	JOB_TYPE_GLOBS,     /* strv: appends */
	JOB_TYPE_DEPS,      /* strv: dep_element_is_valid each (deps.h); appends */
};

enum job_leftovers { JOB_LEFTOVERS_KILL, JOB_LEFTOVERS_LEAVE, JOB_LEFTOVERS_WAIT };
enum job_on_lost { JOB_ON_LOST_HOLD, JOB_ON_LOST_RERUN, JOB_ON_LOST_LOST };

enum job_field {
#define X(tag, id, ...) JOB_FIELD_##id,
#include "job/fields.def"
#undef X
	JOB_FIELD_N
};

struct job_field_info {
	unsigned tag;
	const char *key;
	const char *json_name; /* in the protocol: "retry_delay_usec" */
	enum job_type type;
	char letter;
	const char *default_text; /* NULL: unset */
	int64_t min, max;
	const char *metavar;
	const char *help;
};
extern const struct job_field_info job_field_info[JOB_FIELD_N];

union job_value {
	int64_t num;
	char *str;   /* owned */
	char **strv; /* owned */
};

/* Most bytes of one text and most elements of a list where the table says 0: far over
 * what the kernel lets a program be started with (about 6 MiB), far under what hurts.
 */
#define JOB_BYTES_MAX    (8 * 1024 * 1024)
#define JOB_ELEMENTS_MAX (1024 * 1024)

enum job_shape { JOB_SHAPE_NUM, JOB_SHAPE_STR, JOB_SHAPE_STRV };
enum job_shape job_type_shape(enum job_type t);
bool job_type_is_bytes(enum job_type t); /* may hold bytes that are not UTF-8 */
bool job_type_appends(enum job_type t);  /* a list that grows when given again */

/* Only the daemon sets it: no key of files, no option, refused from clients. */
static inline bool job_field_is_ours(enum job_field f)
{
	return f == JOB_FIELD_SCHEDULE || f == JOB_FIELD_SCHEDULED ||
	       f == JOB_FIELD_CALLBACK || f == JOB_FIELD_CALLBACK_OF ||
	       f == JOB_FIELD_SERVICE || f == JOB_FIELD_INSTANCE ||
	       f == JOB_FIELD_EXPAND;
}

/* By configuration key (not of those that only the daemon sets) or protocol name; negative
 * -ENOENT */
int job_field_by_key(const char *key);
int job_field_by_json_name(const char *name);
int job_field_by_tag(unsigned tag);

/**
 * Text as in the configuration to a value.
 *
 * ARGV is split into words (words.h); NAMES and DEPS at white space and commas, GLOBS at
 * white space; "#N" is no element of DEPS here, for there are no others to count; ENV has one NAME=VALUE per line, byte for byte, where a line that begins with
 * a double quote is a quoted one as words_quote_line writes it.
 * An empty text is the empty list for lists that append, and an error for all else.
 *
 * @ret  set only on success; lists hold just what this text gives
 * @err  message for people on failure ("not a duration: '5 parsecs'"), malloc'd, may be
 * NULL
 *
 * Returns 0, -EINVAL, -ERANGE (outside min..max), -RV_ELIMIT (too long), -ENOMEM.
 */
int job_value_parse(
	union job_value *ret, enum job_field f, const char *text, char **err);

/* Like job_value_parse, for one argument of a command line or one element of a list:
 * ENV takes the whole text as one NAME=VALUE, whatever bytes it has. */
int job_value_parse_arg(
	union job_value *ret, enum job_field f, const char *text, char **err);

/* Check a value that came in from elsewhere (protocol) against type and range;
 * canonical form for RLIMITS and CODES. Same results as job_value_parse. */
int job_value_check(union job_value *v, enum job_field f, char **err);

/* Print so that job_value_parse reads the same value back. 0, -ENOMEM. */
int job_value_format(struct buf *out, enum job_field f, const union job_value *v);

void job_value_free(union job_value *v, enum job_field f);

/* Longest delay, in microseconds: a job that is delayed for years was not meant to be. */
#define JOB_DELAY_MAX (INT64_C(366) * 24 * 3600 * 1000000)

/* latest time that can be said: the end of the year 9999 */
#define JOB_TIME_MAX INT64_C(253402300799000000)

/* most that a job may reserve: no machine has as much */
#define JOB_MEMORY_MAX (INT64_C(1) << 60)

/* where output = journal goes */
#define JOB_JOURNAL_SOCKET "/run/systemd/journal/stdout"

/* The functions that every daemon has, as daemon/functions.c lists them. */
#define JOB_FUNCTION_N 3
extern const char *const job_function_name[JOB_FUNCTION_N];

/* "TERM", "SIGTERM", "15", "RTMIN+3", "SIG40": the number, or -EINVAL */
int signal_parse(const char *text);
const char *signal_name(int sig); /* "SIGTERM"; static; "SIG40" style for others */

#endif
