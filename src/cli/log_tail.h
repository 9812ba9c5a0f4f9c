/*
 * The last lines of those that are wanted, when it is not known yet how many follow: so many,
 * and no more than LOG_TAIL_BYTES of them.
 */
#ifndef CLI_LOG_TAIL_H
#define CLI_LOG_TAIL_H

#include "base/list.h"
#include "cli/log_lines.h"

#define LOG_TAIL_BYTES (64 * 1024 * 1024)

struct log_tail {
	struct list lines; /* of struct held in log_tail.c, the oldest first */
	int64_t n, n_max;
	size_t bytes;
	int64_t dropped; /* lines that were among the last ones, but too much */
};

void log_tail_init(struct log_tail *t, int64_t n_max);
void log_tail_deinit(struct log_tail *t);
/* the line is copied. 0, -ENOMEM */
int log_tail_put(struct log_tail *t, const struct log_line *line);
/* Tell those that are held, in order; none is left. 0, or what fn returned */
int log_tail_tell(struct log_tail *t, log_line_fn fn, void *arg);

#endif
