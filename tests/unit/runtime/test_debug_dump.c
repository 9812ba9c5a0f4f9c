/* Dumps: names, states and places of tasks, and the tree of them. */
#include "dump_test.h"

/* -- names, states, places --------------------------------------------------------- */

RT_TEST(b068_default_names_are_unique_and_explicit_ones_are_kept_in_dumps)
{
	rv_task *a = rv_spawn(sleep_here, NULL), *b = rv_spawn(sleep_here, NULL);
	rv_task *c = rt_spawn_named("explicit", sleep_here, NULL);
	char *dump;

	rt_settle(1);
	ck_assert_str_ne(rv_task_name(a), rv_task_name(b));
	ck_assert_int_eq(strncmp(rv_task_name(a), "Task-", 5), 0);
	dump = dump_text();
	has(dump, rv_task_name(a), "waiting: sleep");
	has(dump, rv_task_name(b), "waiting: sleep");
	has(dump, "explicit", "waiting: sleep");
	has(dump, "main", "running");
	ck_assert_int_eq(rv_task_set_name(c, "renamed"), 0);
	has(dump_text(), "renamed", "waiting: sleep");
	end(a);
	end(b);
	end(c);
	return 0;
}

PLACE int innermost(rv_event *e)
{
	int r = rv_event_wait(e);

	rt_add(r == 0 ? "woken" : "cancelled");
	return r;
}

PLACE int around_it(void *e)
{
	int r = innermost(e);

	rt_add("body");
	return r;
}

RT_TEST(parked_task_shows_where_it_waits_and_goes_on_unharmed)
{
	rv_event e;
	rv_task *t;
	char *dump;

	rv_event_init(&e);
	t = rt_spawn_named("parked", around_it, &e);
	dump = dump_text();
	has(dump, "parked", "new");
	has(dump, "parked", ", body around_it (");
	rt_settle(1);
	for (int i = 0; i < 3; i++) { /* looking changes nothing */
		dump = dump_text();
		has(dump, "parked", "waiting: event ");
		has(dump, "parked", object(&e));
		has_frame(dump, "parked", "in rv_event_wait (");
		has_frame(dump, "parked", "at innermost (");
		has_frame(dump, "parked", "in around_it (");
	}
	rv_event_set(&e);
	dump = dump_text();
	has(dump, "parked", "ready");
	has_frame(dump, "parked", "at innermost (");
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	ck_assert_str_eq(rt_trace, "woken body");
	return 0;
}

RT_TEST(spawned_in_is_shown_in_debug_mode)
{
	rv_task *t;

	rv_loop_set_debug(rv_loop_current(), true);
	t = rv_spawn(sleep_here, NULL);
	rt_settle(1);
	has(dump_text(), rv_task_name(t), ", spawned in spawned_in_is_shown");
	end(t);
	return 0;
}

static int print_to(void *fd)
{
	rv_task_print(rv_task_self(), *(int *)fd);
	return 0;
}

RT_TEST(one_task_is_printed_the_running_one_too)
{
	char text[8192];
	int fd = scratch_open();
	rv_task *t = rt_spawn_named("one", sleep_here, NULL);

	rt_settle(1);
	rv_task_print(t, fd);
	scratch_read(fd, text, sizeof(text));
	has(text, "one", "waiting: sleep");
	has_frame(text, "one", "in rv_sleep (");
	has_frame(text, "one", "at sleep_here (");
	ck_assert_ptr_null(strstr(text, "'main'"));
	end(t);
	fd = scratch_open();
	t = rt_spawn_named("itself", print_to, &fd);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_print(t, fd); /* ended: nothing */
	scratch_read(fd, text, sizeof(text));
	has(text, "itself", "running");
	has_frame(text, "itself", "at print_to (");
	rv_task_unref(t);
	return 0;
}

/* as a compiler names what it has split off from a function, and Rust a function */
int sleep_split(void *arg) __asm__("sleep_split.part.7");
int sleep_twice(void *arg) __asm__("sleep..in..parts.cold");

__attribute__((noinline)) int sleep_split(void *arg)
{
	RETURN(rv_sleep(RV_SEC(60)));
}

__attribute__((noinline)) int sleep_twice(void *arg)
{
	RETURN(sleep_split(arg));
}

RT_TEST(parts_of_functions_have_their_names)
{
	rv_task *t = rt_spawn_named("parts", sleep_twice, NULL);
	const char *dump;

	rt_settle(1);
	dump = dump_text();
	has_frame(dump, "parts", "at sleep_split (");
	has_frame(dump, "parts", "in sleep..in..parts (");
	/* nor does the dump go further down than the task's own */
	ck_assert_ptr_null(strstr(dump, "in task_run"));
	ck_assert_ptr_null(strstr(dump, "in task_coro_entry"));
	end(t);
	return 0;
}

RT_TEST(backtrace_has_the_return_address_into_the_caller)
{
	void *pcs[64], *few[2];
	bool found = false;
	rv_event e;
	rv_task *t;
	int n;

	rv_event_init(&e);
	t = rt_spawn_named("traced", around_it, &e);
	ck_assert_int_eq(rv_task_backtrace(t, pcs, 64), 0); /* not begun */
	rt_settle(1);
	n = rv_task_backtrace(t, pcs, 64);
	ck_assert_int_gt(n, 4);
	for (int i = 0; i < n; i++)
		found |= (char *)pcs[i] > (char *)(uintptr_t)innermost &&
			 (char *)pcs[i] < (char *)(uintptr_t)innermost + 4096;
	ck_assert(found);
	ck_assert_int_eq(rv_task_backtrace(t, few, 2), 2);
	ck_assert_ptr_eq(few[0], pcs[0]);
	end(t);
	n = rv_task_backtrace(rv_task_self(), pcs, 64);
	ck_assert_int_gt(n, 2);
	return 0;
}

/* -- the tree ---------------------------------------------------------------------- */

static rv_event tree_up;
static int n_in_tree;

/* a group with two children, so deep */
static int branch(void *depth)
{
	intptr_t d = (intptr_t)depth;
	char name[32];
	rv_group g;
	int r;

	n_in_tree++;
	if (d == 0)
		RETURN(rv_event_wait(&tree_up));
	r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	for (int i = 0; i < 2 && r == 0; i++) {
		rv_task_opts o = {.name = name};

		(void)snprintf(
			name, sizeof(name), "%s%d", rv_task_name(rv_task_self()), i);
		r = rv_group_spawn_ex(&g, &o, branch, (void *)(d - 1), NULL);
	}
	RETURN(rv_group_exit(&g, r));
}

static size_t indent_of(const char *dump, const char *name)
{
	return strspn(line_of(dump, name), " ");
}

RT_TEST(tree_has_children_below_their_parents_in_order)
{
	static const char *const order[] = {
		"t", "t0", "t00", "t01", "t1", "t10", "t11"};
	rv_task *t, *other;
	const char *dump, *at;

	rv_event_init(&tree_up);
	t = rt_spawn_named("t", branch, (void *)2);
	other = rt_spawn_named("other", sleep_here, NULL);
	rt_settle(3);
	dump = at = dump_text();
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		char quoted[16];

		(void)snprintf(quoted, sizeof(quoted), " '%s' w", order[i]);
		at = strstr(at, quoted);
		ck_assert_msg(at, "%s stands elsewhere: %s", order[i], dump);
		ck_assert_uint_eq(
			indent_of(dump, order[i]), 2 * (strlen(order[i]) - 1));
	}
	ck_assert_ptr_nonnull(strstr(at, " 'other' "));
	ck_assert_uint_eq(indent_of(dump, "other"), 0);
	has(dump, "t", "group exit");
	has(dump, "t", "with 2 children and 0 services");
	has(dump, "t0", ", child of 't'");
	has(dump, "t11", ", child of 't1'");
	has_frame(dump, "t1", "in rv_group_exit (");
	has_frame(dump, "t1", "at branch (");
	rv_event_set(&tree_up);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	end(other);
	return 0;
}

/* each is the only child of the one before */
static int chain(void *left)
{
	intptr_t n = (intptr_t)left;
	rv_group g;
	int r;

	n_in_tree++;
	if (n == 0)
		RETURN(rv_event_wait(&tree_up));
	r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	if (r == 0 && !rv_group_spawn(&g, chain, (void *)(n - 1)))
		r = -errno;
	RETURN(rv_group_exit(&g, r));
}

RT_TEST(tree_of_any_depth_is_dumped_without_recursion)
{
	enum { DEPTH = 300 };
	rv_task *t;
	int n = 0;

	rv_event_init(&tree_up);
	n_in_tree = 0;
	t = rt_spawn_named("chain", chain, (void *)DEPTH);
	while (n_in_tree <= DEPTH)
		rt_settle(1);
	for (const char *p = dump_text(); (p = strstr(p, ", child of ")); p++)
		n++;
	ck_assert_int_eq(n, DEPTH);
	rv_event_set(&tree_up);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	return 0;
}

static int limited(void *arg)
{
	RETURN(rv_wait_for(sleep_here, NULL, RV_SEC(30)));
}

static int shielded(void *arg)
{
	rv_scope s;

	(void)rv_shield(&s, RV_SEC(60));
	return rv_scope_exit(&s, rv_event_wait(&tree_up));
}

RT_TEST(deadlines_shields_and_cancelling_are_shown)
{
	rv_task *a = rt_spawn_named("limited", limited, NULL);
	rv_task *b = rt_spawn_named("shielded", shielded, NULL);
	char *dump;

	rv_event_init(&tree_up);
	rt_settle(1);
	dump = dump_text();
	has(dump, "limited", ", deadline in ");
	has_frame(dump, "limited", "at sleep_here (");
	has_frame(dump, "limited", "in rv_wait_for (");
	has_frame(dump, "limited", "in limited (");
	has(dump, "shielded", ", shielded");
	ck_assert(rv_task_cancel(b));
	rt_settle(1);
	has(dump_text(), "shielded", ": event ");
	rv_event_set(&tree_up);
	ck_assert_int_eq(rv_task_join(b, NULL), 0);
	rv_task_unref(b);
	end(a);
	return 0;
}

/* -- looking from odd places ------------------------------------------------------- */

static void dump_in_callback(void *out)
{
	*(char **)out = dump_text();
}

static void dump_in_handler(rv_loop *l, const rv_exc *e, void *out)
{
	*(char **)out = dump_text();
}

RT_TEST(dump_works_in_callbacks_and_in_the_handler_of_a_task_s_report)
{
	rv_task *t = rt_spawn_named("sleeper", sleep_here, NULL);
	rv_exc e = RV_EXC_NULL;
	char *dump = NULL;

	rt_settle(1);
	(void)rv_call_soon(rv_loop_current(), dump_in_callback, &dump);
	rt_settle(2);
	ck_assert_ptr_nonnull(dump);
	has(dump, "sleeper", "waiting: sleep");
	has(dump, "main", "ready");
	dump = NULL;
	/* here current task is hidden, and its stack is the one in use */
	rv_loop_set_exception_handler(rv_loop_current(), dump_in_handler, &dump);
	e.message = "look";
	rv_report(rv_loop_current(), &e);
	ck_assert_ptr_nonnull(dump);
	has(dump, "sleeper", "waiting: sleep");
	has_frame(dump, "sleeper", "at sleep_here (");
	end(t);
	return 0;
}

static int generate(rv_gen *g, void *e)
{
	int r = rv_gen_yield(g, NULL);

	RETURN(r < 0 ? r : rv_event_wait(e));
}

static int consume(void *e)
{
	rv_gen *g;
	void *v;
	int r = rv_gen_new(&g, generate, e, NULL);

	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	r = rv_gen_next(g, &v);
	(void)rv_gen_close(g);
	RETURN(r);
}

RT_TEST(task_that_waits_in_a_generator_shows_its_body)
{
	rv_event e;
	rv_task *t;
	char *dump;

	rv_event_init(&e);
	t = rt_spawn_named("consumer", consume, &e);
	rt_settle(1);
	dump = dump_text();
	has(dump, "consumer", "waiting: event ");
	has_frame(dump, "consumer", "at generate (");
	end(t);
	return 0;
}

UNIT_MAIN("debug_dump",
	b068_default_names_are_unique_and_explicit_ones_are_kept_in_dumps,
	parked_task_shows_where_it_waits_and_goes_on_unharmed,
	spawned_in_is_shown_in_debug_mode, one_task_is_printed_the_running_one_too,
	parts_of_functions_have_their_names,
	backtrace_has_the_return_address_into_the_caller,
	tree_has_children_below_their_parents_in_order,
	tree_of_any_depth_is_dumped_without_recursion,
	deadlines_shields_and_cancelling_are_shown,
	dump_works_in_callbacks_and_in_the_handler_of_a_task_s_report,
	task_that_waits_in_a_generator_shows_its_body)
