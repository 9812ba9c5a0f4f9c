/* Forgetting finished jobs, with their records, outputs and inputs; and old runs of others. */
#ifndef DAEMON_REMOVAL_H
#define DAEMON_REMOVAL_H

#include "reeve/task.h"

struct core;

enum { REMOVAL_CHUNK = 500 }; /* jobs in one transaction */

/**
 * Forget those of the jobs that are finished (and not busy) and that no job needs which has
 * not started; others are passed over.
 *
 * @n  at most REMOVAL_CHUNK
 *
 * Returns how many were forgotten, or why none was (-ENOSPC, -ECANCELED, ...).
 */
RV_AWAIT int removal_run(struct core *core, const uint64_t *ids, size_t n);

/* Forget the runs of a job whose number is lower, and their output. 0, or why not. */
RV_AWAIT int removal_of_runs(struct core *core, uint64_t id, uint32_t before);

#endif
