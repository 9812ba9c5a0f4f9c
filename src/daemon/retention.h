/*
 * How much of what has finished is kept: finished jobs by age and number, their output by
 * a total budget, oldest finished first. A record that an unfinished job needs stays.
 */
#ifndef DAEMON_RETENTION_H
#define DAEMON_RETENTION_H

#include "reeve/task.h"

struct core;
struct job;
struct retention;

int retention_new(struct retention **ret, struct core *core);
struct retention *retention_free(struct retention *rt);

/* The task that removes; a service task. */
int retention_main(void *retention);

/* A run ended with that much output; the job may have finished. */
void retention_run_ended(struct retention *rt, struct job *j, int64_t output_bytes);
/* jobs may have finished without a run */
void retention_jobs_finished(struct retention *rt);
/* limits changed, or the daemon starts: look at everything */
void retention_look(struct retention *rt);

#endif
