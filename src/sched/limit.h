/*
 * A limit: so much of something that may be in use at one time, and how much is.
 */
#ifndef SCHED_LIMIT_H
#define SCHED_LIMIT_H

#include "base/macro.h"
#include "reeve/base.h"

#define LIMIT_NONE INT64_MAX

struct limit {
	int64_t max;   /* LIMIT_NONE: no limit */
	int64_t taken; /* may be above max: it was lowered, or somebody forced a start */
	int64_t claimed; /* kept for jobs that come first and do not fit; of one pass */
};

/* is there room for an amount, beside what is claimed? */
static inline bool limit_has(const struct limit *l, int64_t amount)
{
	return amount <= l->max && l->taken <= l->max - amount &&
	       l->claimed <= l->max - amount - l->taken;
}

/* can so much more be counted? What is forced asks for no room. */
static inline bool limit_can_count(const struct limit *l, int64_t amount)
{
	return l->taken <= INT64_MAX - amount;
}

/* n times an amount; n > 0 */
static inline void limit_claim(struct limit *l, int64_t amount, int64_t n)
{
	int64_t left = INT64_MAX - l->claimed;

	l->claimed += amount > left / n ? left : n * amount;
}

#endif
