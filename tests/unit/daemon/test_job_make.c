/* Jobs that the daemon makes by itself: the checks and limits of Submit hold. */
#include "tests/unit/daemon/fixture.h"

#include "daemon/functions.h"
#include "daemon/job_make.h"

static void begin(struct fixture *fx)
{
	fixture_start_committer(fx);
	ck_assert_int_eq(functions_new(&fx->core.functions), 0);
}

static int end(struct fixture *fx)
{
	functions_free(fx->core.functions);
	fx->core.functions = NULL;
	return 0;
}

static void put_str(struct job_spec *s, enum job_field f, const char *text)
{
	union job_value v;

	ck_assert_int_eq(job_value_parse(&v, f, text, NULL), 0);
	ck_assert_int_eq(job_spec_put(s, f, v), 0);
}

/* one with this field; a command where it is none of those that say the work */
static struct job_spec spec_of(enum job_field f, const char *text)
{
	struct job_spec s;

	job_spec_init(&s);
	if (f != JOB_FIELD_FUNCTION)
		put_str(&s, JOB_FIELD_SHELL_COMMAND, "true");
	put_str(&s, f, text);
	return s;
}

static void expect_refused(struct fixture *fx, struct job_spec spec, uint32_t uid,
	size_t n_expected, int error, const char *message)
{
	struct job *j = NULL;
	char *text;
	int r = job_make(&j, &fx->core, &spec, uid, uid, n_expected, &text);

	ck_assert_int_eq(r, error);
	ck_assert_ptr_null(j);
	ck_assert_msg(text && strstr(text, message), "'%s' instead of '%s'",
		text ? text : "nothing", message);
	free(text);
	job_spec_deinit(&spec);
}

DAEMON_TEST(what_cannot_be_is_refused_with_the_reason)
{
	begin(fx);
	expect_refused(fx, spec_of(JOB_FIELD_POOL, "deep"), 1, 0, -EINVAL,
		"no such pool: 'deep'");
	expect_refused(fx, spec_of(JOB_FIELD_NEED, "gpu=1"), 1, 0, -EINVAL,
		"no such resource: 'gpu'");
	expect_refused(fx, spec_of(JOB_FIELD_SLOTS, "3"), 1, 0, -EINVAL, "slots");
	expect_refused(fx, spec_of(JOB_FIELD_FUNCTION, "nonsense"), 1, 0, -EINVAL,
		"no such function: 'nonsense'");
	fx->core.system_mode = true;
	expect_refused(fx, spec_of(JOB_FIELD_OUTPUT, "inherit"), 1, 0, -EINVAL,
		"only for root");
	expect_refused(fx, spec_of(JOB_FIELD_FUNCTION, "file.hash"), 1, 0, -EINVAL,
		"only for root");
	return end(fx);
}

/* one that is no more than made: it comes and goes */
static int try(struct fixture *fx, uint32_t uid, size_t n_expected)
{
	struct job_spec spec = spec_of(JOB_FIELD_NAME, "x");
	struct job *j = NULL;
	char *text;
	int r = job_make(&j, &fx->core, &spec, uid, uid, n_expected, &text);

	job_unmake(&fx->core, j);
	job_spec_deinit(&spec);
	free(text);
	return r;
}

DAEMON_TEST(limits_count_those_that_are_made_but_not_there_yet)
{
	begin(fx);
	fx->config->v[CONFIG_JOBS_MAX].num = 5;
	fx->config->v[CONFIG_JOBS_PER_USER_MAX].num = 3;
	for (uint64_t id = 1; id <= 2; id++)
		fixture_add_job(
			fx, id, &(struct fixture_job){.state = JOB_QUEUED, .uid = 7});
	ck_assert_int_eq(try(fx, 7, 0), 0);
	ck_assert_int_eq(try(fx, 7, 1), -RV_ELIMIT);
	ck_assert_int_eq(try(fx, 8, 2), 0);
	ck_assert_int_eq(try(fx, 8, 3), -RV_ELIMIT);
	fixture_add_job(fx, 3, &(struct fixture_job){.state = JOB_FINISHED, .uid = 7});
	ck_assert_int_eq(try(fx, 7, 0), 0);
	expect_refused(fx, spec_of(JOB_FIELD_NAME, "x"), 7, 1, -RV_ELIMIT,
		"jobs-per-user-max = 3");
	expect_refused(
		fx, spec_of(JOB_FIELD_NAME, "x"), 9, 3, -RV_ELIMIT, "jobs-max = 5");
	return end(fx);
}

DAEMON_TEST(what_is_committed_is_in_the_table_and_in_the_store)
{
	struct job_spec spec = spec_of(JOB_FIELD_NAME, "made");
	struct job *made[2];
	struct txn *t = txn_new();
	uint64_t reserved;
	char *text;

	begin(fx);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			job_make(&made[i], &fx->core, &spec, 7, 8, (size_t)i, &text),
			0);
	ck_assert_int_eq(jobs_make_record(&fx->core, made, 2, &reserved, t), 0);
	ck_assert_uint_gt(made[0]->id, 0);
	ck_assert_uint_eq(made[1]->id, made[0]->id + 1);
	ck_assert_uint_ge(reserved, made[1]->id);
	ck_assert_int_eq(committer_commit(fx->core.committer, t, 0), 0);
	jobs_ids_are_reserved(fx->core.jobs, reserved);
	for (int i = 0; i < 2; i++)
		job_make_publish(&fx->core, made[i]);
	ck_assert_ptr_eq(jobs_find_name(fx->core.jobs, 7, false, "made"), made[1]);
	ck_assert_uint_eq(jobs_unfinished_of(fx->core.jobs, 7), 2);
	ck_assert_int_eq(made[0]->gid, 8);
	/* none is nothing to write */
	t = txn_new();
	ck_assert_int_eq(jobs_make_record(&fx->core, NULL, 0, &reserved, t), 0);
	ck_assert_uint_eq(reserved, 0);
	txn_free(t);
	job_spec_deinit(&spec);
	return end(fx);
}

UNIT_MAIN("job_make", what_cannot_be_is_refused_with_the_reason,
	limits_count_those_that_are_made_but_not_there_yet,
	what_is_committed_is_in_the_table_and_in_the_store)
