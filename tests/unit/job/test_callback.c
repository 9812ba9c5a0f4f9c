#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/strv.h"
#include "job/callback.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

#define BIT(what) (1u << CALLBACK_##what)
#define MINUTE    INT64_C(60000000)

static struct job_spec spec;

static void put(enum job_field f, const char *text)
{
	union job_value v;

	ck_assert_int_eq(job_value_parse(&v, f, text, NULL), 0);
	ck_assert_int_eq(job_spec_put(&spec, f, v), 0);
}

static void put_num(enum job_field f, int64_t n)
{
	ck_assert_int_eq(job_spec_put(&spec, f, (union job_value){.num = n}), 0);
}

static void setup(void)
{
	job_spec_init(&spec);
	put(JOB_FIELD_COMMAND, "build");
	put(JOB_FIELD_ON_SUCCESS, "echo good");
	put(JOB_FIELD_ON_FAILURE, "echo bad");
	put(JOB_FIELD_ON_FINISH, "echo over");
}

static void teardown(void)
{
	job_spec_deinit(&spec);
}

/* value of a variable of the job itself; NULL: not there; it must be there once at most */
static const char *env_of(const struct job_spec *s, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	STRV_FOREACH(e, job_strv(s, ENV))
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=') {
			ck_assert_ptr_null(found);
			found = *e + n + 1;
		}
	return found;
}

START_TEST(which_end_calls_for_which)
{
	static const unsigned calls[JOB_RESULT_N] = {
		[JOB_RESULT_SUCCEEDED] = BIT(SUCCESS) | BIT(FINISH),
		[JOB_RESULT_FAILED] = BIT(FAILURE) | BIT(FINISH),
		[JOB_RESULT_TIMEOUT] = BIT(FAILURE) | BIT(FINISH),
		[JOB_RESULT_CANCELLED] = BIT(FINISH),
		[JOB_RESULT_SKIPPED] = BIT(FINISH),
		[JOB_RESULT_LOST] = BIT(FINISH),
	};

	for (int r = JOB_RESULT_SUCCEEDED; r < JOB_RESULT_N; r++) {
		ck_assert_uint_eq(
			callbacks_of_end(&spec, (enum job_result)r, false), calls[r]);
		ck_assert_uint_eq(callbacks_of_end(&spec, (enum job_result)r, true), 0);
	}
}
END_TEST

START_TEST(what_is_not_set_is_not_called_for)
{
	job_spec_unset(&spec, JOB_FIELD_ON_FINISH);
	ck_assert_uint_eq(
		callbacks_of_end(&spec, JOB_RESULT_SUCCEEDED, false), BIT(SUCCESS));
	ck_assert_uint_eq(callbacks_of_end(&spec, JOB_RESULT_CANCELLED, false), 0);
}
END_TEST

START_TEST(a_callback_has_none)
{
	put(JOB_FIELD_CALLBACK, "failure");
	ck_assert_uint_eq(callbacks_of_end(&spec, JOB_RESULT_FAILED, false), 0);
}
END_TEST

static const struct callback_facts facts = {.id = 12,
	.run = 3,
	.result = JOB_RESULT_FAILED,
	.reason = "2 processes were left behind",
	.exit_code = -1,
	.signal = SIGKILL,
	.submitted_usec = 1000,
	.started_usec = 2000,
	.ended_usec = 3000};

START_TEST(facts_are_in_the_environment_and_not_in_the_command)
{
	static const char *const expected[][2] = {{"REEVE_CALLBACK", "failure"},
		{"REEVE_OF_ID", "12"}, {"REEVE_OF_NAME", "nightly"},
		{"REEVE_OF_RESULT", "failed"},
		{"REEVE_OF_REASON", "2 processes were left behind"},
		{"REEVE_OF_EXIT_CODE", ""}, {"REEVE_OF_SIGNAL", "SIGKILL"},
		{"REEVE_OF_RUN", "3"}, {"REEVE_OF_POOL", "a,b"},
		{"REEVE_OF_LABELS", "one two"}, {"REEVE_OF_SUBMITTED_USEC", "1000"},
		{"REEVE_OF_STARTED_USEC", "2000"}, {"REEVE_OF_ENDED_USEC", "3000"},
		{"REEVE_OF_SCHEDULE", "night"}, {"REEVE_OF_SCHEDULED_USEC", "900"},
		{"MINE", "x"}, {"PATH", NULL}};
	struct job_spec s;

	put(JOB_FIELD_NAME, "nightly");
	put(JOB_FIELD_POOL, "a,b");
	put(JOB_FIELD_LABEL, "one two");
	put(JOB_FIELD_ENV,
		"MINE=x\nREEVE_OF_ID=7\nREEVE_OF_MORE=1\nREEVE_CALLBACK=empty");
	put(JOB_FIELD_SCHEDULE, "night");
	put_num(JOB_FIELD_SCHEDULED, 900);
	ck_assert_int_eq(
		callback_make(&s, CALLBACK_FAILURE, &spec, true, &facts, MINUTE), 0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		if (expected[i][1])
			ck_assert_str_eq(env_of(&s, expected[i][0]), expected[i][1]);
		else
			ck_assert_ptr_null(env_of(&s, expected[i][0]));
	ck_assert_ptr_null(env_of(&s, "REEVE_OF_MORE"));
	ck_assert_str_eq(job_str(&s, SHELL_COMMAND), "echo bad");
	job_spec_deinit(&s);
}
END_TEST

START_TEST(what_does_not_apply_is_there_and_empty)
{
	struct callback_facts f = {
		.id = 1, .result = JOB_RESULT_SKIPPED, .exit_code = -1};
	static const char *const empty[] = {"NAME", "REASON", "EXIT_CODE", "SIGNAL",
		"LABELS", "STARTED_USEC", "SCHEDULE", "SCHEDULED_USEC"};
	struct job_spec s;
	char name[64];

	ck_assert_int_eq(
		callback_make(&s, CALLBACK_FINISH, &spec, false, &f, MINUTE), 0);
	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		snprintf(name, sizeof(name), "REEVE_OF_%s", empty[i]);
		ck_assert_ptr_nonnull(env_of(&s, name));
		ck_assert_str_eq(env_of(&s, name), "");
	}
	ck_assert_str_eq(env_of(&s, "REEVE_OF_RUN"), "0");
	ck_assert_str_eq(env_of(&s, "REEVE_OF_POOL"), "default");
	/* nobody's environment came with it */
	ck_assert_str_eq(env_of(&s, "PATH"), "/usr/local/bin:/usr/bin:/bin");
	job_spec_deinit(&s);
}
END_TEST

START_TEST(a_start_that_could_not_be_made_has_no_id)
{
	struct callback_facts f = {.reason = "no such pool: 'x'", .exit_code = -1};
	struct job_spec s;

	ck_assert_int_eq(
		callback_make(&s, CALLBACK_FAILURE, &spec, false, &f, MINUTE), 0);
	ck_assert_str_eq(env_of(&s, "REEVE_OF_ID"), "");
	ck_assert_str_eq(env_of(&s, "REEVE_OF_RESULT"), "");
	ck_assert_str_eq(env_of(&s, "REEVE_OF_REASON"), "no such pool: 'x'");
	ck_assert_str_eq(job_str(&s, NAME), "on-failure");
	ck_assert(!job_spec_has(&s, JOB_FIELD_CALLBACK_OF));
	job_spec_deinit(&s);
}
END_TEST

START_TEST(it_has_the_surroundings_of_the_job_and_bounds_of_its_own)
{
	struct job_spec s;

	put(JOB_FIELD_SHELL, "/bin/bash");
	put(JOB_FIELD_CWD, "/srv");
	put(JOB_FIELD_UMASK, "027");
	put(JOB_FIELD_NICE, "5");
	put(JOB_FIELD_RLIMITS, "core=0");
	put(JOB_FIELD_RETRIES, "3");
	put(JOB_FIELD_SLOTS, "4");
	put(JOB_FIELD_AFTER_ANY, "7");
	put(JOB_FIELD_MEMORY, "1G");
	put(JOB_FIELD_TIMEOUT, "1d");
	ck_assert_int_eq(
		callback_make(&s, CALLBACK_SUCCESS, &spec, true, &facts, MINUTE), 0);
	ck_assert_str_eq(job_str(&s, SHELL), "/bin/bash");
	ck_assert_str_eq(job_str(&s, CWD), "/srv");
	ck_assert_int_eq(job_num(&s, UMASK), 027);
	ck_assert_int_eq(job_num(&s, NICE), 5);
	ck_assert_str_eq(job_str(&s, RLIMITS), "core=0");
	ck_assert_str_eq(job_str(&s, NAME), "on-success-12");
	ck_assert_str_eq(job_str(&s, POOL), CALLBACK_POOL);
	ck_assert_str_eq(job_str(&s, CALLBACK), "success");
	ck_assert_int_eq(job_num(&s, CALLBACK_OF), 12);
	ck_assert_int_eq(job_num(&s, TIMEOUT), MINUTE);
	ck_assert_int_eq(job_num(&s, OUTPUT_MAX), CALLBACK_OUTPUT_MAX);
	ck_assert_int_eq(job_num(&s, RETRIES), 0);
	ck_assert_int_eq(job_num(&s, ON_REBOOT), JOB_ON_LOST_RERUN);
	ck_assert_int_eq(job_num(&s, ON_LOST), JOB_ON_LOST_LOST);
	ck_assert_int_eq(job_num(&s, SLOTS), 1);
	ck_assert_int_eq(job_num(&s, MEMORY), 0);
	ck_assert(!job_spec_has(&s, JOB_FIELD_AFTER_ANY));
	ck_assert(!job_spec_has(&s, JOB_FIELD_ON_SUCCESS));
	job_spec_deinit(&s);
}
END_TEST

START_TEST(callback_of_an_empty_pool_runs_as_who_is_named)
{
	struct callback_user user = {.name = "mo", .home = "/home/mo"};
	char pool[65];
	struct job_spec s;

	memset(pool, 'p', 64);
	pool[64] = '\0';
	put(JOB_FIELD_SHELL, "/bin/bash");
	ck_assert_int_eq(
		callback_make_empty(&s, pool, "echo empty", &spec, &user, MINUTE), 0);
	ck_assert_str_eq(env_of(&s, "REEVE_CALLBACK"), "empty");
	ck_assert_str_eq(env_of(&s, "REEVE_OF_POOL"), pool);
	ck_assert_str_eq(env_of(&s, "HOME"), "/home/mo");
	ck_assert_str_eq(env_of(&s, "USER"), "mo");
	ck_assert_str_eq(env_of(&s, "LOGNAME"), "mo");
	ck_assert_str_eq(job_str(&s, SHELL), "/bin/bash");
	ck_assert_str_eq(job_str(&s, SHELL_COMMAND), "echo empty");
	ck_assert_str_eq(job_str(&s, CALLBACK), "empty");
	ck_assert(!job_spec_has(&s, JOB_FIELD_CALLBACK_OF));
	/* what other defaults there are is for jobs that somebody submits */
	ck_assert(!job_spec_has(&s, JOB_FIELD_ON_FINISH));
	ck_assert_uint_eq(strlen(job_str(&s, NAME)), 64);
	job_spec_deinit(&s);
}
END_TEST

static int make_both(void *arg)
{
	struct callback_user user = {.name = "mo", .home = "/home/mo"};
	struct job_spec s;
	int r = callback_make(&s, CALLBACK_FAILURE, &spec, false, &facts, MINUTE);

	if (r < 0)
		return r;
	job_spec_deinit(&s);
	r = callback_make_empty(&s, "p", "true", &spec, &user, MINUTE);
	if (r >= 0)
		job_spec_deinit(&s);
	return r;
}

START_TEST(making_one_survives_every_failed_allocation)
{
	put(JOB_FIELD_LABEL, "one two");
	put(JOB_FIELD_ENV, "A=1");
	ck_assert_int_eq(alloc_fail_sweep(make_both, NULL), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		which_end_calls_for_which,
		what_is_not_set_is_not_called_for,
		a_callback_has_none,
		facts_are_in_the_environment_and_not_in_the_command,
		what_does_not_apply_is_there_and_empty,
		a_start_that_could_not_be_made_has_no_id,
		it_has_the_surroundings_of_the_job_and_bounds_of_its_own,
		callback_of_an_empty_pool_runs_as_who_is_named,
		making_one_survives_every_failed_allocation,
	};
	Suite *s = suite_create("job/callback");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int n;

	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	n = srunner_ntests_failed(sr);
	srunner_free(sr);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
