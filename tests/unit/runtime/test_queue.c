/* Queues: behaviours 2.8. */
#include "rt.h"

#include "base/macro.h"

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
	return rv_queue_put(arg, (void *)(uintptr_t)rv_task_name(rv_task_self()));
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
	rt_join_all(t, 2);
	rv_queue_free(q);
	return 0;
}

RT_TEST(b147_put_on_a_full_queue_waits_for_a_get)
{
	rv_queue *q = fifo(1);
	rv_task *t[2];
	void *item;

	t[0] = rt_spawn_named("a", put_word, q);
	t[1] = rt_spawn_named("b", put_word, q);
	rt_settle(1);
	ck_assert(rv_queue_full(q));
	ck_assert(!rv_task_done(t[1]));
	ck_assert_int_eq(rv_queue_get(q, &item), 0);
	ck_assert_str_eq(item, "a");
	rt_settle(1);
	ck_assert(rv_task_done(t[1]));
	ck_assert_int_eq(rv_queue_get(q, &item), 0);
	ck_assert_str_eq(item, "b");
	rt_join_all(t, 2);
	rv_queue_free(q);
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
	rt_join_all(t, 2);
	ck_assert_str_eq(rt_trace, "a");
	ck_assert_uint_eq(rv_queue_size(q), 1);
	rv_queue_free(q);
	return 0;
}

RT_TEST(b150_place_of_a_cancelled_putter_goes_to_the_next)
{
	rv_queue *q = fifo(1);
	rv_task *t[3];
	void *item;

	t[0] = rt_spawn_named("a", put_word, q);
	t[1] = rt_spawn_named("b", put_word, q);
	t[2] = rt_spawn_named("c", put_word, q);
	rt_settle(1);
	ck_assert(rv_task_cancel(t[1]));
	ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
	ck_assert_str_eq(item, "a");
	ck_assert_int_eq(rv_queue_try_get(q, &item), 0);
	ck_assert_str_eq(item, "c");
	ck_assert_int_eq(rv_queue_try_get(q, &item), -EAGAIN);
	rt_join_all(t, 3);
	rv_queue_free(q);
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
	rt_join_all(&t, 1);
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
	rv_queue *q = fifo(1);
	rv_task *put, *get;
	void *item;

	ck_assert_int_eq(rv_queue_try_put(q, RT_W("a")), 0);
	put = rt_spawn_named("b", put_word, q);
	rt_settle(1);
	rv_queue_shutdown(q, false);
	ck_assert_int_eq(rv_task_join(put, NULL), -RV_ESHUTDOWN);
	ck_assert_int_eq(rv_queue_try_put(q, RT_W("c")), -RV_ESHUTDOWN);
	ck_assert_int_eq(rv_queue_get(q, &item), 0);
	ck_assert_str_eq(item, "a");
	ck_assert_int_eq(rv_queue_get(q, &item), -RV_ESHUTDOWN);
	rv_task_unref(put);
	rv_queue_free(q);

	q = fifo(0);
	get = rv_spawn(get_say, q);
	rt_settle(1);
	rv_queue_shutdown(q, true);
	ck_assert_int_eq(rv_task_join(get, NULL), -RV_ESHUTDOWN);
	rv_task_unref(get);
	rv_queue_free(q);
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

UNIT_MAIN("queue", b146_put_wakes_exactly_one_getter,
	b147_put_on_a_full_queue_waits_for_a_get,
	b147_queue_without_limit_keeps_order_while_it_grows,
	b148_item_of_a_getter_cancelled_before_it_ran_is_not_lost,
	b150_place_of_a_cancelled_putter_goes_to_the_next,
	b151_timed_out_waiters_leave_no_node_behind,
	b152_nonblocking_calls_say_try_again,
	b153_join_waits_for_task_done_and_too_many_are_an_error,
	b154_lifo_gives_the_newest_and_priority_the_smallest,
	shutdown_wakes_everyone_and_getters_get_what_is_left,
	items_left_in_a_queue_go_to_the_destructor)
