/* The output of jobs, for `logs` and `service logs`. */
#ifndef CLI_LOGS_H
#define CLI_LOGS_H

#include <stdio.h>

#include "cli/log_lines.h"

struct cli;
struct client;
struct log_options;
struct selection;

/**
 * Print it: of one job as it is, of several one after the other, under headings, or, where it
 * is followed, line by line as it comes (logs_many.h).
 *
 * @client  may be replaced by one that is connected again
 *
 * Returns 0, or the exit code.
 */
int logs_show(const struct cli *c, const struct log_options *lo, struct client **client,
	const struct selection *sel);

/* A line as a JSON object, in the form of a page of Logs. name: a member of that name; NULL:
 * none. 0, -EIO, -ENOMEM */
int logs_print_line(FILE *f, const struct log_line *line, int64_t id, const char *name);

#endif
