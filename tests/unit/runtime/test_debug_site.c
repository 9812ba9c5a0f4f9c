/* The census of stacks by where their tasks were spawned. */
#include "debug_test.h"
#include "net_test.h"

enum { DEEP = 100 * 1024, SLACK = 64 * 1024 };

static const rv_run_opts debug_opts = {.debug = true};

#define PLACE __attribute__((noinline)) static

/* All tasks that a function of that name has spawned, and copies that the compiler made of
 * it: name.constprop.0. */
static rv_site_census site_of(const char *function)
{
	rv_site_census c[300], sum = {NULL};
	size_t len = strlen(function);
	char place[256];
	int n = rv_debug_census_by_site(rv_loop_current(), c, 300);

	ck_assert_int_ge(n, 0);
	for (int i = 0; i < n; i++) {
		if (!c[i].site)
			continue;
		rv_debug_place(c[i].site, place, sizeof(place));
		if (strncmp(place, function, len) != 0 ||
			(place[len] != ' ' && place[len] != '.'))
			continue;
		sum.site = c[i].site;
		sum.n_tasks += c[i].n_tasks;
		sum.n_live += c[i].n_live;
		if (c[i].deepest > sum.deepest)
			sum.deepest = c[i].deepest;
	}
	ck_assert_msg(sum.site, "%s has spawned nothing", function);
	return sum;
}

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

static int wait_flat(void *e)
{
	RETURN(rv_event_wait(e));
}

PLACE rv_task *spawn_deep(void *e)
{
	rv_task *t = rv_spawn(use_stack, e);

	ck_assert_ptr_nonnull(t);
	return t;
}

PLACE rv_task *spawn_flat(rv_fn fn, void *arg)
{
	rv_task *t = rv_spawn(fn, arg);

	ck_assert_ptr_nonnull(t);
	return t;
}

static void join(rv_task *t)
{
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
}

static void is_deep(size_t depth)
{
	ck_assert_uint_ge(depth, DEEP);
	ck_assert_uint_lt(depth, DEEP + SLACK);
}

RT_TEST_WITH(site_keeps_the_depth_of_tasks_that_have_ended, &debug_opts)
{
	rv_site_census deep, flat;

	for (int i = 0; i < 3; i++)
		join(spawn_deep(NULL));
	for (int i = 0; i < 5; i++)
		join(spawn_flat(rt_nop, NULL)); /* on the same stack */
	deep = site_of("spawn_deep");
	flat = site_of("spawn_flat");
	ck_assert_uint_eq(deep.n_tasks, 3);
	ck_assert_uint_eq(deep.n_live, 0);
	is_deep(deep.deepest);
	ck_assert_uint_eq(flat.n_tasks, 5);
	ck_assert_uint_gt(flat.deepest, 0);
	ck_assert_uint_lt(flat.deepest, 16 * 1024);
	/* and the other way round */
	join(spawn_deep(NULL));
	ck_assert_uint_eq(site_of("spawn_flat").deepest, flat.deepest);
	ck_assert_uint_eq(site_of("spawn_deep").n_tasks, 4);
	return 0;
}

RT_TEST_WITH(site_counts_tasks_that_live_with_their_depth_so_far, &debug_opts)
{
	rv_task *deep, *flat, *not_begun;
	rv_event e;

	rv_event_init(&e);
	deep = spawn_deep(&e);
	flat = spawn_flat(wait_flat, &e);
	rt_settle(1);
	not_begun = spawn_flat(wait_flat, &e);
	is_deep(site_of("spawn_deep").deepest);
	ck_assert_uint_eq(site_of("spawn_deep").n_live, 1);
	ck_assert_uint_eq(site_of("spawn_flat").n_tasks, 1);
	ck_assert_uint_eq(site_of("spawn_flat").n_live, 1);
	rt_settle(1);
	ck_assert_uint_eq(site_of("spawn_flat").n_live, 2);
	rv_event_set(&e);
	join(deep);
	join(flat);
	join(not_begun);
	ck_assert_uint_eq(site_of("spawn_flat").n_live, 0);
	ck_assert_uint_eq(site_of("spawn_flat").n_tasks, 2);
	return 0;
}

RT_TEST_WITH(census_of_sizes_remembers_what_was_cleared, &debug_opts)
{
	rv_stack_census c;

	join(spawn_deep(NULL));
	join(spawn_flat(rt_nop, NULL));
	ck_assert_int_eq(rv_debug_census(rv_loop_current(), &c, 1), 1);
	is_deep(c.deepest);
	ck_assert_uint_lt(c.deepest_used, DEEP);
	return 0;
}

RT_TEST_WITH(looking_at_a_task_does_not_make_it_deeper, &debug_opts)
{
	rv_site_census before;
	rv_task *t;
	rv_event e;
	void *pcs[16];

	rv_event_init(&e);
	t = spawn_flat(wait_flat, &e);
	rt_settle(1);
	before = site_of("spawn_flat");
	ck_assert_int_gt(rv_task_backtrace(t, pcs, 16), 2);
	ck_assert_ptr_nonnull(strstr(dump_text(), "at wait_flat ("));
	/* it parks anew, which takes some words more; unwinding takes kilobytes */
	ck_assert_uint_le(site_of("spawn_flat").deepest, before.deepest + 2048);
	rv_event_set(&e);
	join(t);
	ck_assert_uint_lt(site_of("spawn_flat").deepest, 16 * 1024);
	return 0;
}

static int generate_deep(rv_gen *g, void *arg)
{
	ck_assert_int_eq(use_stack(NULL), 0);
	return rv_gen_yield(g, NULL);
}

static int consume(void *arg)
{
	rv_gen *g;
	void *v;

	ck_assert_int_eq(rv_gen_new(&g, generate_deep, NULL, NULL), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	ck_assert_int_eq(rv_gen_next(g, &v), 0);
	(void)rv_gen_close(g);
	return 0;
}

RT_TEST_WITH(stack_of_a_generator_is_not_the_next_task_s, &debug_opts)
{
	join(spawn_flat(consume, NULL));
	/* one of these gets the stack that the generator had */
	for (int i = 0; i < 3; i++)
		join(spawn_flat(rt_nop, NULL));
	ck_assert_uint_lt(site_of("spawn_flat").deepest, DEEP);
	return 0;
}

PLACE void spawn_child(rv_group *g, void *e)
{
	ck_assert_ptr_nonnull(rv_group_spawn(g, use_stack, e));
}

PLACE void spawn_eager(void)
{
	rv_task_opts o = {.flags = RV_SPAWN_EAGER};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, use_stack, NULL), 0);
	join(t);
}

RT_TEST_WITH(children_and_eager_tasks_have_their_place, &debug_opts)
{
	rv_event e;
	rv_group g;

	rv_event_init(&e);
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	spawn_child(&g, &e);
	rt_settle(1);
	is_deep(site_of("spawn_child").deepest);
	ck_assert_ptr_nonnull(strstr(dump_text(), ", spawned in spawn_child"));
	rv_event_set(&e);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_uint_eq(site_of("spawn_child").n_live, 0);
	spawn_eager();
	is_deep(site_of("spawn_eager").deepest);
	return 0;
}

PLACE void spawn_for(rv_transport *t)
{
	ck_assert_ptr_nonnull(rv_transport_spawn(t, rt_nop, NULL));
}

RT_TEST_WITH(task_of_a_connection_has_its_place, &debug_opts)
{
	struct rec r;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	spawn_for(r.transport);
	rt_settle(2);
	ck_assert_uint_eq(site_of("spawn_for").n_tasks, 1);
	close_safe(fd);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	return 0;
}

RT_TEST_WITH(spawn_that_is_refused_gives_its_place_to_nobody, &debug_opts)
{
	rv_loop *l = rv_loop_current();
	rv_site_census c[8];
	rv_xfuture *x;
	rv_group g;
	int n;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_FAIL_FAST), 0);
	rv_group_cancel(&g, "test");
	ck_assert_ptr_null(rv_group_spawn(&g, rt_nop, NULL));
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	/* the library spawns this one */
	ck_assert_int_eq(rv_submit(l, rt_nop, NULL, NULL, &x), 0);
	ck_assert_int_eq(rv_xfuture_await(x, NULL), 0);
	rv_xfuture_unref(x);
	n = rv_debug_census_by_site(l, c, 8);
	ck_assert_int_eq(n, 2); /* that, and the main task */
	ck_assert((c[0].site == NULL) != (c[1].site == NULL));
	ck_assert(!c[0].is_others && !c[1].is_others);
	ck_assert_ptr_nonnull(
		strstr(dump_text(), "stacks of tasks spawned in the library: "));
	return 0;
}

#define SPAWN    join(rv_spawn(rt_nop, NULL));
#define SPAWN_10 SPAWN SPAWN SPAWN SPAWN SPAWN SPAWN SPAWN SPAWN SPAWN SPAWN
#define SPAWN_100                                                               \
	SPAWN_10 SPAWN_10 SPAWN_10 SPAWN_10 SPAWN_10 SPAWN_10 SPAWN_10 SPAWN_10 \
		SPAWN_10 SPAWN_10

PLACE void spawn_in_300_places(void){SPAWN_100 SPAWN_100 SPAWN_100}

RT_TEST_WITH(places_beyond_the_limit_are_counted_together, &debug_opts)
{
	rv_loop *l = rv_loop_current();
	static rv_site_census c[300];
	size_t n_tasks = 0;
	char *dump;

	join(spawn_deep(NULL));
	spawn_in_300_places();
	spawn_in_300_places();
	ck_assert_int_eq(rv_debug_census_by_site(l, NULL, 0), 257);
	ck_assert_int_eq(rv_debug_census_by_site(l, c, 300), 257);
	for (int i = 0; i < 257; i++) {
		n_tasks += c[i].n_tasks;
		ck_assert(c[i].is_others == (i == 256));
		if (i > 0 && i < 256)
			ck_assert_uint_ge(c[i - 1].deepest, c[i].deepest);
	}
	ck_assert_uint_eq(n_tasks, 1 + 1 + 600);
	is_deep(c[0].deepest);
	/* the main task, spawn_deep and 254 of them are known */
	ck_assert_ptr_null(c[256].site);
	ck_assert_uint_eq(c[256].n_tasks, 2 * (300 - 254));
	ck_assert_uint_gt(c[256].deepest, 0);
	ck_assert_uint_lt(c[256].deepest, DEEP);

	/* where there is room for fewer, the deepest */
	memset(c, 0xff, sizeof(c));
	ck_assert_int_eq(rv_debug_census_by_site(l, c, 1), 257);
	is_deep(c[0].deepest);
	ck_assert_uint_eq(c[1].deepest, SIZE_MAX);
	dump = dump_text();
	ck_assert_ptr_nonnull(strstr(dump, "stacks of tasks spawned in spawn_deep"));
	ck_assert_ptr_nonnull(strstr(dump, "and of 241 places more"));
	return 0;
}

RT_TEST(only_tasks_that_begin_in_debug_mode_count)
{
	rv_loop *l = rv_loop_current();
	rv_task *before, *during;
	rv_event e;

	rv_event_init(&e);
	rv_loop_set_debug(l, false); /* whatever the environment says */
	before = spawn_deep(&e);
	rt_settle(1);
	rv_loop_set_debug(l, true);
	rt_settle(1);
	during = spawn_flat(wait_flat, &e);
	rt_settle(1);
	ck_assert_uint_eq(site_of("spawn_flat").n_live, 1);
	ck_assert_uint_lt(site_of("spawn_flat").deepest, DEEP);
	/* what was spawned meanwhile has nothing to do with it */
	rv_loop_set_debug(l, false);
	rv_event_set(&e);
	join(during);
	join(before);
	join(spawn_deep(NULL));
	rv_loop_set_debug(l, true);
	ck_assert_uint_eq(site_of("spawn_flat").n_live, 0);
	ck_assert_uint_eq(site_of("spawn_flat").n_tasks, 1);
	ck_assert_uint_lt(site_of("spawn_flat").deepest, DEEP);
	for (int i = 0; i < 4; i++)
		join(spawn_flat(rt_nop, NULL));
	ck_assert_uint_lt(site_of("spawn_flat").deepest, DEEP);
	return 0;
}

RT_TEST(loop_that_was_never_in_debug_mode_has_no_places)
{
	rv_site_census c;

	if (rv_loop_debug(rv_loop_current()))
		return 0; /* REEVE_DEBUG */
	join(spawn_deep(NULL));
	ck_assert_int_eq(rv_debug_census_by_site(rv_loop_current(), &c, 1), 0);
	ck_assert_ptr_null(strstr(dump_text(), "spawned in"));
	return 0;
}

UNIT_MAIN("debug_site", site_keeps_the_depth_of_tasks_that_have_ended,
	site_counts_tasks_that_live_with_their_depth_so_far,
	census_of_sizes_remembers_what_was_cleared,
	looking_at_a_task_does_not_make_it_deeper,
	stack_of_a_generator_is_not_the_next_task_s,
	children_and_eager_tasks_have_their_place, task_of_a_connection_has_its_place,
	spawn_that_is_refused_gives_its_place_to_nobody,
	places_beyond_the_limit_are_counted_together,
	only_tasks_that_begin_in_debug_mode_count,
	loop_that_was_never_in_debug_mode_has_no_places)
