/* Options of `logs` and `service logs`: what is asked of the daemon, and which lines are shown. */
#ifndef CLI_LOG_OPTIONS_H
#define CLI_LOG_OPTIONS_H

#include <jansson.h>

#include "cli/log_lines.h"

struct cli;

struct log_options {
	json_t *params; /* of Logs, but for the selection; owned */
	bool follow;
	int64_t run;   /* that is asked for; 0: the newest */
	int64_t lines; /* only the last so many; -1: all */
	struct log_filter filter;
	json_t *labels; /* of the jobs of services, by their ids as text; owned; NULL: none */
	bool past_runs; /* a time was said: of all runs that reach into it */
	bool reach_back; /* where the newest run has too little, of those before it, too */
};

/* 0, or the exit code. Deinit it in any case. */
int log_options_read(struct log_options *ret, const struct cli *c);
void log_options_deinit(struct log_options *lo);

#endif
