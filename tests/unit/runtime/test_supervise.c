/* Task groups: supervising and collecting, the block form, depth and length of life. */
#include "rt.h"

static int ordinary(void *arg)
{
	int r = rv_sleep(RV_MS(2));

	rt_add("ordinary");
	return r;
}

struct restarts {
	int n;
	int last_err;
};

static int restart(rv_group *g, rv_task *t, int err, void *arg)
{
	struct restarts *r = arg;

	ck_assert_int_eq(rv_yield(), -RV_ENOTASK);
	r->last_err = err;
	if (r->n++ < 3)
		ck_assert_ptr_nonnull(rv_group_spawn(g, rt_yield_then_fail, RT_N(EIO)));
	return 0;
}

RT_TEST(supervisor_hears_of_every_failure_and_goes_on)
{
	struct restarts r = {0};
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_SUPERVISE), 0);
	rv_group_on_exit(&g, restart, &r);
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EIO));
	(void)rv_group_spawn(&g, rt_sleep_ms, RT_N(1));
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_int_ge(r.n, 4);
	return 0;
}

static int give_up(rv_group *g, rv_task *t, int err, void *arg)
{
	return err;
}

RT_TEST(supervisor_that_gives_up_fails_the_group)
{
	rv_group g;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_SUPERVISE), 0);
	rv_group_on_exit(&g, give_up, NULL);
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EIO));
	(void)rv_group_spawn(&g, rt_sleep_long, NULL);
	ck_assert_int_eq(rv_group_exit(&g, 0), -EIO);
	return 0;
}

RT_TEST(supervised_failure_without_supervisor_is_reported)
{
	rv_group g;

	rt_catch_reports();
	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_SUPERVISE), 0);
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EIO));
	(void)rv_group_spawn(&g, ordinary, NULL);
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rt_reported.err, -EIO);
	ck_assert_str_eq(rt_trace, "ordinary");
	return 0;
}

RT_TEST(collecting_group_runs_all_and_reports_all)
{
	rv_group g;
	size_t n;

	ck_assert_int_eq(rv_group_enter(&g, RV_GROUP_COLLECT), 0);
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EIO));
	(void)rv_group_spawn(&g, ordinary, NULL);
	(void)rv_group_spawn(&g, rt_yield_then_fail, RT_N(EPIPE));
	ck_assert_int_eq(rv_group_exit(&g, 0), -EIO);
	ck_assert_str_eq(rt_trace, "ordinary");
	(void)rv_group_errors(&g, &n);
	ck_assert_uint_eq(n, 2);
	return 0;
}

static int leaves_early(void)
{
	int rc = 0;

	RV_GROUP(g, RV_GROUP_FAIL_FAST, rc)
	{
		(void)rv_group_spawn(g, rt_sleep_long, NULL);
		return 4; /* cancels and joins on the way */
	}
	return rc;
}

RT_TEST(group_block_joins_on_every_way_out)
{
	int rc = 0;

	RV_GROUP(g, RV_GROUP_FAIL_FAST, rc)
	{
		(void)rv_group_spawn(g, ordinary, NULL);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_str_eq(rt_trace, "ordinary");
	ck_assert_int_eq(leaves_early(), 4);
	RV_GROUP(g, RV_GROUP_FAIL_FAST, rc)
	{
		(void)rv_group_spawn(g, rt_yield_then_fail, RT_N(EIO));
	}
	ck_assert_int_eq(rc, -EIO);
	return 0;
}

static int says_how_it_slept(void *arg)
{
	int r = rv_sleep(RV_SEC(1));

	rt_add(r < 0 ? "cancelled" : "slept");
	return r;
}

enum way_out { BY_BREAK, BY_CONTINUE, BY_GOTO, BY_ITS_END };

/* the child has begun to sleep by then */
static int leaves_by(enum way_out way)
{
	int rc = 0;

	RV_GROUP(g, RV_GROUP_FAIL_FAST, rc)
	{
		(void)rv_group_spawn(g, says_how_it_slept, NULL);
		rt_settle(1);
		if (way == BY_BREAK)
			break;
		if (way == BY_CONTINUE)
			continue;
		if (way == BY_GOTO)
			goto out;
	}
out:
	return rc;
}

RT_VIRTUAL_TEST(group_block_that_is_broken_out_of_cancels)
{
	ck_assert_int_eq(leaves_by(BY_BREAK), 0);
	ck_assert_int_eq(leaves_by(BY_CONTINUE), 0);
	ck_assert_int_eq(leaves_by(BY_GOTO), 0);
	ck_assert_int_eq(leaves_by(BY_ITS_END), 0);
	ck_assert_str_eq(rt_trace, "cancelled slept cancelled slept");
	return 0;
}

static int deeper(void *depth)
{
	intptr_t n = (intptr_t)depth;
	rv_group g;

	if (n == 0)
		return rv_sleep(RV_SEC(60));
	(void)rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	(void)rv_group_spawn(&g, deeper, RT_N(n - 1));
	return rv_group_exit(&g, 0);
}

RT_TEST(cancel_of_deeply_nested_groups_needs_no_stack)
{
	rv_task *t = rv_spawn(deeper, RT_N(300));

	rt_settle(302); /* each level begins a round after the one above */
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	return 0;
}

static void count_gone(void *n)
{
	++*(int *)n;
}

static int leaves_a_payload(void *n_gone)
{
	rv_task_started(NULL);
	rv_task_return(n_gone, count_gone);
	return 0;
}

/* A server's group lives as long as the server: what each client leaves there adds up. */
RT_TEST(child_that_nobody_can_ask_about_goes_when_it_ends)
{
	rv_task *t;
	rv_group g;
	int n_gone = 0;

	(void)rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	ck_assert_int_eq(
		rv_group_spawn_ex(&g, NULL, leaves_a_payload, &n_gone, NULL), 0);
	rt_settle(2);
	ck_assert_int_eq(n_gone, 1);
	ck_assert_int_eq(rv_group_start(&g, leaves_a_payload, &n_gone, NULL), 0);
	rt_settle(2);
	ck_assert_int_eq(n_gone, 2);
	t = rv_group_spawn(&g, leaves_a_payload, &n_gone);
	rt_settle(2);
	ck_assert(rv_task_done(t));
	ck_assert_int_eq(n_gone, 2); /* t is borrowed until exit */
	ck_assert_int_eq(rv_group_exit(&g, 0), 0);
	ck_assert_int_eq(n_gone, 3);
	return 0;
}

UNIT_MAIN("supervise", supervisor_hears_of_every_failure_and_goes_on,
	supervisor_that_gives_up_fails_the_group,
	supervised_failure_without_supervisor_is_reported,
	collecting_group_runs_all_and_reports_all, group_block_joins_on_every_way_out,
	group_block_that_is_broken_out_of_cancels,
	cancel_of_deeply_nested_groups_needs_no_stack,
	child_that_nobody_can_ask_about_goes_when_it_ends)
