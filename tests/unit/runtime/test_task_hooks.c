/* Hooks that are told of each task that is made, runs and ends. */
#include "rt.h"

static const char *word_of(rv_task *t)
{
	return t ? rv_task_name(t) : "-";
}

static void add(const char *what, rv_task *t)
{
	char text[64];

	ck_assert_ptr_null(rv_task_self());
	ck_assert_int_eq(rv_yield(), -RV_ENOTASK);
	(void)snprintf(text, sizeof(text), "%s%s", what, word_of(t));
	rt_add(text);
}

static void on_spawn(rv_task *t, void *arg)
{
	ck_assert_ptr_eq(arg, rt_trace);
	ck_assert(!rv_task_done(t));
	add("+", t);
}

static void on_switch(rv_task *t, void *arg)
{
	ck_assert_ptr_eq(arg, rt_trace);
	add(t ? "=" : "", t);
}

static void on_exit_of(rv_task *t, void *arg)
{
	ck_assert_ptr_eq(arg, rt_trace);
	add("~", t);
}

static const rv_task_hooks hooks = {on_spawn, on_switch, on_exit_of, rt_trace};

static void set(const rv_task_hooks *h)
{
	ck_assert_int_eq(rv_loop_set_task_hooks(rv_loop_current(), h), 0);
}

static rv_task *spawn(const char *name, rv_fn fn, unsigned flags)
{
	rv_task_opts o = {.name = name, .flags = flags};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, fn, NULL), 0);
	return t;
}

static int step_twice(void *unused)
{
	rt_add("1");
	ck_assert_int_eq(rv_yield(), 0);
	rt_add("2");
	return 0;
}

static void await_and_drop(rv_task *t)
{
	ck_assert_int_eq(rv_task_await(t, NULL), 0);
	rv_task_unref(t);
}

RT_TEST(tasks_are_told_of_when_made_at_each_step_and_at_the_end)
{
	rv_task *a, *b;

	ck_assert_int_eq(rv_task_set_name(rv_task_self(), "main"), 0);
	set(&hooks);
	a = spawn("a", step_twice, 0);
	b = spawn("b", rt_nop, 0);
	await_and_drop(a);
	ck_assert_str_eq(rt_trace, "+a +b =a 1 - =b - ~b =a 2 - ~a =main");
	set(NULL);
	await_and_drop(b);
	rt_trace[0] = '\0';
	await_and_drop(spawn("c", step_twice, 0));
	ck_assert_str_eq(rt_trace, "1 2");
	return 0;
}

RT_TEST(eager_task_is_told_of_before_it_runs)
{
	rv_task *t;

	ck_assert_int_eq(rv_task_set_name(rv_task_self(), "main"), 0);
	set(&hooks);
	t = spawn("a", step_twice, RV_SPAWN_EAGER);
	rt_add("back");
	await_and_drop(t);
	ck_assert_str_eq(rt_trace, "+a =a 1 - =main back - =a 2 - ~a =main");
	return 0;
}

static int never(void *unused)
{
	ck_abort_msg("the body of a task that was cancelled before");
	return 0;
}

RT_TEST(task_without_a_step_has_an_end_only)
{
	rv_task *t;

	ck_assert_int_eq(rv_task_set_name(rv_task_self(), "main"), 0);
	set(&hooks);
	t = spawn("a", never, 0);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	ck_assert_str_eq(rt_trace, "+a ~a =main");
	return 0;
}

static void only_count(rv_task *t, void *n)
{
	++*(int *)n;
}

RT_TEST(members_may_be_left_out_and_debug_mode_goes_on_without_them)
{
	static int n_ended;
	const rv_task_hooks ends = {.on_exit = only_count, .arg = &n_ended};

	set(&ends);
	await_and_drop(spawn("a", step_twice, 0));
	ck_assert_int_eq(n_ended, 1);
	rv_loop_set_debug(rv_loop_current(), true);
	await_and_drop(spawn("b", step_twice, 0));
	set(NULL);
	await_and_drop(spawn("c", step_twice, 0));
	rv_loop_set_debug(rv_loop_current(), false);
	set(&ends);
	await_and_drop(spawn("d", step_twice, 0));
	ck_assert_int_eq(n_ended, 3);
	return 0;
}

static void start_one(void *unused)
{
	rt_catch_reports();
	set(&hooks);
	rv_task_unref(spawn("parked", rt_sleep_long, 0));
}

static void start_another(void *unused)
{
	rv_task_unref(spawn("new", never, 0));
}

START_TEST(closing_a_loop_ends_what_it_gives_up)
{
	rv_loop *l = rt_new_loop();

	ck_assert(rv_call_soon(l, start_one, NULL).p);
	rt_spin_once(l);
	rt_spin_once(l);
	ck_assert(rv_call_soon(l, start_another, NULL).p);
	rt_spin_once(l);
	ck_assert_str_eq(rt_trace, "+parked =parked - +new");
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_str_eq(rt_trace, "+parked =parked - +new ~parked ~new");
	ck_assert_int_eq(rv_loop_set_task_hooks(l, &hooks), -RV_ELOOPCLOSED);
	rv_loop_unref(l);
}
END_TEST

UNIT_MAIN("task_hooks", tasks_are_told_of_when_made_at_each_step_and_at_the_end,
	eager_task_is_told_of_before_it_runs, task_without_a_step_has_an_end_only,
	members_may_be_left_out_and_debug_mode_goes_on_without_them,
	closing_a_loop_ends_what_it_gives_up)
