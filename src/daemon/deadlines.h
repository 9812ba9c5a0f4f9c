/*
 * Jobs that give up when they have not started by a time (deadline): they end as skipped.
 * Times of the wall clock, which may be set meanwhile. Loop thread only.
 */
#ifndef DAEMON_DEADLINES_H
#define DAEMON_DEADLINES_H

#include <stdbool.h>

#include "reeve/task.h"

struct core;
struct deadlines;
struct job;

int deadlines_new(struct deadlines **ret, struct core *core, rv_loop *loop);
struct deadlines *deadlines_free(struct deadlines *d);

/* A job is in the table, or has another deadline than before, or none any more; no effect
 * where it has started. 0, -ENOMEM */
int deadlines_add(struct deadlines *d, const struct job *j);

/* That of the job has, so it is not to start: its end is recorded soon. */
bool deadlines_passed(const struct deadlines *d, const struct job *j);

/* The task that ends them; a service task. */
int deadlines_main(void *deadlines);

#endif
