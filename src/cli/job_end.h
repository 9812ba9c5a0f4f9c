/* How a finished job ended, put together from what the daemon tells. */
#ifndef CLI_JOB_END_H
#define CLI_JOB_END_H

#include "cli/cli.h"

/* storage of what struct job_end points at */
struct job_end_text {
	json_t *show;        /* answer of Show, where it was needed; owned */
	char *start_failure; /* "exec: No such file or directory"; owned */
};
void job_end_text_deinit(struct job_end_text *t);

/**
 * @job  Job object; ret points into it
 *
 * Asks the daemon (on a connection of its own) only where the job alone does not tell:
 * a failure with neither code nor signal. Returns 0, -errno.
 */
int job_end_read(struct job_end *ret, struct job_end_text *text, const struct cli *c,
	const json_t *job);

/* newest run of an answer of Show; NULL: none */
const json_t *job_last_run(const json_t *show);

#endif
