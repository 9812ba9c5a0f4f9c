/*
 * The judge: what the runs themselves have written, held against what the daemon says.
 *
 * Each run appends a line with its token at its start and another at its end. Nothing
 * that was killed had a hand in that file.
 */
#ifndef TESTS_CRASH_VERDICT_H
#define TESTS_CRASH_VERDICT_H

#include "tests/crash/stream.h"

struct verdict {
	size_t n_jobs, n_lost;
};

/* Until the judge has the start of every long job. */
void await_long_jobs(struct stream *s, unsigned n_long);
/* Every long job is the process that it was, and reeved says so too. */
void check_long_jobs(struct stream *s);
/* until no job is queued or runs but the long ones; with_long: them too. Paused. */
void settle(struct stream *s, bool with_long);
/* After settle with the long ones: every acknowledged job against the judge. lost_max: so
 * many short jobs may be lost; 0: nothing may. */
void judge(struct verdict *ret, struct stream *s, size_t lost_max);

#endif
