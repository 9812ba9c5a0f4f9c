/*
 * Delays between the runs of a job that fails.
 *
 * Pure arithmetic on what is stored with the job (how many runs failed): no clock, no
 * timer, no state of its own, so a delay is the same whichever daemon works it out.
 */
#ifndef JOB_BACKOFF_H
#define JOB_BACKOFF_H

#include "reeve/base.h"

/**
 * Delay before the next run: first, doubled for every failure before, at most max.
 *
 * @first_usec  >= 0; 0 is no delay at all
 * @max_usec    ceiling; below first_usec it is taken as first_usec
 * @n_failed    failures before the one just seen
 * @random      0 .. 2^32-1: takes away up to a half, so that jobs which failed together
 *              do not come back together
 *
 * Returns microseconds between a half and the whole; never negative.
 */
int64_t backoff_delay_usec(
	int64_t first_usec, int64_t max_usec, unsigned n_failed, uint32_t random);

#endif
