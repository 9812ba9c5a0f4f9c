/* Limiters: tokens of which each task has at most one. */
#include "rt.h"

static rv_limiter limiter;
static rv_event go;

struct user {
	const char *word;
	rv_task *task;
	int result;
};

/* says its word when it has one, and keeps that until the event */
static int use(void *arg)
{
	struct user *u = arg;
	rv_token token = RV_TOKEN_NULL;
	int r;

	u->result = rv_limiter_acquire(&limiter, &token);
	if (u->result < 0)
		return u->result;
	rt_add(u->word);
	r = rv_event_wait(&go);
	ck_assert_int_eq(rv_limiter_release(&limiter, &token), 0);
	return r;
}

static void users_start(struct user *us, size_t n)
{
	rv_event_init(&go);
	for (size_t i = 0; i < n; i++) {
		us[i].result = 1;
		us[i].task = rv_spawn(use, &us[i]);
		ck_assert_ptr_nonnull(us[i].task);
	}
	rt_settle(1);
}

static void users_end(struct user *us, size_t n)
{
	rv_event_set(&go);
	for (size_t i = 0; i < n; i++) {
		(void)!rv_task_join(us[i].task, NULL);
		rv_task_unref(us[i].task);
	}
	ck_assert_uint_eq(rv_limiter_taken(&limiter), 0);
}

RT_TEST(tokens_go_to_who_waits_longest)
{
	struct user us[] = {{"a"}, {"b"}, {"c"}, {"d"}};
	rv_token t = RV_TOKEN_NULL;

	rv_limiter_init(&limiter, 2);
	ck_assert_uint_eq(rv_limiter_total(&limiter), 2);
	users_start(us, 4);
	ck_assert_str_eq(rt_trace, "a b");
	ck_assert_uint_eq(rv_limiter_taken(&limiter), 2);
	ck_assert_int_eq(rv_limiter_try(&limiter, &t), -EAGAIN);
	ck_assert_int_eq(rv_limiter_release(&limiter, &t), -RV_ESTATE);
	users_end(us, 4);
	ck_assert_str_eq(rt_trace, "a b c d");
	return 0;
}

RT_TEST(nobody_overtakes_who_was_given_one_and_has_not_run_yet)
{
	struct user us[] = {{"waits"}};
	rv_token t = RV_TOKEN_NULL;

	rv_limiter_init(&limiter, 1);
	ck_assert_int_eq(rv_limiter_acquire(&limiter, &t), 0);
	users_start(us, 1);
	ck_assert_int_eq(rv_limiter_release(&limiter, &t), 0);
	ck_assert_uint_eq(rv_limiter_taken(&limiter), 1);
	ck_assert_int_eq(rv_limiter_try(&limiter, &t), -EAGAIN);
	rt_settle(1);
	ck_assert_str_eq(rt_trace, "waits");
	users_end(us, 1);
	return 0;
}

RT_TEST(second_token_of_a_task_is_refused)
{
	rv_token t = RV_TOKEN_NULL, other = RV_TOKEN_NULL;

	rv_limiter_init(&limiter, 5);
	ck_assert_int_eq(rv_limiter_acquire(&limiter, &t), 0);
	ck_assert_int_eq(rv_limiter_acquire(&limiter, &other), -EDEADLK);
	ck_assert_int_eq(rv_limiter_try(&limiter, &other), -EDEADLK);
	ck_assert_int_eq(rv_limiter_acquire(&limiter, &t), -RV_ESTATE);
	ck_assert_uint_eq(rv_limiter_taken(&limiter), 1);
	ck_assert_int_eq(rv_limiter_release(&limiter, &t), 0);
	ck_assert_int_eq(rv_limiter_acquire(&limiter, &other), 0);
	ck_assert_int_eq(rv_limiter_release(&limiter, &other), 0);
	return 0;
}

RT_TEST(total_grows_and_shrinks)
{
	struct user us[] = {{"a"}, {"b"}, {"c"}, {"d"}};
	rv_token t = RV_TOKEN_NULL;

	rv_limiter_init(&limiter, 0);
	users_start(us, 4);
	ck_assert_str_eq(rt_trace, "");
	rv_limiter_set_total(&limiter, 3);
	rt_settle(1);
	ck_assert_str_eq(rt_trace, "a b c");
	rv_limiter_set_total(&limiter, 1);
	ck_assert_uint_eq(rv_limiter_taken(&limiter), 3);
	(void)rv_task_cancel(us[0].task);
	(void)rv_task_cancel(us[1].task);
	rt_settle(2);
	/* one is still out, and one is all there is */
	ck_assert_uint_eq(rv_limiter_taken(&limiter), 1);
	ck_assert_int_eq(rv_limiter_try(&limiter, &t), -EAGAIN);
	ck_assert_str_eq(rt_trace, "a b c");
	users_end(us, 4);
	ck_assert_str_eq(rt_trace, "a b c d");
	return 0;
}

RT_TEST(cancelled_waiter_takes_none_and_one_that_has_it_keeps_it)
{
	struct user us[] = {{"waits"}, {"last"}};
	rv_token t = RV_TOKEN_NULL;

	rv_limiter_init(&limiter, 1);
	ck_assert_int_eq(rv_limiter_acquire(&limiter, &t), 0);
	users_start(us, 2);
	(void)rv_task_cancel(us[0].task);
	rt_settle(1);
	ck_assert_int_eq(us[0].result, -ECANCELED);
	/* given in the same round as the cancel: completion wins */
	ck_assert_int_eq(rv_limiter_release(&limiter, &t), 0);
	(void)rv_task_cancel(us[1].task);
	rt_settle(1);
	ck_assert_int_eq(us[1].result, 0);
	ck_assert_str_eq(rt_trace, "last");
	users_end(us, 2);
	return 0;
}

RT_TEST(deadline_ends_the_wait)
{
	struct user us[] = {{"a"}};
	rv_token t = RV_TOKEN_NULL;

	rv_limiter_init(&limiter, 1);
	users_start(us, 1);
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_limiter_acquire(&limiter, &t)), -ETIMEDOUT);
	users_end(us, 1);
	ck_assert_int_eq(rv_limiter_try(&limiter, &t), 0);
	ck_assert_int_eq(rv_limiter_release(&limiter, &t), 0);
	return 0;
}

RT_TEST(dump_says_how_many_are_out)
{
	struct user us[] = {{"a"}, {"b"}};
	char text[4096];
	int fds[2];
	ssize_t n;

	rv_limiter_init(&limiter, 1);
	users_start(us, 2);
	ck_assert_int_eq(pipe(fds), 0);
	rv_task_print(us[1].task, fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "limiter "));
	ck_assert_ptr_nonnull(strstr(text, ": 1 of 1 are taken"));
	close(fds[0]);
	close(fds[1]);
	users_end(us, 2);
	return 0;
}

START_TEST(outside_of_a_task_there_is_none)
{
	rv_token t = RV_TOKEN_NULL;

	rv_limiter_init(&limiter, 1);
	ck_assert_int_eq(rv_limiter_try(&limiter, &t), -RV_ENOTASK);
	ck_assert_int_eq(rv_limiter_acquire(&limiter, &t), -RV_ENOTASK);
}
END_TEST

UNIT_MAIN("limiter", tokens_go_to_who_waits_longest,
	nobody_overtakes_who_was_given_one_and_has_not_run_yet,
	second_token_of_a_task_is_refused, total_grows_and_shrinks,
	cancelled_waiter_takes_none_and_one_that_has_it_keeps_it,
	deadline_ends_the_wait, dump_says_how_many_are_out,
	outside_of_a_task_there_is_none)
