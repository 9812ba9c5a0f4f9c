/* Locks, events and queues: behaviours 2.7 and 2.8. */
#include "rt.h"

#include "base/macro.h"

struct shared {
	rv_lock lock;
	rv_event event;
	rv_queue *queue;
	int inside;
};

static int locked_say(void *arg)
{
	struct shared *s = arg;
	int r = rv_lock_acquire(&s->lock);

	if (r < 0)
		return r;
	ck_assert_int_eq(s->inside++, 0);
	rt_add(rv_task_name(rv_task_self()));
	rt_settle(1);
	s->inside--;
	ck_assert_int_eq(rv_lock_release(&s->lock), 0);
	return 0;
}

static rv_task *spawn_named(const char *name, rv_fn fn, void *arg)
{
	rv_task_opts o = {.name = name};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, fn, arg), 0);
	return t;
}

static void join_all(rv_task **t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = rv_task_join(t[i], NULL);

		ck_assert(r >= 0 || r == -ECANCELED);
		rv_task_unref(t[i]);
	}
}

RT_TEST(b126_lock_goes_to_waiters_in_order_and_nobody_barges)
{
	struct shared s = {0};
	rv_task *t[3];

	rv_lock_init(&s.lock);
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	t[0] = spawn_named("a", locked_say, &s);
	t[1] = spawn_named("b", locked_say, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	ck_assert(!rv_lock_try(&s.lock)); /* it is a's already */
	ck_assert(rv_lock_held(&s.lock));
	t[2] = spawn_named("c", locked_say, &s);
	join_all(t, 3);
	ck_assert_str_eq(rt_trace, "a b c");
	ck_assert(!rv_lock_held(&s.lock));
	return 0;
}

RT_TEST(b127_lock_of_a_waiter_cancelled_after_the_hand_over_has_one_owner)
{
	struct shared s = {0};
	rv_task *t[2];

	rv_lock_init(&s.lock);
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	t[0] = spawn_named("a", locked_say, &s);
	t[1] = spawn_named("b", locked_say, &s);
	rt_settle(1);
	/* cancelled first: it is b's turn */
	ck_assert(rv_task_cancel(t[0]));
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	join_all(t, 2);
	ck_assert_str_eq(rt_trace, "b");
	ck_assert(!rv_lock_held(&s.lock));
	return 0;
}

static int locked_once(void *arg)
{
	struct shared *s = arg;
	int r = rv_lock_acquire(&s->lock);

	ck_assert_int_eq(r, 0); /* it had the lock when the cancel came */
	ck_assert_int_eq(rv_yield(), -ECANCELED);
	ck_assert_int_eq(rv_lock_release(&s->lock), 0);
	return -ECANCELED;
}

RT_TEST(b127_waiter_that_has_the_lock_already_keeps_it_when_cancelled)
{
	struct shared s = {0};
	rv_task *t[2];

	rv_lock_init(&s.lock);
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	t[0] = spawn_named("a", locked_once, &s);
	t[1] = spawn_named("b", locked_say, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	ck_assert(rv_task_cancel(t[0]));
	join_all(t, 2);
	ck_assert_str_eq(rt_trace, "b");
	return 0;
}

RT_TEST(b129_releasing_an_unlocked_lock_is_an_error)
{
	rv_lock l;

	rv_lock_init(&l);
	ck_assert_int_eq(rv_lock_release(&l), -RV_ESTATE);
	ck_assert(rv_lock_try(&l));
	ck_assert_int_eq(rv_lock_release(&l), 0);
	return 0;
}

static int release(void *lock)
{
	return rv_lock_release(lock);
}

RT_TEST(lock_released_by_another_is_reported_in_debug_mode)
{
	rv_task *t;
	rv_lock l;

	rt_catch_reports();
	rv_lock_init(&l);
	for (int debug = 0; debug < 2; debug++) {
		rv_loop_set_debug(rv_loop_current(), debug);
		ck_assert_int_eq(rv_lock_acquire(&l), 0);
		t = rv_spawn(release, &l);
		ck_assert_int_eq(rv_task_join(t, NULL), 0);
		rv_task_unref(t);
		ck_assert(!rv_lock_held(&l));
		ck_assert_uint_eq(rt_reported.n, (unsigned)debug);
	}
	ck_assert_int_eq(rv_lock_acquire(&l), 0);
	ck_assert_int_eq(rv_lock_release(&l), 0);
	ck_assert_uint_eq(rt_reported.n, 1);
	return 0;
}

static int event_say(void *arg)
{
	int r = rv_event_wait(&((struct shared *)arg)->event);

	if (r == 0)
		rt_add(rv_task_name(rv_task_self()));
	return r;
}

RT_TEST(b130_event_that_is_set_and_cleared_wakes_all_its_waiters)
{
	struct shared s = {0};
	rv_task *t[3];

	rv_event_init(&s.event);
	t[0] = spawn_named("a", event_say, &s);
	t[1] = spawn_named("b", event_say, &s);
	t[2] = spawn_named("c", event_say, &s);
	rt_settle(1);
	rv_event_set(&s.event);
	rv_event_clear(&s.event);
	join_all(t, 3);
	ck_assert_str_eq(rt_trace, "a b c");
	ck_assert(!rv_event_is_set(&s.event));
	return 0;
}

RT_TEST(b131_cancelled_event_waiter_leaves_the_list)
{
	struct shared s = {0};
	rv_task *t[1];

	rv_event_init(&s.event);
	t[0] = spawn_named("a", event_say, &s);
	rt_settle(1);
	ck_assert(rv_task_cancel(t[0]));
	ck_assert_ptr_eq(s.event.waiters.next, &s.event.waiters);
	join_all(t, 1);
	rv_event_set(&s.event);
	ck_assert_int_eq(rv_event_wait(&s.event), 0);
	ck_assert_str_eq(rt_trace, "");
	return 0;
}

/* -- queues --------------------------------------------------------------------------
 */

static int get_say(void *q)
{
	void *item;
	int r = rv_queue_get(q, &item);

	if (r == 0)
		rt_add(item);
	return r;
}

static int put_word(void *arg)
{
	return rv_queue_put(((struct shared *)arg)->queue,
		(void *)(uintptr_t)rv_task_name(rv_task_self()));
}

static rv_queue *fifo(size_t max)
{
	rv_queue *q;

	ck_assert_int_eq(rv_queue_new(&q, RV_QUEUE_FIFO, max, NULL, NULL), 0);
	return q;
}

RT_TEST(b146_put_wakes_exactly_one_getter)
{
	rv_queue *q = fifo(0);
	rv_task *t[2] = {rv_spawn(get_say, q), rv_spawn(get_say, q)};

	rt_settle(1);
	ck_assert_int_eq(rv_queue_put(q, RT_W("a")), 0);
	rt_settle(2);
	ck_assert_str_eq(rt_trace, "a");
	ck_assert(rv_task_done(t[0]));
	ck_assert(!rv_task_done(t[1]));
	ck_assert(rv_task_cancel(t[1]));
	join_all(t, 2);
	rv_queue_free(q);
	return 0;
}

RT_TEST(b147_put_on_a_full_queue_waits_for_a_get)
{
	struct shared s = {.queue = fifo(1)};
	rv_task *t[2];
	void *item;

	t[0] = spawn_named("a", put_word, &s);
	t[1] = spawn_named("b", put_word, &s);
	rt_settle(1);
	ck_assert(rv_queue_full(s.queue));
	ck_assert(!rv_task_done(t[1]));
	ck_assert_int_eq(rv_queue_get(s.queue, &item), 0);
	ck_assert_str_eq(item, "a");
	rt_settle(1);
	ck_assert(rv_task_done(t[1]));
	ck_assert_int_eq(rv_queue_get(s.queue, &item), 0);
	ck_assert_str_eq(item, "b");
	join_all(t, 2);
	rv_queue_free(s.queue);
	return 0;
}

RT_TEST(b147_queue_without_limit_keeps_order_while_it_grows)
{
	rv_queue *q = fifo(0);
	void *item;

	for (uintptr_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(rv_queue_try_put(q, (void *)(i * 2)), 0);
		ck_assert_int_eq(rv_queue_try_put(q, (void *)(i * 2 + 1)), 0);
		ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
		ck_assert_uint_eq((uintptr_t)item, i);
	}
	ck_assert_uint_eq(rv_queue_size(q), 1000);
	rv_queue_free(q);
	return 0;
}

RT_TEST(b148_item_of_a_getter_cancelled_before_it_ran_is_not_lost)
{
	rv_queue *q = fifo(0);
	rv_task *t[2] = {rv_spawn(get_say, q), rv_spawn(get_say, q)};

	rt_settle(1);
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("a")), 0);
	ck_assert(rv_task_cancel(t[0])); /* it has the item already */
	ck_assert(rv_task_cancel(t[1])); /* and this one leaves no trace */
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("b")), 0);
	join_all(t, 2);
	ck_assert_str_eq(rt_trace, "a");
	ck_assert_uint_eq(rv_queue_size(q), 1);
	rv_queue_free(q);
	return 0;
}

RT_TEST(b150_place_of_a_cancelled_putter_goes_to_the_next)
{
	struct shared s = {.queue = fifo(1)};
	rv_task *t[3];
	void *item;

	t[0] = spawn_named("a", put_word, &s);
	t[1] = spawn_named("b", put_word, &s);
	t[2] = spawn_named("c", put_word, &s);
	rt_settle(1);
	ck_assert(rv_task_cancel(t[1]));
	ck_assert_int_eq(rv_queue_try_get(s.queue, &item), 0);
	ck_assert_str_eq(item, "a");
	ck_assert_int_eq(rv_queue_try_get(s.queue, &item), 0);
	ck_assert_str_eq(item, "c");
	ck_assert_int_eq(rv_queue_try_get(s.queue, &item), -EAGAIN);
	join_all(t, 3);
	rv_queue_free(s.queue);
	return 0;
}

RT_TEST(b151_timed_out_waiters_leave_no_node_behind)
{
	rv_queue *q = fifo(1);
	void *item = NULL;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
			rv_timed(RV_US(100), rv_queue_get(q, &item)), -ETIMEDOUT);
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("a")), 0);
	ck_assert_uint_eq(rv_queue_size(q), 1); /* no dead getter took it */
	ck_assert_int_eq(rv_timed(RV_US(100), rv_queue_put(q, RT_W("b"))), -ETIMEDOUT);
	ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
	ck_assert_uint_eq(rv_queue_size(q), 0);
	rv_queue_free(q); /* aborts if a waiter were left */
	return 0;
}

RT_TEST(b152_nonblocking_calls_say_try_again)
{
	rv_queue *q = fifo(1);
	void *item;

	ck_assert_int_eq(rv_queue_try_get(q, &item), -EAGAIN);
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("a")), 0);
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("b")), -EAGAIN);
	rv_queue_free(q);
	return 0;
}

static int join_say(void *q)
{
	int r = rv_queue_join(q);

	rt_add("joined");
	return r;
}

RT_TEST(b153_join_waits_for_task_done_and_too_many_are_an_error)
{
	rv_queue *q = fifo(0);
	rv_task *t;
	void *item;

	ck_assert_int_eq(rv_queue_join(q), 0); /* nothing was ever put */
	ck_assert_int_eq(rv_queue_task_done(q), -RV_ESTATE);
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("a")), 0);
	t = rv_spawn(join_say, q);
	rt_settle(1);
	ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
	rt_settle(1);
	ck_assert_str_eq(rt_trace, "");
	ck_assert_int_eq(rv_queue_task_done(q), 0);
	join_all(&t, 1);
	ck_assert_str_eq(rt_trace, "joined");
	rv_queue_free(q);
	return 0;
}

static int compare(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;

	return x < y ? -1 : x > y;
}

RT_TEST(b154_lifo_gives_the_newest_and_priority_the_smallest)
{
	static const uintptr_t in[] = {5, 1, 4, 1, 3, 9, 2, 6};
	rv_queue *lifo, *prio;
	uintptr_t last = 0;
	void *item;

	ck_assert_int_eq(rv_queue_new(&lifo, RV_QUEUE_LIFO, 0, NULL, NULL), 0);
	ck_assert_int_eq(rv_queue_new(&prio, RV_QUEUE_PRIORITY, 0, compare, NULL), 0);
	for (size_t i = 0; i < 8; i++) {
		ck_assert_int_eq(rv_queue_try_put(lifo, (void *)in[i]), 0);
		ck_assert_int_eq(rv_queue_try_put(prio, (void *)in[i]), 0);
	}
	for (size_t i = 8; i-- > 0;) {
		ck_assert_int_eq(rv_queue_try_get(lifo, &item), 0);
		ck_assert_uint_eq((uintptr_t)item, in[i]);
		ck_assert_int_eq(rv_queue_try_get(prio, &item), 0);
		ck_assert_uint_ge((uintptr_t)item, last);
		last = (uintptr_t)item;
	}
	rv_queue_free(lifo);
	rv_queue_free(prio);
	ck_assert_int_eq(
		rv_queue_new(&prio, RV_QUEUE_PRIORITY, 0, NULL, NULL), -EINVAL);
	return 0;
}

RT_TEST(shutdown_wakes_everyone_and_getters_get_what_is_left)
{
	struct shared s = {.queue = fifo(1)};
	rv_task *put, *get;
	void *item;

	ck_assert_int_eq(rv_queue_try_put(s.queue, RT_W("a")), 0);
	put = spawn_named("b", put_word, &s);
	rt_settle(1);
	rv_queue_shutdown(s.queue, false);
	ck_assert_int_eq(rv_task_join(put, NULL), -RV_ESHUTDOWN);
	ck_assert_int_eq(rv_queue_try_put(s.queue, RT_W("c")), -RV_ESHUTDOWN);
	ck_assert_int_eq(rv_queue_get(s.queue, &item), 0);
	ck_assert_str_eq(item, "a");
	ck_assert_int_eq(rv_queue_get(s.queue, &item), -RV_ESHUTDOWN);
	rv_task_unref(put);
	rv_queue_free(s.queue);

	s.queue = fifo(0);
	get = rv_spawn(get_say, s.queue);
	rt_settle(1);
	rv_queue_shutdown(s.queue, true);
	ck_assert_int_eq(rv_task_join(get, NULL), -RV_ESHUTDOWN);
	rv_task_unref(get);
	rv_queue_free(s.queue);
	return 0;
}

RT_TEST(items_left_in_a_queue_go_to_the_destructor)
{
	rv_queue *q;

	ck_assert_int_eq(rv_queue_new(&q, RV_QUEUE_FIFO, 0, NULL, free), 0);
	ck_assert_int_eq(rv_queue_try_put(q, strdup("a")), 0);
	rv_queue_shutdown(q, true);
	ck_assert_int_eq(rv_queue_join(q), 0);
	rv_queue_free(q);
	ck_assert_int_eq(rv_queue_new(&q, RV_QUEUE_FIFO, 0, NULL, free), 0);
	ck_assert_int_eq(rv_queue_try_put(q, strdup("b")), 0);
	rv_queue_free(q);
	return 0;
}

static int hog(void *arg)
{
	rv_lock *l = arg;

	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(rv_lock_acquire(l), 0);
		ck_assert_int_eq(rv_lock_release(l), 0);
	}
	rt_add("hog");
	return 0;
}

RT_TEST(awaits_that_never_block_still_give_way)
{
	rv_lock l;
	rv_task *t[2];

	rv_lock_init(&l);
	t[0] = rv_spawn(hog, &l);
	t[1] = rv_spawn(rt_say, RT_W("other"));
	join_all(t, 2);
	ck_assert_str_eq(rt_trace, "other hog");
	return 0;
}

/* -- what a closed loop has left behind ---------------------------------------------- */

struct left {
	rv_lock lock;
	rv_sem sem;
	rv_limiter limiter;
	rv_barrier barrier;
	rv_queue *empty, *full;
};

static int left_at_lock(void *arg)
{
	return rv_lock_acquire(&((struct left *)arg)->lock);
}

static int left_at_sem(void *arg)
{
	return rv_sem_acquire(&((struct left *)arg)->sem);
}

static int left_at_limiter(void *arg)
{
	rv_token t = RV_TOKEN_NULL;

	return rv_limiter_acquire(&((struct left *)arg)->limiter, &t);
}

static int left_at_barrier(void *arg)
{
	return rv_barrier_wait(&((struct left *)arg)->barrier);
}

static int left_getter(void *arg)
{
	void *item;

	return rv_queue_get(((struct left *)arg)->empty, &item);
}

static int left_putter(void *arg)
{
	return rv_queue_put(((struct left *)arg)->full, RT_W("left"));
}

static int left_joiner(void *arg)
{
	return rv_queue_join(((struct left *)arg)->full);
}

static int meet(void *arg)
{
	int r = rv_barrier_wait(&((struct left *)arg)->barrier);

	rt_add(r == 0 ? "first" : "last");
	return MIN(r, 0);
}

static int use_what_is_left(void *arg)
{
	struct left *s = arg;
	rv_token t = RV_TOKEN_NULL;
	rv_task *other;
	void *item;

	/* nothing is handed to those who will never run */
	ck_assert_int_eq(rv_lock_release(&s->lock), 0);
	ck_assert_int_eq(rv_lock_acquire(&s->lock), 0);
	ck_assert_int_eq(rv_sem_release(&s->sem), 0);
	ck_assert_int_eq(rv_sem_value(&s->sem), 1);
	rv_limiter_set_total(&s->limiter, 1);
	ck_assert_uint_eq(rv_limiter_taken(&s->limiter), 0);
	ck_assert_int_eq(rv_limiter_acquire(&s->limiter, &t), 0);
	ck_assert_int_eq(rv_queue_try_put(s->empty, RT_W("kept")), 0);
	ck_assert_int_eq(rv_queue_get(s->empty, &item), 0);
	ck_assert_str_eq(item, "kept");
	ck_assert_int_eq(rv_queue_get(s->full, &item), 0);
	ck_assert_str_eq(item, "full");
	ck_assert_uint_eq(rv_queue_size(s->full), 0);
	other = rv_spawn(meet, s);
	rt_settle(2);
	ck_assert_str_eq(rt_trace, "");
	ck_assert_int_eq(rv_barrier_wait(&s->barrier), 1);
	join_all(&other, 1);
	return 0;
}

static void drop_report(rv_loop *l, const rv_exc *e, void *arg)
{
	/* that they were pending */
}

START_TEST(waiters_of_a_closed_loop_are_given_nothing)
{
	static const rv_fn waits[] = {left_at_lock, left_at_lock, left_at_sem,
		left_at_limiter, left_at_barrier, left_getter, left_putter,
		left_joiner};
	rv_loop *l = rt_new_loop();
	struct left s = {0};

	rv_loop_set_exception_handler(l, drop_report, NULL);
	rv_lock_init(&s.lock);
	ck_assert(rv_lock_try(&s.lock));
	ck_assert_int_eq(rv_sem_init(&s.sem, 0, 0), 0);
	rv_limiter_init(&s.limiter, 0);
	ck_assert_int_eq(rv_barrier_init(&s.barrier, 2), 0);
	ck_assert_int_eq(rv_queue_new(&s.empty, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
	ck_assert_int_eq(rv_queue_new(&s.full, RV_QUEUE_FIFO, 1, NULL, NULL), 0);
	ck_assert_int_eq(rv_queue_try_put(s.full, RT_W("full")), 0);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		ck_assert_int_eq(
			rv_spawn_ex(NULL, &(rv_task_opts){.loop = l}, waits[i], &s), 0);
	ck_assert_int_eq(rv_loop_run_once(l, 0), 0);
	rv_loop_unref(l);
	ck_assert_int_eq(rv_run(use_what_is_left, &s, NULL), 0);
	ck_assert_str_eq(rt_trace, "first");
	rv_queue_free(s.empty);
	rv_queue_free(s.full); /* with somebody left in its join */
}
END_TEST

UNIT_MAIN("sync", b126_lock_goes_to_waiters_in_order_and_nobody_barges,
	b127_lock_of_a_waiter_cancelled_after_the_hand_over_has_one_owner,
	b127_waiter_that_has_the_lock_already_keeps_it_when_cancelled,
	b129_releasing_an_unlocked_lock_is_an_error,
	lock_released_by_another_is_reported_in_debug_mode,
	b130_event_that_is_set_and_cleared_wakes_all_its_waiters,
	b131_cancelled_event_waiter_leaves_the_list, b146_put_wakes_exactly_one_getter,
	b147_put_on_a_full_queue_waits_for_a_get,
	b147_queue_without_limit_keeps_order_while_it_grows,
	b148_item_of_a_getter_cancelled_before_it_ran_is_not_lost,
	b150_place_of_a_cancelled_putter_goes_to_the_next,
	b151_timed_out_waiters_leave_no_node_behind,
	b152_nonblocking_calls_say_try_again,
	b153_join_waits_for_task_done_and_too_many_are_an_error,
	b154_lifo_gives_the_newest_and_priority_the_smallest,
	shutdown_wakes_everyone_and_getters_get_what_is_left,
	items_left_in_a_queue_go_to_the_destructor,
	awaits_that_never_block_still_give_way,
	waiters_of_a_closed_loop_are_given_nothing)
