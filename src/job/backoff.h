/*
 * Delays between the runs of a job that fails.
 *
 * Pure arithmetic on what is stored with the job (how many runs failed): no clock, no
 * timer, no state of its own, so a delay is the same whichever daemon works it out.
 */
#ifndef JOB_BACKOFF_H
#define JOB_BACKOFF_H

#include "reeve/base.h"

struct backoff {
	int64_t first_usec; /* >= 0; 0 is no delay at all */
	int64_t max_usec;   /* ceiling; below first_usec it is taken as first_usec */
	unsigned factor;    /* >= 1: by how much each failure before makes it longer */
	unsigned
		jitter; /* 0 to 100: of so many percent chance takes away a part, so that
			     * jobs which failed together do not come back together */
};

/**
 * Delay before the next run.
 *
 * @n_failed  failures before the one just seen
 * @random    0 .. 2^32-1: 0 takes away the most
 *
 * Returns microseconds, never negative.
 */
int64_t backoff_delay_usec(const struct backoff *b, unsigned n_failed, uint32_t random);

#endif
