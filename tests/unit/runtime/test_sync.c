/* Locks and events: behaviours 2.7. What waiters of a closed loop leave behind. */
#include "rt.h"

#include "base/macro.h"

struct shared {
	rv_lock lock;
	rv_event event;
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

RT_TEST(b126_lock_goes_to_waiters_in_order_and_nobody_barges)
{
	struct shared s = {0};
	rv_task *t[3];

	rv_lock_init(&s.lock);
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	t[0] = rt_spawn_named("a", locked_say, &s);
	t[1] = rt_spawn_named("b", locked_say, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	ck_assert(!rv_lock_try(&s.lock)); /* it is a's already */
	ck_assert(rv_lock_held(&s.lock));
	t[2] = rt_spawn_named("c", locked_say, &s);
	rt_join_all(t, 3);
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
	t[0] = rt_spawn_named("a", locked_say, &s);
	t[1] = rt_spawn_named("b", locked_say, &s);
	rt_settle(1);
	/* cancelled first: it is b's turn */
	ck_assert(rv_task_cancel(t[0]));
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	rt_join_all(t, 2);
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
	t[0] = rt_spawn_named("a", locked_once, &s);
	t[1] = rt_spawn_named("b", locked_say, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	ck_assert(rv_task_cancel(t[0]));
	rt_join_all(t, 2);
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
	t[0] = rt_spawn_named("a", event_say, &s);
	t[1] = rt_spawn_named("b", event_say, &s);
	t[2] = rt_spawn_named("c", event_say, &s);
	rt_settle(1);
	rv_event_set(&s.event);
	rv_event_clear(&s.event);
	rt_join_all(t, 3);
	ck_assert_str_eq(rt_trace, "a b c");
	ck_assert(!rv_event_is_set(&s.event));
	return 0;
}

RT_TEST(b131_cancelled_event_waiter_leaves_the_list)
{
	struct shared s = {0};
	rv_task *t[1];

	rv_event_init(&s.event);
	t[0] = rt_spawn_named("a", event_say, &s);
	rt_settle(1);
	ck_assert(rv_task_cancel(t[0]));
	ck_assert_ptr_eq(s.event.waiters.next, &s.event.waiters);
	rt_join_all(t, 1);
	rv_event_set(&s.event);
	ck_assert_int_eq(rv_event_wait(&s.event), 0);
	ck_assert_str_eq(rt_trace, "");
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
	rt_join_all(t, 2);
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
	rt_join_all(&other, 1);
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
	b131_cancelled_event_waiter_leaves_the_list,
	awaits_that_never_block_still_give_way,
	waiters_of_a_closed_loop_are_given_nothing)
