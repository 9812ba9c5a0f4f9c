/* Dumps: the tree of tasks, what each waits for and where, the census of stacks. */
#include "debug_test.h"

#include <sys/socket.h>

enum { DEEP = 100 * 1024 };

/* where a task stands, by name: not inlined, and not a tail call */
#define PLACE __attribute__((noinline)) static

static rv_task *spawn_named(const char *name, rv_fn fn, void *arg)
{
	rv_task_opts o = {.name = name};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, fn, arg), 0);
	return t;
}

/* The line of the task with that name, up to its end. */
static const char *line_of(const char *dump, const char *name)
{
	static char line[1024];
	char quoted[64];
	const char *p, *end;

	(void)snprintf(quoted, sizeof(quoted), " '%s' ", name);
	p = strstr(dump, quoted);
	ck_assert_msg(p, "%s is not in: %s", name, dump);
	while (p > dump && p[-1] != '\n')
		p--;
	end = strchr(p, '\n');
	ck_assert_uint_lt((size_t)(end - p), sizeof(line));
	memcpy(line, p, (size_t)(end - p));
	line[end - p] = '\0';
	return line;
}

/* The dump's line of that task has that text. */
static void has(const char *dump, const char *name, const char *text)
{
	const char *line = line_of(dump, name);

	ck_assert_msg(strstr(line, text), "'%s' is not in: %s", text, line);
}

/* Below the line of that task, before the next one's, a frame has that text. */
static void has_frame(const char *dump, const char *name, const char *text)
{
	char quoted[64];
	const char *p, *found;

	(void)snprintf(quoted, sizeof(quoted), " '%s' ", name);
	p = strstr(dump, quoted);
	ck_assert_ptr_nonnull(p);
	p = strchr(p, '\n');
	found = strstr(p, text);
	ck_assert_msg(found, "no frame of %s has '%s': %s", name, text, dump);
	for (; p < found; p++)
		if (*p == '\n')
			ck_assert_msg(
				strncmp(p + 1 + strspn(p + 1, " "), "at ", 3) == 0 ||
					strncmp(p + 1 + strspn(p + 1, " "), "in ", 3) ==
						0,
				"not a frame of %s: %s", name, p);
}

static void end(rv_task *t)
{
	(void)rv_task_cancel(t);
	ck_assert_int_ne(rv_task_join(t, NULL), -RV_ESTATE);
	rv_task_unref(t);
}

static char *object(const void *p)
{
	static char text[2][32];
	static unsigned i;

	i = (i + 1) % 2;
	(void)snprintf(text[i], sizeof(text[i]), "%p", p);
	return text[i];
}

static int sleep_here(void *arg)
{
	RETURN(rv_sleep(RV_SEC(60)));
}

/* -- names, states, places --------------------------------------------------------- */

RT_TEST(b068_default_names_are_unique_and_explicit_ones_are_kept_in_dumps)
{
	rv_task *a = rv_spawn(sleep_here, NULL), *b = rv_spawn(sleep_here, NULL);
	rv_task *c = spawn_named("explicit", sleep_here, NULL);
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
	t = spawn_named("parked", around_it, &e);
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
	rv_task *t = spawn_named("one", sleep_here, NULL);

	rt_settle(1);
	rv_task_print(t, fd);
	scratch_read(fd, text, sizeof(text));
	has(text, "one", "waiting: sleep");
	has_frame(text, "one", "in rv_sleep (");
	has_frame(text, "one", "at sleep_here (");
	ck_assert_ptr_null(strstr(text, "'main'"));
	end(t);
	fd = scratch_open();
	t = spawn_named("itself", print_to, &fd);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_print(t, fd); /* ended: nothing */
	scratch_read(fd, text, sizeof(text));
	has(text, "itself", "running");
	has_frame(text, "itself", "at print_to (");
	rv_task_unref(t);
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
	t = spawn_named("traced", around_it, &e);
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

/* -- who will end the wait --------------------------------------------------------- */

static int join_it(void *t)
{
	RETURN(rv_task_join(t, NULL));
}

static int await_it(void *t)
{
	RETURN(rv_task_await(t, NULL));
}

static int await_at_most(void *t)
{
	RETURN(rv_wait_for_task(t, RV_SEC(60), NULL));
}

static int await_future(void *f)
{
	RETURN(rv_future_await(f, NULL));
}

static int gather_two(void *fs)
{
	RETURN(rv_gather(fs, 2, 0, NULL));
}

static int wait_two(void *fs)
{
	RETURN(rv_wait(fs, 2, RV_WAIT_ALL, RV_FOREVER, NULL));
}

RT_TEST(graph_names_the_task_that_is_awaited_through_futures_and_shields)
{
	rv_task *goal = spawn_named("goal", sleep_here, NULL), *ts[8];
	rv_future *of_goal = rv_task_future(goal), *promise, *shield;
	rv_future *both[2];
	char *dump;

	ck_assert_int_eq(rv_future_new(&promise, NULL), 0);
	ck_assert_int_eq(rv_future_shield(of_goal, &shield), 0);
	both[0] = shield;
	both[1] = promise;
	ts[0] = spawn_named("joins", join_it, goal);
	ts[7] = spawn_named("awaits", await_it, goal);
	ts[1] = spawn_named("limits", await_at_most, goal);
	ts[2] = spawn_named("future", await_future, of_goal);
	ts[3] = spawn_named("shielded", await_future, shield);
	ts[4] = spawn_named("promised", await_future, promise);
	ts[5] = spawn_named("gathers", gather_two, both);
	ts[6] = spawn_named("waits", wait_two, both);
	rt_settle(1);
	dump = dump_text();
	has(dump, "joins", "join task");
	has(dump, "joins", "'goal'");
	has(dump, "awaits", "await task");
	has(dump, "awaits", "'goal'");
	has(dump, "limits", "wait for task");
	has(dump, "limits", "'goal'");
	has(dump, "future", ": task ");
	has(dump, "future", "'goal'");
	has(dump, "shielded", ", shielded: task ");
	has(dump, "shielded", "'goal'");
	has(dump, "promised", object(promise));
	ck_assert_ptr_null(strstr(line_of(dump, "promised"), "'goal'"));
	has(dump, "gathers", "2 of 2 are not done: future ");
	has(dump, "gathers", ", shielded: task ");
	has(dump, "gathers", object(promise));
	has(dump, "waits", "2 of 2 are not done");
	has_frame(dump, "gathers", "in rv_gather (");
	has_frame(dump, "gathers", "at gather_two (");

	ck_assert_int_eq(rv_future_set(promise, NULL, NULL), 0);
	rt_settle(1);
	dump = dump_text();
	has(dump, "gathers", "1 of 2 are not done");
	ck_assert_ptr_null(strstr(line_of(dump, "gathers"), object(promise)));
	ck_assert(rv_task_cancel(goal));
	for (size_t i = 0; i < 8; i++)
		end(ts[i]);
	rv_future_unref(shield);
	rv_future_unref(promise);
	end(goal);
	return 0;
}

enum { MANY = 20 };

static int gather_many(void *fs)
{
	RETURN(rv_gather(fs, MANY, 0, NULL));
}

RT_TEST(gather_of_many_names_some_and_counts_the_rest)
{
	rv_future *fs[MANY];
	rv_task *t;

	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(rv_future_new(&fs[i], NULL), 0);
	t = spawn_named("many", gather_many, fs);
	rt_settle(1);
	has(dump_text(), "many", "20 of 20 are not done: future ");
	has(dump_text(), "many", "; and 12 more");
	end(t);
	for (int i = 0; i < MANY; i++)
		rv_future_unref(fs[i]);
	return 0;
}

static int hold_until(void *arg)
{
	void **a = arg; /* lock, event */
	int r = rv_lock_acquire(a[0]);

	if (r < 0)
		return r;
	r = rv_event_wait(a[1]);
	ck_assert_int_eq(rv_lock_release(a[0]), 0);
	return r;
}

static int take_and_end(void *lock)
{
	RETURN(rv_lock_acquire(lock));
}

RT_TEST(graph_names_the_owner_of_a_lock_while_that_lives)
{
	rv_task *holder, *waiter;
	rv_event e;
	rv_lock l;
	void *a[] = {&l, &e};

	rv_lock_init(&l);
	rv_event_init(&e);
	holder = spawn_named("holder", hold_until, a);
	waiter = spawn_named("waiter", take_and_end, &l);
	rt_settle(1);
	has(dump_text(), "waiter", "waiting: lock ");
	has(dump_text(), "waiter", ", owner: task ");
	has(dump_text(), "waiter", "'holder'");
	rv_event_set(&e);
	ck_assert_int_eq(rv_task_join(holder, NULL), 0);
	ck_assert_int_eq(rv_task_join(waiter, NULL), 0);
	rv_task_unref(holder);
	rv_task_unref(waiter); /* ended with the lock, and is gone */
	waiter = spawn_named("late", take_and_end, &l);
	rt_settle(1);
	has(dump_text(), "late", "waiting: lock ");
	ck_assert_ptr_null(strstr(line_of(dump_text(), "late"), "owner"));
	end(waiter);
	return 0;
}

static int get_one(void *q)
{
	void *item;

	RETURN(rv_queue_get(q, &item));
}

static int put_one(void *q)
{
	RETURN(rv_queue_put(q, q));
}

static int read_one(void *s)
{
	char c;

	RETURN((int)rv_stream_read(s, &c, 1));
}

static int acquire_one(void *s)
{
	RETURN(rv_sem_acquire(s));
}

static int watch_fd(void *fd)
{
	RETURN(rv_wait_fd(*(int *)fd, RV_READ));
}

RT_TEST(graph_shows_queues_streams_semaphores_and_descriptors)
{
	rv_queue *empty, *full;
	rv_stream *s;
	rv_sem sem;
	rv_task *ts[5];
	char text[32], *dump;
	int fds[2], p[2];

	ck_assert_int_eq(rv_queue_new(&empty, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
	ck_assert_int_eq(rv_queue_new(&full, RV_QUEUE_FIFO, 1, NULL, NULL), 0);
	ck_assert_int_eq(rv_queue_put(full, full), 0);
	ck_assert_int_eq(rv_sem_init(&sem, 0, 0), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(rv_stream_open_fd(fds[0], &s), 0);
	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ts[0] = spawn_named("getter", get_one, empty);
	ts[1] = spawn_named("putter", put_one, full);
	ts[2] = spawn_named("reader", read_one, s);
	ts[3] = spawn_named("acquirer", acquire_one, &sem);
	ts[4] = spawn_named("watcher", watch_fd, &p[0]);
	rt_settle(1);
	dump = dump_text();
	has(dump, "getter", "queue get ");
	has(dump, "getter", "with 0 items");
	has(dump, "putter", "queue put ");
	has(dump, "putter", "with 1 items, full");
	has(dump, "reader", "data of a stream ");
	(void)snprintf(text, sizeof(text), " on fd %d", fds[0]);
	has(dump, "reader", text);
	has(dump, "acquirer", "with 0 permits");
	(void)snprintf(text, sizeof(text), "waiting: fd %d", p[0]);
	has(dump, "watcher", text);
	for (size_t i = 0; i < 5; i++)
		end(ts[i]);
	rv_queue_free(empty);
	rv_queue_free(full);
	rv_stream_close(s);
	ck_assert_int_eq(rv_stream_wait_closed(s), 0);
	rv_stream_unref(s);
	close(fds[1]);
	close(p[0]);
	close(p[1]);
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
	t = spawn_named("t", branch, (void *)2);
	other = spawn_named("other", sleep_here, NULL);
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
	t = spawn_named("chain", chain, (void *)DEPTH);
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
	rv_task *a = spawn_named("limited", limited, NULL);
	rv_task *b = spawn_named("shielded", shielded, NULL);
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
	rv_task *t = spawn_named("sleeper", sleep_here, NULL);
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
	t = spawn_named("consumer", consume, &e);
	rt_settle(1);
	dump = dump_text();
	has(dump, "consumer", "waiting: event ");
	has_frame(dump, "consumer", "at generate (");
	end(t);
	return 0;
}

/* -- stacks ------------------------------------------------------------------------ */

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
	t = spawn_named("full", nearly_full, &e);
	rt_settle(1);
	ck_assert_int_eq(rv_task_backtrace(t, &pc, 1), 0);
	has(dump_text(), "full", "waiting: event ");
	rv_event_set(&e);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	return 0;
}

UNIT_MAIN("debug_dump",
	b068_default_names_are_unique_and_explicit_ones_are_kept_in_dumps,
	parked_task_shows_where_it_waits_and_goes_on_unharmed,
	spawned_in_is_shown_in_debug_mode, one_task_is_printed_the_running_one_too,
	backtrace_has_the_return_address_into_the_caller,
	graph_names_the_task_that_is_awaited_through_futures_and_shields,
	gather_of_many_names_some_and_counts_the_rest,
	graph_names_the_owner_of_a_lock_while_that_lives,
	graph_shows_queues_streams_semaphores_and_descriptors,
	tree_has_children_below_their_parents_in_order,
	tree_of_any_depth_is_dumped_without_recursion,
	deadlines_shields_and_cancelling_are_shown,
	dump_works_in_callbacks_and_in_the_handler_of_a_task_s_report,
	task_that_waits_in_a_generator_shows_its_body,
	census_counts_stacks_and_their_deepest_use, census_has_an_element_for_each_size,
	nearly_full_stack_is_left_alone)
