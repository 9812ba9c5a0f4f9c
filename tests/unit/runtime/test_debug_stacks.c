/* The census of stacks, and stacks that are nearly full. */
#include "dump_test.h"

enum { DEEP = 100 * 1024 };

/* writes to that much of its stack */
PLACE int use_stack(void *arg)
{
	volatile char room[DEEP];

	for (size_t i = 0; i < sizeof(room); i += 64)
		room[i] = 1;
	if (arg)
		ck_assert_int_eq(rv_event_wait(arg), 0);
	return room[0] - 1;
}

static bool find_task(const rv_stack_info *i, void *arg)
{
	rv_stack_info *want = arg;

	if (i->task != want->task)
		return true;
	*want = *i;
	return false;
}

static rv_stack_census census_of_default(void)
{
	rv_stack_census c[2];

	ck_assert_int_eq(rv_debug_census(rv_loop_current(), c, 2), 1);
	ck_assert_uint_eq(c[0].n_stacks, c[0].n_used + c[0].n_cached);
	ck_assert_uint_ge(c[0].deepest, c[0].deepest_used);
	ck_assert_uint_ge(c[0].n_stacks, c[0].n_touched);
	return c[0];
}

RT_TEST(census_counts_stacks_and_their_deepest_use)
{
	rv_stack_census before = census_of_default(), c;
	rv_stack_info deep = {0}, flat = {0};
	rv_task *t, *s;
	rv_event e;

	ck_assert_uint_eq(before.n_used, 1); /* this task's */
	ck_assert_uint_lt(before.deepest, DEEP);
	rv_event_init(&e);
	t = rv_spawn(use_stack, &e);
	s = rv_spawn(sleep_here, NULL);
	ck_assert_uint_eq(census_of_default().n_promised, before.n_promised + 2);
	rt_settle(1);
	c = census_of_default();
	ck_assert_uint_eq(c.n_used, 3);
	ck_assert_uint_eq(c.n_promised, before.n_promised);
	ck_assert_uint_ge(c.deepest_used, DEEP);
	ck_assert_uint_lt(c.deepest_used, DEEP + 64 * 1024);
	deep.task = t;
	(void)rv_debug_stacks(rv_loop_current(), find_task, &deep);
	ck_assert(deep.used);
	ck_assert_uint_ge(deep.depth, DEEP);
	ck_assert_uint_gt(deep.size, deep.depth);
	flat.task = s;
	(void)rv_debug_stacks(rv_loop_current(), find_task, &flat);
	ck_assert(flat.used);
	ck_assert_uint_gt(flat.depth, 0);
	ck_assert_uint_lt(flat.depth, DEEP);

	rv_event_set(&e);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	c = census_of_default();
	ck_assert_uint_eq(c.n_used, 2);
	ck_assert_uint_lt(c.deepest_used, DEEP); /* it is cached, and remembers */
	ck_assert_uint_ge(c.deepest, DEEP);
	ck_assert_ptr_nonnull(strstr(dump_text(), ": 2 in use, "));
	end(s);
	return 0;
}

RT_TEST(census_has_an_element_for_each_size)
{
	rv_task_opts o = {.stack_size = 4 * 1024 * 1024};
	rv_stack_census c[3];
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, sleep_here, NULL), 0);
	rt_settle(1);
	ck_assert_int_eq(rv_debug_census(rv_loop_current(), NULL, 0), 2);
	ck_assert_int_eq(rv_debug_census(rv_loop_current(), c, 3), 2);
	ck_assert_uint_lt(c[0].stack_size, c[1].stack_size);
	ck_assert_uint_eq(c[1].stack_size, 4 * 1024 * 1024);
	ck_assert_uint_eq(c[1].n_used, 1);
	end(t);
	return 0;
}

PLACE int wait_deep(rv_event *e, volatile char *room)
{
	int r = rv_event_wait(e);

	return r < 0 ? r : room[0];
}

/* leaves less than unwinding may need, and more than parking does */
static int nearly_full(void *e)
{
	rv_stack_info i = {.task = rv_task_self()};
	volatile char *room;

	(void)rv_debug_stacks(rv_loop_current(), find_task, &i);
	room = __builtin_alloca(i.size - 20 * 1024);
	room[0] = 0;
	return wait_deep(e, room);
}

RT_TEST(nearly_full_stack_is_left_alone)
{
	rv_event e;
	rv_task *t;
	void *pc;

	rv_event_init(&e);
	t = rt_spawn_named("full", nearly_full, &e);
	rt_settle(1);
	ck_assert_int_eq(rv_task_backtrace(t, &pc, 1), 0);
	has(dump_text(), "full", "waiting: event ");
	rv_event_set(&e);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	return 0;
}

UNIT_MAIN("debug_stacks", census_counts_stacks_and_their_deepest_use,
	census_has_an_element_for_each_size, nearly_full_stack_is_left_alone)
