/*
 * The first so many of many jobs in an order that is asked for (job/sort.h): a heap of no
 * more than these, each with the values that it was put in by, so that jobs may change or go
 * while the rest is looked at. A job that is not among the first costs one comparison.
 *
 * Loop thread only.
 */
#ifndef DAEMON_RANKING_H
#define DAEMON_RANKING_H

#include "base/heap.h"
#include "daemon/job.h"
#include "job/sort.h"

struct core;

struct ranking {
	struct core *core;
	struct job_sort sort;
	int64_t now_usec; /* for the time of runs that go on */
	size_t n_max;
	struct heap heap; /* of struct ranked, the last in the order on top */
};

/* n_max: so many are kept; 0: none. Nothing is allocated yet. */
void ranking_init(struct ranking *rk, struct core *core, const struct job_sort *sort,
	size_t n_max);
/* also half-built, or all zero */
void ranking_deinit(struct ranking *rk);
/* look at one job; each only once. 0, -ENOMEM */
int ranking_offer(struct ranking *rk, const struct job *j);
size_t ranking_count(const struct ranking *rk);
/* The ids in their order, ranking_count of them; empties it. */
void ranking_take(struct ranking *rk, uint64_t *ret_ids);

#endif
