/* Conditions, semaphores, barriers: behaviours 2.7. */
#include "rt.h"

struct shared {
	rv_lock lock;
	rv_cond cond;
	rv_sem sem;
	rv_barrier barrier;
	bool ready;
};

static void shared_init(struct shared *s)
{
	*s = (struct shared){.ready = false};
	rv_lock_init(&s->lock);
	rv_cond_init(&s->cond, &s->lock);
}

static void say_name(void)
{
	rt_add(rv_task_name(rv_task_self()));
}

static void join(rv_task *t, int expected)
{
	ck_assert_int_eq(rv_task_join(t, NULL), expected);
	rv_task_unref(t);
}

/* -- conditions -------------------------------------------------------------------- */

static bool is_ready(void *arg)
{
	return ((struct shared *)arg)->ready;
}

/* waits once; whatever comes of it, the lock is held */
static int wait_once(void *arg)
{
	struct shared *s = arg;
	int r = rv_lock_acquire(&s->lock);

	if (r < 0)
		return r;
	r = rv_cond_wait(&s->cond);
	ck_assert(rv_lock_held(&s->lock));
	if (r == 0)
		say_name();
	ck_assert_int_eq(rv_lock_release(&s->lock), 0);
	return r;
}

RT_TEST(b132_without_the_lock_wait_and_notify_are_errors)
{
	struct shared s;

	shared_init(&s);
	ck_assert_int_eq(rv_cond_wait(&s.cond), -RV_ESTATE);
	ck_assert_int_eq(rv_cond_wait_until(&s.cond, is_ready, &s), -RV_ESTATE);
	ck_assert_int_eq(rv_cond_notify(&s.cond, 1), -RV_ESTATE);
	ck_assert_int_eq(rv_cond_notify_all(&s.cond), -RV_ESTATE);
	return 0;
}

RT_TEST(b133_notify_wakes_so_many_in_order_and_one_by_one)
{
	struct shared s;
	rv_task *t[3];

	shared_init(&s);
	t[0] = rt_spawn_named("a", wait_once, &s);
	t[1] = rt_spawn_named("b", wait_once, &s);
	t[2] = rt_spawn_named("c", wait_once, &s);
	rt_settle(2);
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	ck_assert_int_eq(rv_cond_notify(&s.cond, 2), 0);
	rt_settle(2);
	ck_assert_str_eq(rt_trace, ""); /* the lock is still ours */
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	rt_settle(4);
	ck_assert_str_eq(rt_trace, "a b");
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	ck_assert_int_eq(rv_cond_notify_all(&s.cond), 0);
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	for (int i = 0; i < 3; i++)
		join(t[i], 0);
	ck_assert_str_eq(rt_trace, "a b c");
	return 0;
}

RT_TEST(b134_cancelled_waiter_holds_the_lock_when_it_returns)
{
	struct shared s;
	rv_task *t;

	shared_init(&s);
	t = rt_spawn_named("a", wait_once, &s);
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	join(t, -ECANCELED);
	ck_assert(!rv_lock_held(&s.lock));
	return 0;
}

RT_TEST(b135_waiter_cancelled_while_it_takes_the_lock_keeps_trying)
{
	struct shared s;
	rv_task *t;

	shared_init(&s);
	t = rt_spawn_named("a", wait_once, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	ck_assert_int_eq(rv_cond_notify(&s.cond, 1), 0);
	rt_settle(1); /* now it waits for the lock */
	ck_assert(rv_task_cancel(t));
	rt_settle(2);
	ck_assert(!rv_task_done(t));
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	join(t, -ECANCELED);
	ck_assert(!rv_lock_held(&s.lock));
	return 0;
}

/* cpython #112202 */
RT_TEST(d12_notification_of_a_cancelled_waiter_goes_on_to_the_next)
{
	struct shared s;
	rv_task *a, *b;

	shared_init(&s);
	a = rt_spawn_named("a", wait_once, &s);
	b = rt_spawn_named("b", wait_once, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_lock_acquire(&s.lock), 0);
	ck_assert_int_eq(rv_cond_notify(&s.cond, 1), 0);
	ck_assert(rv_task_cancel(a));
	ck_assert_int_eq(rv_lock_release(&s.lock), 0);
	join(a, -ECANCELED);
	join(b, 0);
	ck_assert_str_eq(rt_trace, "b");
	return 0;
}

static int wait_at_most(void *arg)
{
	struct shared *s = arg;
	rv_scope to;
	int r = rv_lock_acquire(&s->lock);

	if (r < 0)
		return r;
	(void)rv_timeout(&to, RV_MS(1));
	r = rv_scope_exit(&to, rv_cond_wait_until(&s->cond, is_ready, s));
	ck_assert(rv_lock_held(&s->lock));
	ck_assert_int_eq(rv_lock_release(&s->lock), 0);
	return r;
}

RT_TEST(b137_lock_is_held_after_a_timeout)
{
	struct shared s;

	shared_init(&s);
	join(rv_spawn(wait_at_most, &s), -ETIMEDOUT);
	s.ready = true;
	join(rv_spawn(wait_at_most, &s), 0);
	return 0;
}

/* -- semaphores -------------------------------------------------------------------- */

static int take_permit(void *arg)
{
	struct shared *s = arg;
	int r = rv_sem_acquire(&s->sem);

	if (r == 0)
		say_name();
	return r;
}

RT_TEST(b138_permit_goes_to_the_first_who_waits_and_is_never_in_sight)
{
	struct shared s;
	rv_task *a, *b;

	ck_assert_int_eq(rv_sem_init(&s.sem, 1, 0), 0);
	ck_assert_int_eq(rv_sem_acquire(&s.sem), 0);
	a = rt_spawn_named("a", take_permit, &s);
	b = rt_spawn_named("b", take_permit, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_sem_release(&s.sem), 0);
	ck_assert_int_eq(rv_sem_value(&s.sem), 0);
	ck_assert(!rv_sem_try(&s.sem));
	join(a, 0);
	ck_assert_int_eq(rv_sem_release(&s.sem), 0);
	join(b, 0);
	ck_assert_str_eq(rt_trace, "a b");
	ck_assert_int_eq(rv_sem_release(&s.sem), 0);
	ck_assert_int_eq(rv_sem_value(&s.sem), 1);
	return 0;
}

static int take_and_await(void *arg)
{
	struct shared *s = arg;
	int r = rv_sem_acquire(&s->sem);

	if (r < 0)
		return r;
	r = rv_yield();
	ck_assert_int_eq(rv_sem_release(&s->sem), 0);
	return r;
}

RT_TEST(b140_waiter_cancelled_after_it_was_woken_has_its_permit)
{
	struct shared s;
	rv_task *a, *b;

	ck_assert_int_eq(rv_sem_init(&s.sem, 0, 0), 0);
	a = rv_spawn(take_and_await, &s);
	b = rt_spawn_named("b", take_permit, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_sem_release(&s.sem), 0);
	ck_assert(rv_task_cancel(a)); /* too late: it hears of it at its next await */
	join(a, -ECANCELED);
	join(b, 0);
	ck_assert_int_eq(rv_sem_value(&s.sem), 0);
	return 0;
}

RT_TEST(cancelled_waiter_leaves_the_semaphore)
{
	struct shared s;
	rv_task *a;

	ck_assert_int_eq(rv_sem_init(&s.sem, 0, 0), 0);
	a = rt_spawn_named("a", take_permit, &s);
	rt_settle(1);
	ck_assert(rv_task_cancel(a));
	join(a, -ECANCELED);
	ck_assert_int_eq(rv_sem_release(&s.sem), 0);
	ck_assert_int_eq(rv_sem_value(&s.sem), 1);
	return 0;
}

RT_TEST(b141_bounded_semaphore_refuses_more_than_it_had)
{
	struct shared s;

	ck_assert_int_eq(rv_sem_init(&s.sem, -1, 0), -EINVAL);
	ck_assert_int_eq(rv_sem_init(&s.sem, 1, 2), -EINVAL);
	ck_assert_int_eq(rv_sem_init(&s.sem, 2, RV_SEM_BOUNDED), 0);
	ck_assert_int_eq(rv_sem_release(&s.sem), -RV_ESTATE);
	ck_assert(rv_sem_try(&s.sem));
	ck_assert_int_eq(rv_sem_release(&s.sem), 0);
	ck_assert_int_eq(rv_sem_release(&s.sem), -RV_ESTATE);
	return 0;
}

/* -- barriers ---------------------------------------------------------------------- */

static int meet(void *arg)
{
	return rv_barrier_wait(&((struct shared *)arg)->barrier);
}

RT_TEST(b142_last_to_arrive_lets_all_go_each_with_another_number)
{
	struct shared s;
	rv_task *a, *b;

	ck_assert_int_eq(rv_barrier_init(&s.barrier, 0), -EINVAL);
	ck_assert_int_eq(rv_barrier_init(&s.barrier, 3), 0);
	for (int round = 0; round < 2; round++) {
		a = rv_spawn(meet, &s);
		b = rv_spawn(meet, &s);
		rt_settle(1);
		ck_assert_uint_eq(rv_barrier_n_waiting(&s.barrier), 2);
		ck_assert_int_eq(rv_barrier_wait(&s.barrier), 2);
		ck_assert_uint_eq(rv_barrier_n_waiting(&s.barrier), 0);
		join(a, 0);
		join(b, 1);
	}
	ck_assert_uint_eq(rv_barrier_parties(&s.barrier), 3);
	return 0;
}

RT_TEST(b144_cancelled_waiter_does_not_count)
{
	struct shared s;
	rv_task *a, *b;

	ck_assert_int_eq(rv_barrier_init(&s.barrier, 2), 0);
	a = rv_spawn(meet, &s);
	rt_settle(1);
	ck_assert(rv_task_cancel(a));
	join(a, -ECANCELED);
	ck_assert_uint_eq(rv_barrier_n_waiting(&s.barrier), 0);
	b = rv_spawn(meet, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_barrier_wait(&s.barrier), 1);
	join(b, 0);
	return 0;
}

RT_TEST(b145_reset_begins_anew_and_abort_holds_until_then)
{
	struct shared s;
	rv_task *a;

	ck_assert_int_eq(rv_barrier_init(&s.barrier, 2), 0);
	a = rv_spawn(meet, &s);
	rt_settle(1);
	rv_barrier_reset(&s.barrier);
	join(a, -RV_EBROKEN);
	ck_assert(!rv_barrier_is_broken(&s.barrier));

	a = rv_spawn(meet, &s);
	rt_settle(1);
	rv_barrier_abort(&s.barrier);
	join(a, -RV_EBROKEN);
	ck_assert(rv_barrier_is_broken(&s.barrier));
	ck_assert_int_eq(rv_barrier_wait(&s.barrier), -RV_EBROKEN);
	rv_barrier_reset(&s.barrier);
	a = rv_spawn(meet, &s);
	rt_settle(1);
	ck_assert_int_eq(rv_barrier_wait(&s.barrier), 1);
	join(a, 0);
	return 0;
}

UNIT_MAIN("meet", b132_without_the_lock_wait_and_notify_are_errors,
	b133_notify_wakes_so_many_in_order_and_one_by_one,
	b134_cancelled_waiter_holds_the_lock_when_it_returns,
	b135_waiter_cancelled_while_it_takes_the_lock_keeps_trying,
	d12_notification_of_a_cancelled_waiter_goes_on_to_the_next,
	b137_lock_is_held_after_a_timeout,
	b138_permit_goes_to_the_first_who_waits_and_is_never_in_sight,
	b140_waiter_cancelled_after_it_was_woken_has_its_permit,
	cancelled_waiter_leaves_the_semaphore,
	b141_bounded_semaphore_refuses_more_than_it_had,
	b142_last_to_arrive_lets_all_go_each_with_another_number,
	b144_cancelled_waiter_does_not_count,
	b145_reset_begins_anew_and_abort_holds_until_then)
