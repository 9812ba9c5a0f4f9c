/* Dumps: what each task waits for, and who will end the wait. */
#include "dump_test.h"

#include <sys/socket.h>

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
	rv_task *goal = rt_spawn_named("goal", sleep_here, NULL), *ts[8];
	rv_future *of_goal = rv_task_future(goal), *promise, *shield;
	rv_future *both[2];
	char *dump;

	ck_assert_int_eq(rv_future_new(&promise, NULL), 0);
	ck_assert_int_eq(rv_future_shield(of_goal, &shield), 0);
	both[0] = shield;
	both[1] = promise;
	ts[0] = rt_spawn_named("joins", join_it, goal);
	ts[7] = rt_spawn_named("awaits", await_it, goal);
	ts[1] = rt_spawn_named("limits", await_at_most, goal);
	ts[2] = rt_spawn_named("future", await_future, of_goal);
	ts[3] = rt_spawn_named("shielded", await_future, shield);
	ts[4] = rt_spawn_named("promised", await_future, promise);
	ts[5] = rt_spawn_named("gathers", gather_two, both);
	ts[6] = rt_spawn_named("waits", wait_two, both);
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
	t = rt_spawn_named("many", gather_many, fs);
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
	holder = rt_spawn_named("holder", hold_until, a);
	waiter = rt_spawn_named("waiter", take_and_end, &l);
	rt_settle(1);
	has(dump_text(), "waiter", "waiting: lock ");
	has(dump_text(), "waiter", ", owner: task ");
	has(dump_text(), "waiter", "'holder'");
	rv_event_set(&e);
	ck_assert_int_eq(rv_task_join(holder, NULL), 0);
	ck_assert_int_eq(rv_task_join(waiter, NULL), 0);
	rv_task_unref(holder);
	rv_task_unref(waiter); /* ended with the lock, and is gone */
	waiter = rt_spawn_named("late", take_and_end, &l);
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
	ts[0] = rt_spawn_named("getter", get_one, empty);
	ts[1] = rt_spawn_named("putter", put_one, full);
	ts[2] = rt_spawn_named("reader", read_one, s);
	ts[3] = rt_spawn_named("acquirer", acquire_one, &sem);
	ts[4] = rt_spawn_named("watcher", watch_fd, &p[0]);
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

UNIT_MAIN("debug_graph",
	graph_names_the_task_that_is_awaited_through_futures_and_shields,
	gather_of_many_names_some_and_counts_the_rest,
	graph_names_the_owner_of_a_lock_while_that_lives,
	graph_shows_queues_streams_semaphores_and_descriptors)
