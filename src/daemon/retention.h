/*
 * How much of what has finished is kept: finished jobs by age and number, output by a total
 * budget: that of the run that ended longest ago goes first, also of a job that runs again.
 * Where all of these are gone, runs that go on give their oldest bytes, those with the most
 * first. A record that an unfinished job needs stays.
 *
 * A run's record says that its output was dropped before the file goes: who is killed between
 * the two leaves a file that no record names, which the next start removes.
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
void retention_run_ended(struct retention *rt, int64_t output_bytes);
/* runs that go on have more on disk */
void retention_output_grew(struct retention *rt);
/* jobs may have finished without a run */
void retention_jobs_finished(struct retention *rt);
/* limits changed, or the daemon starts: look at everything */
void retention_look(struct retention *rt);

#endif
