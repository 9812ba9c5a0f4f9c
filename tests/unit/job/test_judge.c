#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/macro.h"
#include "job/backoff.h"
#include "job/spec.h"
#include "job/state.h"

#define F(id)       JOB_FIELD_##id
#define EXIT(code)  ((code) << 8)
#define RANDOM_FULL UINT32_MAX

static struct job_spec spec;

static void setup(void)
{
	job_spec_init(&spec);
}

static void teardown(void)
{
	job_spec_deinit(&spec);
}

static void put(enum job_field f, const char *text)
{
	union job_value v;

	ck_assert_int_eq(job_value_parse(&v, f, text, NULL), 0);
	ck_assert_int_eq(job_spec_put(&spec, f, v), 0);
}

static struct job_verdict judge(struct run_end end, unsigned n_failed)
{
	struct job_verdict v;

	job_judge(&v, &spec, &end, n_failed, RANDOM_FULL);
	/* whatever is decided is a move that a running job may make */
	ck_assert(job_may_go[JOB_RUNNING][v.next]);
	ck_assert(job_may_go[JOB_STARTING][v.next]);
	ck_assert(job_may_go[JOB_STOPPING][v.next]);
	ck_assert_int_eq(v.uses_retry, v.next == JOB_BACKOFF);
	return v;
}

START_TEST(exit_0_succeeds)
{
	struct job_verdict v = judge((struct run_end){.wait_status = EXIT(0)}, 0);

	ck_assert_int_eq(v.result, JOB_RESULT_SUCCEEDED);
	ck_assert_int_eq(v.next, JOB_FINISHED);
	ck_assert_int_eq(v.exit_code, 0);
	ck_assert_int_eq(v.signal, 0);
}
END_TEST

START_TEST(other_exits_and_signals_fail_without_retries)
{
	struct job_verdict v = judge((struct run_end){.wait_status = EXIT(3)}, 0);

	ck_assert_int_eq(v.result, JOB_RESULT_FAILED);
	ck_assert_int_eq(v.next, JOB_FINISHED);
	ck_assert_int_eq(v.exit_code, 3);
	v = judge((struct run_end){.wait_status = SIGSEGV}, 0);
	ck_assert_int_eq(v.result, JOB_RESULT_FAILED);
	ck_assert_int_eq(v.exit_code, -1);
	ck_assert_int_eq(v.signal, SIGSEGV);
	/* the core dump flag is not part of the signal */
	v = judge((struct run_end){.wait_status = SIGSEGV | 0x80}, 0);
	ck_assert_int_eq(v.signal, SIGSEGV);
}
END_TEST

START_TEST(success_codes_decide_what_succeeds)
{
	put(F(SUCCESS_CODES), "75 SIGTERM");
	ck_assert_int_eq(judge((struct run_end){.wait_status = EXIT(75)}, 0).result,
		JOB_RESULT_SUCCEEDED);
	ck_assert_int_eq(judge((struct run_end){.wait_status = SIGTERM}, 0).result,
		JOB_RESULT_SUCCEEDED);
	ck_assert_int_eq(judge((struct run_end){.wait_status = EXIT(0)}, 0).result,
		JOB_RESULT_FAILED);
}
END_TEST

START_TEST(failures_are_retried_as_often_as_allowed)
{
	struct run_end end = {.wait_status = EXIT(1)};
	struct job_verdict v;

	put(F(RETRIES), "2");
	v = judge(end, 0);
	ck_assert_int_eq(v.result, JOB_RESULT_FAILED);
	ck_assert_int_eq(v.next, JOB_BACKOFF);
	ck_assert_int_eq(judge(end, 1).next, JOB_BACKOFF);
	ck_assert_int_eq(judge(end, 2).next, JOB_FINISHED);
}
END_TEST

START_TEST(retry_on_limits_what_is_retried)
{
	put(F(RETRIES), "2");
	put(F(RETRY_ON), "75 SIGKILL");
	ck_assert_int_eq(
		judge((struct run_end){.wait_status = EXIT(75)}, 0).next, JOB_BACKOFF);
	ck_assert_int_eq(
		judge((struct run_end){.wait_status = SIGKILL}, 0).next, JOB_BACKOFF);
	ck_assert_int_eq(
		judge((struct run_end){.wait_status = EXIT(1)}, 0).next, JOB_FINISHED);
	ck_assert_int_eq(
		judge((struct run_end){.kind = RUN_END_START_FAILED, .error = -ENOENT},
			0)
			.next,
		JOB_FINISHED);
}
END_TEST

START_TEST(start_failure_fails_and_is_retried_by_default)
{
	struct run_end end = {.kind = RUN_END_START_FAILED, .error = -ENOENT};

	ck_assert_int_eq(judge(end, 0).result, JOB_RESULT_FAILED);
	ck_assert_int_eq(judge(end, 0).exit_code, -1);
	put(F(RETRIES), "1");
	ck_assert_int_eq(judge(end, 0).next, JOB_BACKOFF);
}
END_TEST

START_TEST(timeout_is_a_result_whatever_the_exit_code_says)
{
	struct run_end end = {.wait_status = EXIT(0), .timed_out = true};

	ck_assert_int_eq(judge(end, 0).result, JOB_RESULT_TIMEOUT);
	ck_assert_int_eq(judge(end, 0).next, JOB_FINISHED);
	put(F(RETRIES), "1");
	ck_assert_int_eq(judge(end, 0).next, JOB_BACKOFF);
}
END_TEST

START_TEST(cancel_is_final)
{
	put(F(RETRIES), "5");
	put(F(ON_LOST), "rerun");
	for (int kind = RUN_END_EXITED; kind <= RUN_END_FUNCTION; kind++) {
		struct job_verdict v = judge((struct run_end){.kind = kind,
						     .wait_status = SIGTERM,
						     .timed_out = true,
						     .shutdown = true,
						     .cancelled = true},
			0);

		ck_assert_int_eq(v.result, JOB_RESULT_CANCELLED);
		ck_assert_int_eq(v.next, JOB_FINISHED);
	}
}
END_TEST

START_TEST(shutdown_follows_on_reboot_and_uses_no_retry)
{
	struct run_end end = {.wait_status = SIGTERM, .shutdown = true};

	put(F(RETRIES), "5");
	put(F(ON_LOST), "lost");
	ck_assert_int_eq(judge(end, 0).result, JOB_RESULT_LOST);
	ck_assert_int_eq(judge(end, 0).next, JOB_HELD);
	put(F(ON_REBOOT), "rerun");
	ck_assert_int_eq(judge(end, 0).next, JOB_QUEUED);
	put(F(ON_REBOOT), "lost");
	ck_assert_int_eq(judge(end, 0).next, JOB_FINISHED);
}
END_TEST

START_TEST(lost_run_follows_on_lost_even_when_it_was_timing_out)
{
	struct run_end end = {.kind = RUN_END_LOST, .timed_out = true};

	put(F(RETRIES), "5");
	put(F(ON_REBOOT), "lost");
	ck_assert_int_eq(judge(end, 0).result, JOB_RESULT_LOST);
	ck_assert_int_eq(judge(end, 0).next, JOB_HELD);
	put(F(ON_LOST), "rerun");
	ck_assert_int_eq(judge(end, 0).next, JOB_QUEUED);
	/* the machine went down: the other rule */
	end.shutdown = true;
	ck_assert_int_eq(judge(end, 0).next, JOB_FINISHED);
}
END_TEST

START_TEST(function_result_is_its_error)
{
	struct run_end end = {.kind = RUN_END_FUNCTION, .error = 0};

	ck_assert_int_eq(judge(end, 0).result, JOB_RESULT_SUCCEEDED);
	end.error = -ENOENT;
	ck_assert_int_eq(judge(end, 0).result, JOB_RESULT_FAILED);
}
END_TEST

START_TEST(delay_doubles_up_to_its_maximum)
{
	const int64_t s = USEC_PER_SEC;

	put(F(RETRIES), "100");
	ck_assert_int_ge(
		judge((struct run_end){.wait_status = EXIT(1)}, 0).delay_usec, s - 100);
	ck_assert_int_le(
		judge((struct run_end){.wait_status = EXIT(1)}, 0).delay_usec, s);
	ck_assert_int_ge(judge((struct run_end){.wait_status = EXIT(1)}, 3).delay_usec,
		8 * s - 800);
	ck_assert_int_le(judge((struct run_end){.wait_status = EXIT(1)}, 50).delay_usec,
		300 * s);
	ck_assert_int_ge(judge((struct run_end){.wait_status = EXIT(1)}, 50).delay_usec,
		299 * s);
}
END_TEST

/* doubling, with a half of jitter: the defaults */
static int64_t delay(int64_t first, int64_t max, unsigned n_failed, uint32_t random)
{
	return backoff_delay_usec(
		&(struct backoff){first, max, 2, 50}, n_failed, random);
}

START_TEST(factor_and_jitter_are_what_is_asked_for)
{
	struct backoff b = {.first_usec = 1000, .max_usec = 50000, .factor = 3};

	ck_assert_int_eq(backoff_delay_usec(&b, 0, 0), 1000);
	ck_assert_int_eq(backoff_delay_usec(&b, 2, 0), 9000);
	ck_assert_int_eq(backoff_delay_usec(&b, 4, 0), 50000);
	b.factor = 1;
	ck_assert_int_eq(backoff_delay_usec(&b, 1000, 0), 1000);
	b.jitter = 100;
	ck_assert_int_eq(backoff_delay_usec(&b, 0, 0), 0);
	ck_assert_int_ge(backoff_delay_usec(&b, 0, UINT32_MAX), 999);
	b.jitter = 10;
	ck_assert_int_eq(backoff_delay_usec(&b, 0, 0), 900);
}
END_TEST

START_TEST(jitter_takes_away_at_most_a_half)
{
	ck_assert_int_eq(delay(1000000, 300000000, 0, 0), 500000);
	ck_assert_int_le(delay(1000000, 300000000, 0, UINT32_MAX), 1000000);
	ck_assert_int_ge(delay(1000000, 300000000, 0, UINT32_MAX), 999000);
	ck_assert_int_eq(delay(3, 3, 0, 0), 2);
}
END_TEST

START_TEST(delay_of_extreme_values_neither_overflows_nor_hangs)
{
	ck_assert_int_eq(delay(0, 1000, UINT32_MAX, UINT32_MAX), 0);
	ck_assert_int_ge(
		delay(INT64_MAX, INT64_MAX, UINT32_MAX, UINT32_MAX), INT64_MAX / 2);
	ck_assert_int_ge(delay(1, INT64_MAX, UINT32_MAX, 0), INT64_MAX / 2);
	/* a first delay over the maximum is kept: it was asked for */
	ck_assert_int_eq(delay(1000, 10, 5, 0), 500);
}
END_TEST

START_TEST(states_and_results_are_found_by_name)
{
	for (int i = 0; i < JOB_STATE_N; i++)
		ck_assert_int_eq(job_state_by_name(job_state_name[i]), i);
	for (int i = 1; i < JOB_RESULT_N; i++)
		ck_assert_int_eq(job_result_by_name(job_result_name[i]), i);
	ck_assert_int_eq(job_state_by_name("done"), -EINVAL);
	ck_assert_int_eq(job_result_by_name(""), -EINVAL);
}
END_TEST

START_TEST(every_state_can_be_left_and_reached_and_a_run_begins_with_starting)
{
	for (int a = 0; a < JOB_STATE_N; a++) {
		bool left = false, reached = false;

		ck_assert(!job_may_go[a][a]);
		for (int b = 0; b < JOB_STATE_N; b++) {
			left = left || job_may_go[a][b];
			/* new jobs begin in one of the first states */
			reached = reached || job_may_go[b][a] || a <= JOB_QUEUED;
			/* no run without a record of its start */
			if (job_state_is_active((enum job_state)b) && b != JOB_STARTING)
				ck_assert(!job_may_go[a][b] ||
					  job_state_is_active((enum job_state)a));
		}
		ck_assert(left && reached);
		/* cancel ends a job in whatever state it is */
		ck_assert(a == JOB_FINISHED || job_may_go[a][JOB_FINISHED]);
	}
	ck_assert(!job_may_go[JOB_STOPPING][JOB_RUNNING]);
	ck_assert(!job_may_go[JOB_FINISHED][JOB_STARTING]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge");
	TCase *tc = tcase_create("judge");
	SRunner *sr;
	int n;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, exit_0_succeeds);
	tcase_add_test(tc, other_exits_and_signals_fail_without_retries);
	tcase_add_test(tc, success_codes_decide_what_succeeds);
	tcase_add_test(tc, failures_are_retried_as_often_as_allowed);
	tcase_add_test(tc, retry_on_limits_what_is_retried);
	tcase_add_test(tc, start_failure_fails_and_is_retried_by_default);
	tcase_add_test(tc, timeout_is_a_result_whatever_the_exit_code_says);
	tcase_add_test(tc, cancel_is_final);
	tcase_add_test(tc, shutdown_follows_on_reboot_and_uses_no_retry);
	tcase_add_test(tc, lost_run_follows_on_lost_even_when_it_was_timing_out);
	tcase_add_test(tc, function_result_is_its_error);
	tcase_add_test(tc, delay_doubles_up_to_its_maximum);
	tcase_add_test(tc, factor_and_jitter_are_what_is_asked_for);
	tcase_add_test(tc, jitter_takes_away_at_most_a_half);
	tcase_add_test(tc, delay_of_extreme_values_neither_overflows_nor_hangs);
	tcase_add_test(tc, states_and_results_are_found_by_name);
	tcase_add_test(
		tc, every_state_can_be_left_and_reached_and_a_run_begins_with_starting);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	n = srunner_ntests_failed(sr);
	srunner_free(sr);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
