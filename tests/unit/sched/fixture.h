/* Jobs that are nothing but their place in the order, for tests of admission. */
#ifndef TESTS_UNIT_SCHED_FIXTURE_H
#define TESTS_UNIT_SCHED_FIXTURE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sched/admission.h"
#include "tests/support/unit.h"

struct toy {
	struct heap_node node;
	int priority;
	unsigned id;
	struct demand *demand;
	unsigned way;
};

static inline struct toy *toy_of(const struct heap_node *node)
{
	return CONTAINER_OF((struct heap_node *)node, struct toy, node);
}

static inline bool toy_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct toy *x = toy_of(a), *y = toy_of(b);

	return x->priority != y->priority ? x->priority > y->priority : x->id < y->id;
}

/* pool NAME has so many slots */
static inline struct pool *give_slots(
	struct admission *a, const char *name, int64_t slots)
{
	struct pool *p;

	ck_assert_int_eq(admission_pool(a, name, &p), 0);
	p->gone = false;
	p->slots.max = slots;
	return p;
}

static inline struct resource *give_resource(
	struct admission *a, const char *name, int64_t amount)
{
	struct resource *res;

	ck_assert_int_eq(admission_resource(a, name, &res), 0);
	res->gone = false;
	res->amount.max = amount;
	return res;
}

/* the job waits for room from now on */
static inline void toy_add(
	struct admission *a, struct toy *t, const struct demand_spec *spec)
{
	ck_assert_int_eq(demand_get(a, &t->demand, spec), 0);
	ck_assert_int_eq(demand_add(a, t->demand, &t->node), 0);
}

/* it ran, and is over */
static inline void toy_end(struct admission *a, struct toy *t)
{
	demand_release(t->demand, t->way);
	t->demand = demand_put(a, t->demand);
}

/* one that never started */
static inline void toy_drop(struct admission *a, struct toy *t)
{
	demand_remove(a, t->demand, &t->node);
	t->demand = demand_put(a, t->demand);
}

/* One pass; the ids of those that start, as text "1 2 ". */
static inline const char *toy_pass(struct admission *a, rv_time now)
{
	static char text[4096];
	struct admitted x;
	size_t n = 0;

	text[0] = '\0';
	admission_begin(a);
	while (admission_next(a, now, &x)) {
		toy_of(x.job)->way = x.way;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u%s ",
			toy_of(x.job)->id, x.ahead ? "+" : "");
	}
	return text;
}

#endif
