/* What libraries keep with a loop. */
#include "rt.h"

#include <unistd.h>

#include "tests/support/alloc_fail.h"

static const char key_a, key_b;

static rv_loop *new_loop(void)
{
	rv_loop *l;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	return l;
}

START_TEST(attached_is_found_by_its_key_until_the_loop_closes)
{
	rv_loop *l = new_loop(), *other = new_loop();

	ck_assert_ptr_null(rv_loop_attached(l, &key_a));
	ck_assert_int_eq(rv_loop_attach(l, &key_a, RT_W("a"), rt_cb_add), 0);
	ck_assert_int_eq(rv_loop_attach(l, &key_b, RT_W("b"), NULL), 0);
	ck_assert_str_eq(rv_loop_attached(l, &key_a), "a");
	ck_assert_str_eq(rv_loop_attached(l, &key_b), "b");
	ck_assert_ptr_null(rv_loop_attached(other, &key_a));
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_str_eq(rt_trace, "a");
	ck_assert_ptr_null(rv_loop_attached(l, &key_a));
	rv_loop_unref(l);
	rv_loop_unref(other);
	ck_assert_str_eq(rt_trace, "a");
}
END_TEST

START_TEST(second_of_a_key_none_and_a_closed_loop_are_refused)
{
	rv_loop *l = new_loop();

	ck_assert_int_eq(rv_loop_attach(l, &key_a, RT_W("a"), NULL), 0);
	ck_assert_int_eq(rv_loop_attach(l, &key_a, RT_W("b"), rt_cb_add), -EEXIST);
	ck_assert_int_eq(rv_loop_attach(l, &key_b, NULL, NULL), -EINVAL);
	alloc_fail_at(1);
	ck_assert_int_eq(rv_loop_attach(l, &key_b, RT_W("b"), rt_cb_add), -ENOMEM);
	ck_assert(alloc_fail_stop());
	ck_assert_ptr_null(rv_loop_attached(l, &key_b));
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_int_eq(
		rv_loop_attach(l, &key_b, RT_W("b"), rt_cb_add), -RV_ELOOPCLOSED);
	rv_loop_unref(l);
	ck_assert_str_eq(rt_trace, "");
}
END_TEST

/* what a library would have: a watch and a timer, both to go with the loop */
struct user {
	rv_loop *loop;
	rv_watch *watch;
	rv_timer timer;
	int fds[2];
};

static void never_event(int fd, unsigned ev, void *arg)
{
	ck_abort_msg("nothing was written");
}

static void never(void *arg)
{
	ck_abort_msg("nobody ran the loop");
}

static void user_end(void *arg)
{
	struct user *u = arg;

	rt_add("user");
	ck_assert_ptr_eq(rv_loop_current(), u->loop);
	ck_assert_str_eq(rv_loop_attached(u->loop, &key_b), "before");
	ck_assert(rv_fd_unwatch(u->watch)); /* the loop is not closed yet */
	rv_timer_stop(&u->timer);
	close(u->fds[0]);
	close(u->fds[1]);
}

START_TEST(last_attached_goes_first_and_takes_its_watches_and_timers_along)
{
	rv_loop *l = new_loop();
	struct user u = {.loop = l};

	ck_assert_int_eq(rv_loop_attach(l, &key_b, RT_W("before"), rt_cb_add), 0);
	ck_assert_int_eq(rv_loop_attach(l, &key_a, &u, user_end), 0);
	ck_assert_int_eq(pipe(u.fds), 0);
	ck_assert_int_eq(
		rv_fd_watch(l, u.fds[0], RV_READ, never_event, NULL, &u.watch), 0);
	rv_timer_init(&u.timer, l, never, NULL);
	rv_timer_start(&u.timer, rv_loop_now(l) + RV_SEC(60));
	ck_assert_int_eq(rv_loop_close(l), 0);
	ck_assert_str_eq(rt_trace, "user before");
	rv_loop_unref(l);
}
END_TEST

UNIT_MAIN("loop_attach", attached_is_found_by_its_key_until_the_loop_closes,
	second_of_a_key_none_and_a_closed_loop_are_refused,
	last_attached_goes_first_and_takes_its_watches_and_timers_along)
