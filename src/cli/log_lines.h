/*
 * Bytes of output, as they come, made into lines; and which of the lines are wanted.
 *
 * A line is held until it is whole: what a program writes in two pieces is shown in one. One
 * that is longer than LOG_LINE_MAX is taken as several, so that a program that writes no
 * newline costs no more memory than that.
 */
#ifndef CLI_LOG_LINES_H
#define CLI_LOG_LINES_H

#include <regex.h>

#include "base/buf.h"
#include "cli/log_place.h"

#define LOG_LINE_MAX (64 * 1024) /* bytes of one line */

struct log_line {
	const char *text; /* without its newline; valid until the callback returns */
	size_t n;
	bool whole; /* a newline followed */
	int stream;
	bool split; /* there are two streams */
	int64_t run;
	int64_t offset; /* of its first byte */
};

/* 0 to go on; what it returns else ends the feeding and is returned there */
typedef int (*log_line_fn)(void *arg, const struct log_line *line);

/* of one job; zeroed before use */
struct log_lines {
	struct buf part[LOG_STREAMS]; /* what has come of the next line */
	int64_t offset[LOG_STREAMS];  /* of its first byte */
	int64_t run;
	bool split;
};

void log_lines_deinit(struct log_lines *ls);
/* 0, -ENOMEM, or what fn returned. A run that is another one ends the lines of the one before. */
int log_lines_feed(
	struct log_lines *ls, const struct log_chunk *chunk, log_line_fn fn, void *arg);
/* Nothing follows: what is left are lines. As log_lines_feed. */
int log_lines_end(struct log_lines *ls, log_line_fn fn, void *arg);

/* Which lines are wanted. Zeroed: all. */
struct log_filter {
	bool has_regex;
	regex_t regex;
	char *text; /* owned; room for a line and a NUL */
	bool has_times;
	int64_t since_usec, until_usec; /* both belong to it */
};

static inline bool log_filter_is_set(const struct log_filter *f)
{
	return f->has_regex || f->has_times;
}

/* what it knows of the lines before, of one job; zeroed before use */
struct log_filter_state {
	int64_t run;
	int64_t time_usec
		[LOG_STREAMS]; /* of the last line that said one; 0: none did */
};

/* Extended regular expression as regex(7). 0; -EINVAL with *err, malloc'd, for people; -ENOMEM */
int log_filter_set_regex(
	struct log_filter *f, const char *regex, bool ignore_case, char **err);
void log_filter_deinit(struct log_filter *f);
/**
 * Is the line wanted?
 *
 * A line that begins with a time as `timestamps` writes it is judged by that, one without by
 * the line before it, and where no line of the run said a time, by the regular expression
 * alone. That does not look at the time at the front.
 */
bool log_filter_wants(const struct log_filter *f, struct log_filter_state *state,
	const struct log_line *line);
/* May such a run have lines that are wanted? ended_usec 0: it goes on. */
bool log_filter_wants_run(
	const struct log_filter *f, int64_t started_usec, int64_t ended_usec);

/* bytes of the time at the front of a line and the space behind it; 0: there is none */
size_t log_line_time(int64_t *ret_usec, const char *text, size_t n);

#endif
