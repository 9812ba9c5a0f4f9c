/* The order of timers, by itself: no loop. */
#include "config.h"

#include "runtime/timer_heap.h"

#include <errno.h>

#include "base/cleanup.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

#define HEAP_LOCAL _cleanup_(timer_heap_deinit) struct timer_heap

enum { N_TIMERS = 700 };

/* those that are in, as a list by time would have them */
struct model {
	rv_timer timers[N_TIMERS];
	uint64_t order[N_TIMERS]; /* of adding; 0: it is not in */
	uint64_t n_added;
	size_t n;
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void add(struct timer_heap *h, struct model *m, size_t i, rv_time when)
{
	m->timers[i].when = when;
	m->order[i] = ++m->n_added;
	m->n++;
	timer_heap_add(h, &m->timers[i]);
}

static void take(struct timer_heap *h, struct model *m, size_t i)
{
	m->order[i] = 0;
	m->n--;
	timer_heap_remove(h, &m->timers[i]);
}

static rv_timer *model_first(struct model *m)
{
	size_t first = N_TIMERS;

	for (size_t i = 0; i < N_TIMERS; i++) {
		const rv_timer *t = &m->timers[i], *f;

		if (m->order[i] == 0)
			continue;
		f = first < N_TIMERS ? &m->timers[first] : NULL;
		if (!f || t->when < f->when ||
			(t->when == f->when && m->order[i] < m->order[first]))
			first = i;
	}
	return first < N_TIMERS ? &m->timers[first] : NULL;
}

static void assert_first(struct timer_heap *h, struct model *m)
{
	rv_timer *first = model_first(m);

	ck_assert_ptr_eq(timer_heap_first(h), first);
	ck_assert_int_eq(timer_heap_next(h), first ? first->when : RV_FOREVER);
}

/* Phases in which it fills and empties; few different times, so that many are equal. */
static void wander(struct timer_heap *h, struct model *m, uint64_t seed, int n_steps)
{
	for (int step = 0; step < n_steps; step++) {
		size_t i = next_random(&seed) % N_TIMERS;
		bool fills = step / 2000 % 2 == 0;
		unsigned choice = next_random(&seed) % 8;

		if (m->order[i] == 0 && (fills || choice == 0))
			add(h, m, i, (rv_time)(next_random(&seed) % 100));
		else if (m->order[i] != 0 && (!fills || choice == 0))
			take(h, m, i);
		else if (m->n > 0 && choice < 4)
			take(h, m, (size_t)(model_first(m) - m->timers));
		if (choice == 7)
			timer_heap_trim(h);
		assert_first(h, m);
	}
}

START_TEST(timers_come_by_time_and_equal_ones_as_added)
{
	static struct model m;
	HEAP_LOCAL h;

	timer_heap_init(&h);
	assert_first(&h, &m);
	wander(&h, &m, 88172645463325252, 20000);
}
END_TEST

START_TEST(order_survives_the_wrapping_of_its_number)
{
	static struct model m;
	HEAP_LOCAL h;

	timer_heap_init(&h);
	h.seq = UINT32_MAX - 1000;
	wander(&h, &m, 1234567, 20000);
	ck_assert_uint_lt(h.seq, UINT32_MAX / 2);
}
END_TEST

START_TEST(memory_is_given_back)
{
	static struct model m;
	HEAP_LOCAL h;

	timer_heap_init(&h);
	ck_assert_int_eq(timer_heap_prepare(&h), 0);
	for (size_t i = 0; i < N_TIMERS; i++)
		add(&h, &m, i, (rv_time)(N_TIMERS - i));
	ck_assert_uint_ge(h.n_max, N_TIMERS);
	timer_heap_trim(&h); /* all of it is in use */
	ck_assert_uint_ge(h.n_max, N_TIMERS);
	for (size_t i = 0; i < N_TIMERS - 10; i++)
		take(&h, &m, i);
	timer_heap_trim(&h);
	ck_assert_uint_le(h.n_max, 32);
	while (m.n > 0) {
		assert_first(&h, &m);
		take(&h, &m, (size_t)(timer_heap_first(&h) - m.timers));
	}
	assert_first(&h, &m);
}
END_TEST

/* no allocation succeeds from the first that is wanted on, or the second */
static void without_memory(struct timer_heap *h, struct model *m, size_t n_given)
{
	bool failed = false;

	for (size_t i = 0; i < N_TIMERS; i++) {
		alloc_fail_at(n_given + 1);
		add(h, m, i, (rv_time)(i * 7919 % 100));
		failed = alloc_fail_stop() || failed;
	}
	ck_assert(failed);
	ck_assert_uint_lt(h->n, m->n); /* some are in the list */
}

START_TEST(without_memory_none_is_lost)
{
	for (size_t n_given = 0; n_given < 2; n_given++) {
		static struct model m;
		HEAP_LOCAL h;

		m = (struct model){.n = 0};
		timer_heap_init(&h);
		if (n_given == 1)
			ck_assert_int_eq(timer_heap_prepare(&h), 0);
		without_memory(&h, &m, n_given);
		/* from both, and from the middle of both */
		for (size_t i = 0; i < N_TIMERS; i += 3)
			take(&h, &m, i);
		assert_first(&h, &m);
		wander(&h, &m, 4711, 4000); /* there is memory again */
		while (m.n > 0) {
			assert_first(&h, &m);
			take(&h, &m, (size_t)(timer_heap_first(&h) - m.timers));
		}
		assert_first(&h, &m);
	}
}
END_TEST

START_TEST(what_is_forgotten_is_in_no_list)
{
	struct timer_heap h;
	rv_timer t = {.when = 1};

	timer_heap_init(&h);
	alloc_fail_at(1);
	timer_heap_add(&h, &t);
	ck_assert(alloc_fail_stop());
	ck_assert(link_is_linked(&t.ready.link));
	timer_heap_deinit(&h);
	ck_assert(!link_is_linked(&t.ready.link));
}
END_TEST

START_TEST(shrinking_without_memory_changes_nothing)
{
	static struct model m;
	HEAP_LOCAL h;

	timer_heap_init(&h);
	for (size_t i = 0; i < N_TIMERS; i++)
		add(&h, &m, i, (rv_time)(i * 31 % 50));
	while (m.n > 5)
		take(&h, &m, (size_t)(model_first(&m) - m.timers));
	for (size_t n = 1; n <= 2; n++) {
		alloc_fail_at(n);
		timer_heap_trim(&h);
		ck_assert(alloc_fail_stop());
		ck_assert_uint_ge(h.n_max, N_TIMERS);
		assert_first(&h, &m);
	}
}
END_TEST

UNIT_MAIN("timer_heap", timers_come_by_time_and_equal_ones_as_added,
	order_survives_the_wrapping_of_its_number, memory_is_given_back,
	without_memory_none_is_lost, what_is_forgotten_is_in_no_list,
	shrinking_without_memory_changes_nothing)
