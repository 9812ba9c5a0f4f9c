/* A completion and a cancel in one round, in both orders: behaviours 61, 95, 135,
 * 140, 148 and 150. */
#include "rt.h"

#include "reeve/wait.h"

/* what a task that was caught between the two has to tell */
struct caught {
	int first;  /* what its await returned */
	int second; /* and the next one */
	void *val;
};

/* -- futures ----------------------------------------------------------------------- */

struct awaiting {
	rv_future *f;
	struct caught c;
};

static int await_future(void *arg)
{
	struct awaiting *a = arg;

	a->c.first = rv_future_await(a->f, &a->c.val);
	a->c.second = rv_yield();
	return 0;
}

RT_TEST(b061_future_that_is_set_after_the_cancel_refuses_the_value)
{
	struct awaiting a = {0};
	rv_task *t;

	ck_assert_int_eq(rv_future_new(&a.f, NULL), 0);
	t = rv_spawn(await_future, &a);
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	/* the value stays with who wanted to set it */
	ck_assert_int_eq(rv_future_set(a.f, RT_W("value"), NULL), -RV_ESTATE);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(a.c.first, -ECANCELED);
	ck_assert_int_eq(a.c.second, -ECANCELED);
	ck_assert_ptr_null(a.c.val);
	rv_task_unref(t);
	rv_future_unref(a.f);
	return 0;
}

/* -- wait_for ---------------------------------------------------------------------- */

struct waiting {
	rv_task *inner;
	struct caught c;
};

static int wait_for_inner(void *arg)
{
	struct waiting *w = arg;

	w->c.first = rv_wait_for_task(w->inner, RV_SEC(60), NULL);
	w->c.second = rv_yield();
	return 0;
}

static int value_of_event(void *event)
{
	rv_scope sh;
	int r;

	(void)rv_shield(&sh, RV_SEC(60));
	r = rv_event_wait(event);
	return rv_scope_exit(&sh, r < 0 ? r : 7);
}

static void wait_for_and_cancel(bool cancel_first)
{
	struct waiting w = {0};
	rv_event e;
	rv_task *t;

	rv_event_init(&e);
	w.inner = rv_spawn(value_of_event, &e);
	t = rv_spawn(wait_for_inner, &w);
	rt_settle(2);
	if (cancel_first)
		ck_assert(rv_task_cancel(t));
	rv_event_set(&e);
	if (!cancel_first)
		ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(w.c.first, 7);
	ck_assert_int_eq(w.c.second, -ECANCELED);
	ck_assert(rv_task_done(w.inner));
	rv_task_unref(t);
	rv_task_unref(w.inner);
}

RT_TEST(b095_result_of_a_task_waited_for_comes_before_the_cancel)
{
	wait_for_and_cancel(false);
	wait_for_and_cancel(true);
	return 0;
}

/* The inner is done, and has woken who waits, which has not run yet. */
RT_TEST(b095_cancel_between_the_end_of_the_inner_and_the_wake_up)
{
	struct waiting w = {0};
	rv_event e;
	rv_task *t;

	rv_event_init(&e);
	w.inner = rv_spawn(value_of_event, &e);
	t = rv_spawn(wait_for_inner, &w);
	rt_settle(2);
	rv_event_set(&e);
	rt_settle(1);
	ck_assert(rv_task_done(w.inner));
	ck_assert(!rv_task_done(t));
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(w.c.first, 7);
	ck_assert_int_eq(w.c.second, -ECANCELED);
	rv_task_unref(t);
	rv_task_unref(w.inner);
	return 0;
}

/* -- queues ------------------------------------------------------------------------ */

struct putting {
	rv_queue *q;
	void *item;
	struct caught c;
};

static int put_item(void *arg)
{
	struct putting *p = arg;

	p->c.first = rv_queue_put(p->q, p->item);
	p->c.second = rv_yield();
	return 0;
}

RT_TEST(b150_putter_cancelled_after_the_place_was_free_has_put)
{
	struct putting p[2] = {{.item = RT_W("b")}, {.item = RT_W("c")}};
	rv_task *t[2];
	rv_queue *q;
	void *item;

	ck_assert_int_eq(rv_queue_new(&q, RV_QUEUE_FIFO, 1, NULL, NULL), 0);
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("a")), 0);
	for (int i = 0; i < 2; i++) {
		p[i].q = q;
		t[i] = rv_spawn(put_item, &p[i]);
	}
	rt_settle(1);
	ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
	ck_assert(rv_task_cancel(t[0])); /* its item is in the queue */
	ck_assert_int_eq(rv_task_join(t[0], NULL), 0);
	ck_assert_int_eq(p[0].c.first, 0);
	ck_assert_int_eq(p[0].c.second, -ECANCELED);
	ck_assert(!rv_task_done(t[1]));
	ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
	ck_assert_str_eq(item, "b");
	ck_assert_int_eq(rv_task_join(t[1], NULL), 0);
	ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
	ck_assert_str_eq(item, "c");
	ck_assert_int_eq(rv_queue_try_get(q, &item), -EAGAIN);
	for (int i = 0; i < 2; i++)
		rv_task_unref(t[i]);
	rv_queue_free(q);
	return 0;
}

struct getting {
	rv_queue *q;
	struct caught c;
};

static int get_item(void *arg)
{
	struct getting *g = arg;

	g->c.first = rv_queue_get(g->q, &g->c.val);
	g->c.second = rv_yield();
	return 0;
}

RT_TEST(b148_item_put_after_the_cancel_stays_in_the_queue)
{
	struct getting g = {0};
	rv_task *t;
	void *item;

	ck_assert_int_eq(rv_queue_new(&g.q, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
	t = rv_spawn(get_item, &g);
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_queue_try_put(g.q, RT_W("a")), 0);
	ck_assert_int_eq(rv_queue_try_put(g.q, RT_W("b")), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(g.c.first, -ECANCELED);
	ck_assert_ptr_null(g.c.val);
	ck_assert_int_eq(rv_queue_get(g.q, &item), 0);
	ck_assert_str_eq(item, "a");
	ck_assert_int_eq(rv_queue_get(g.q, &item), 0);
	ck_assert_str_eq(item, "b");
	rv_task_unref(t);
	rv_queue_free(g.q);
	return 0;
}

/* -- semaphores -------------------------------------------------------------------- */

static int take_permit(void *arg)
{
	struct waiting *w = arg;

	w->c.first = rv_sem_acquire((rv_sem *)w->c.val);
	w->c.second = rv_yield();
	return 0;
}

RT_TEST(b140_permit_released_after_the_cancel_goes_to_the_next)
{
	struct waiting w[2] = {0};
	rv_task *t[2];
	rv_sem s;

	ck_assert_int_eq(rv_sem_init(&s, 0, 0), 0);
	for (int i = 0; i < 2; i++) {
		w[i].c.val = &s;
		t[i] = rv_spawn(take_permit, &w[i]);
	}
	rt_settle(1);
	ck_assert(rv_task_cancel(t[0]));
	ck_assert_int_eq(rv_sem_release(&s), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rv_task_join(t[i], NULL), 0);
		rv_task_unref(t[i]);
	}
	ck_assert_int_eq(w[0].c.first, -ECANCELED);
	ck_assert_int_eq(w[1].c.first, 0);
	ck_assert_int_eq(w[1].c.second, 0);
	ck_assert_int_eq(rv_sem_value(&s), 0);
	return 0;
}

/* -- conditions -------------------------------------------------------------------- */

struct meeting {
	rv_lock lock;
	rv_cond cond;
};

static int wait_notified(void *arg)
{
	struct meeting *m = arg;
	int r = rv_lock_acquire(&m->lock);

	ck_assert_int_eq(r, 0);
	r = rv_cond_wait(&m->cond);
	ck_assert(rv_lock_held(&m->lock));
	ck_assert_int_eq(rv_lock_release(&m->lock), 0);
	return r;
}

RT_TEST(b135_notification_after_the_cancel_goes_to_the_next)
{
	struct meeting m;
	rv_task *t[2];

	rv_lock_init(&m.lock);
	rv_cond_init(&m.cond, &m.lock);
	for (int i = 0; i < 2; i++)
		t[i] = rv_spawn(wait_notified, &m);
	rt_settle(2);
	ck_assert_int_eq(rv_lock_acquire(&m.lock), 0);
	ck_assert(rv_task_cancel(t[0]));
	ck_assert_int_eq(rv_cond_notify(&m.cond, 1), 0);
	ck_assert_int_eq(rv_lock_release(&m.lock), 0);
	ck_assert_int_eq(rv_task_join(t[0], NULL), -ECANCELED);
	ck_assert_int_eq(rv_task_join(t[1], NULL), 0);
	ck_assert(!rv_lock_held(&m.lock));
	for (int i = 0; i < 2; i++)
		rv_task_unref(t[i]);
	return 0;
}

UNIT_MAIN("same_round", b135_notification_after_the_cancel_goes_to_the_next,
	b061_future_that_is_set_after_the_cancel_refuses_the_value,
	b095_result_of_a_task_waited_for_comes_before_the_cancel,
	b095_cancel_between_the_end_of_the_inner_and_the_wake_up,
	b150_putter_cancelled_after_the_place_was_free_has_put,
	b148_item_put_after_the_cancel_stays_in_the_queue,
	b140_permit_released_after_the_cancel_goes_to_the_next)
