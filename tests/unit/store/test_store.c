/* What every store does, on disk and in memory alike: each test runs on both. */
#include "config.h"

#include "store/store.h"

#include <string.h>

#include "base/error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"
#include "tests/unit/store/store_fixture.h"

static struct temp_dir dir;
static bool in_memory;
static struct store *st;

static void set_up(void)
{
	dir = temp_dir_make();
	if (in_memory)
		ck_assert_int_eq(store_open_memory(&st), 0);
	else
		st = open_store(dir.fd, STORE_DURABILITY_FULL);
}

static void tear_down(void)
{
	st = store_close(st);
	temp_dir_remove(&dir);
}

static void expect_contents(const char *expected)
{
	_cleanup_free_ char *got = dump_store(st);

	ck_assert_str_eq(got, expected);
}

START_TEST(new_store_is_empty)
{
	int64_t when = 5;

	expect_contents("");
	ck_assert_int_eq(store_removed(st, 1, &when), 0);
	ck_assert_int_eq(store_wal_bytes(st) > 1 << 20, 0);
}
END_TEST

START_TEST(every_member_comes_back)
{
	struct store_job job = fixture_job(INT64_MAX);
	struct store_run run = fixture_run(INT64_MAX, UINT32_MAX);
	struct store_op key = op_key(0, "k\xff", 9);
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;
	_cleanup_free_ char *runs = NULL, *want_run = NULL;

	ck_assert_int_eq(APPLY(st, op_env(fixture_env), op_job(STORE_JOB_INSERT, job),
				 op_run(STORE_RUN_INSERT, run), key,
				 op_meta(STORE_META_SET, "next", INT64_MIN)),
		0);
	buf_printf(&want, "meta next=%lld\n", (long long)INT64_MIN);
	dump_env(&want, &fixture_env);
	dump_key(&want, &key.key);
	dump_job(&want, &job);
	dump_run(&want, &run);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));

	buf_clear(&want);
	dump_run(&want, &run);
	want_run = buf_steal_str(&want, NULL);
	runs = dump_runs(st, INT64_MAX);
	ck_assert_str_eq(runs, want_run);
}
END_TEST

START_TEST(what_is_absent_comes_back_absent)
{
	struct store_job job = {.id = 1, .spec = "", .spec_len = 0};
	struct store_run run = {.token = {1, 1, 0}};
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	ck_assert_int_eq(
		APPLY(st, op_job(STORE_JOB_INSERT, job), op_run(STORE_RUN_INSERT, run)),
		0);
	dump_job(&want, &job);
	dump_run(&want, &run);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));
}
END_TEST

START_TEST(job_update_changes_all_but_what_was_submitted)
{
	struct store_job job = fixture_job(1), changed = {.id = 1, .exit_code = 3};
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	job.env_id = 0;
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, job)), 0);
	changed.uid = 77; /* not taken over */
	changed.state = JOB_RUNNING;
	changed.reason = "new";
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_UPDATE, changed)), 0);

	changed.uid = job.uid;
	changed.gid = job.gid;
	changed.submitted_usec = job.submitted_usec;
	changed.spec = job.spec;
	changed.spec_len = job.spec_len;
	dump_job(&want, &changed);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));
}
END_TEST

START_TEST(job_update_with_a_spec_replaces_it)
{
	struct store_job job = fixture_job(1);
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	job.env_id = 0;
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, job)), 0);
	job.spec = "\0other";
	job.spec_len = 6;
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_UPDATE, job)), 0);
	dump_job(&want, &job);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));
}
END_TEST

START_TEST(spec_of_a_megabyte_comes_back)
{
	_cleanup_free_ char *big = malloc(1 << 20);
	struct store_job job = fixture_job(1);
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	for (size_t i = 0; i < 1 << 20; i++)
		big[i] = (char)(i * 7);
	job.env_id = 0;
	job.spec = big;
	job.spec_len = 1 << 20;
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, job)), 0);
	dump_job(&want, &job);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));
}
END_TEST

START_TEST(run_update_needs_the_whole_token)
{
	struct store_run run = fixture_run(1, 2), other;
	_cleanup_free_ char *before = NULL, *after = NULL;

	ck_assert_int_eq(APPLY(st, op_plain_job(1), op_run(STORE_RUN_INSERT, run)), 0);
	before = dump_runs(st, 1);
	for (int i = 0; i < 3; i++) {
		other = run;
		other.result = JOB_RESULT_LOST;
		other.token.job_id += i == 0;
		other.token.run += i == 1;
		other.token.epoch += i == 2;
		ck_assert_int_eq(APPLY(st, op_run(STORE_RUN_UPDATE, other)), -ENOENT);
	}
	after = dump_runs(st, 1);
	ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(run_update_changes_all_but_the_token)
{
	struct store_run run = {.token = fixture_run(1, 2).token};
	_cleanup_free_ char *got = NULL;
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	ck_assert_int_eq(APPLY(st, op_plain_job(1), op_run(STORE_RUN_INSERT, run)), 0);
	run = fixture_run(1, 2);
	ck_assert_int_eq(APPLY(st, op_run(STORE_RUN_UPDATE, run)), 0);
	dump_run(&want, &run);
	buf_append(&want, "", 1);
	got = dump_runs(st, 1);
	ck_assert_str_eq(got, buf_head(&want));
}
END_TEST

START_TEST(load_gives_unfinished_runs_and_the_last)
{
	struct store_op ops[20];
	size_t n = 0;
	char *want = NULL;
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_free_ char *all = NULL;

	/* job 1: 3 runs, the first unfinished; 2: none; 3: one, 4: 2, both unfinished
	 */
	for (uint64_t id = 1; id <= 4; id++)
		ops[n++] = op_plain_job(id);
	ops[n] = op_run(STORE_RUN_INSERT, fixture_run(1, 1));
	ops[n++].run.ended_usec = 0;
	ops[n++] = op_run(STORE_RUN_INSERT, fixture_run(1, 2));
	ops[n++] = op_run(STORE_RUN_INSERT, fixture_run(1, 3));
	ops[n++] = op_run(STORE_RUN_INSERT, fixture_run(3, 1));
	for (uint32_t run = 1; run <= 2; run++) {
		ops[n] = op_run(STORE_RUN_INSERT, fixture_run(4, run));
		ops[n++].run.ended_usec = 0;
	}
	ck_assert_int_eq(apply_ops(st, ops, n), 0);

	dump_job(&b, &ops[0].job);
	dump_run(&b, &ops[4].run);
	dump_run(&b, &ops[6].run);
	dump_job(&b, &ops[1].job);
	dump_job(&b, &ops[2].job);
	dump_run(&b, &ops[7].run);
	dump_job(&b, &ops[3].job);
	dump_run(&b, &ops[8].run);
	dump_run(&b, &ops[9].run);
	buf_append(&b, "", 1);
	want = buf_head(&b);
	expect_contents(want);

	all = dump_runs(st, 1); /* store_runs gives the finished ones, too */
	buf_clear(&b);
	for (int i = 4; i <= 6; i++)
		dump_run(&b, &ops[i].run);
	buf_append(&b, "", 1);
	ck_assert_str_eq(all, buf_head(&b));
}
END_TEST

static int stop_at_2(const struct store_job *j, void *arg)
{
	return j->id == 2 ? -ECANCELED : 0;
}

START_TEST(callback_that_fails_stops_the_load)
{
	const struct store_load_ops ops = {.job = stop_at_2};

	ck_assert_int_eq(
		APPLY(st, op_plain_job(1), op_plain_job(2), op_plain_job(3)), 0);
	ck_assert_int_eq(store_load(st, &ops, NULL), -ECANCELED);
	ck_assert_uint_eq(count_jobs(st), 3); /* and it can be loaded again */
	ck_assert_int_eq(APPLY(st, op_plain_job(4)), 0);
}
END_TEST

START_TEST(refused_unit_fails_alone)
{
	struct store_op a[] = {op_plain_job(1), op_key(5, "key", 1)};
	struct store_op b[] = {op_plain_job(2), op_plain_job(3), op_key(5, "key", 2)};
	struct store_op c[] = {op_plain_job(4), op_key(6, "key", 4)};
	struct store_op d[] = {op_plain_job(5), op_plain_job(4)};
	struct store_unit u[] = {
		{a, 2, false, 9}, {b, 3, false, 9}, {c, 2, false, 9}, {d, 2, false, 9}};
	struct store_unit *units[] = {&u[0], &u[1], &u[2], &u[3]};
	_cleanup_free_ char *got = NULL;

	ck_assert_int_eq(store_apply(st, units, 4), 0);
	ck_assert_int_eq(u[0].error, 0);
	ck_assert_int_eq(u[1].error, -RV_EDUPLICATE);
	ck_assert_int_eq(u[2].error, 0);
	ck_assert_int_eq(u[3].error, -EEXIST);
	got = dump_store(st);
	ck_assert_uint_eq(count_jobs(st), 2);
	ck_assert_ptr_nonnull(strstr(got, "job 1 "));
	ck_assert_ptr_nonnull(strstr(got, "job 4 "));
}
END_TEST

START_TEST(single_unit_that_is_refused_leaves_nothing)
{
	ck_assert_int_eq(APPLY(st, op_plain_job(1), op_plain_job(1)), -EEXIST);
	expect_contents("");
	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
}
END_TEST

START_TEST(start_that_never_happened_is_overwritten_by_the_next)
{
	struct store_run again = fixture_run(1, 1);

	again.token.epoch += 7;
	ck_assert_int_eq(
		APPLY(st, op_plain_job(1), op_run(STORE_RUN_INSERT, fixture_run(1, 1))),
		0);
	ck_assert_int_eq(APPLY(st, op_run(STORE_RUN_INSERT, again)), 0);
	/* of the first nothing is left: its token matches no more */
	ck_assert_int_eq(
		APPLY(st, op_run(STORE_RUN_UPDATE, fixture_run(1, 1))), -ENOENT);
	ck_assert_int_eq(APPLY(st, op_run(STORE_RUN_UPDATE, again)), 0);
}
END_TEST

START_TEST(runs_with_a_lower_number_are_forgotten)
{
	_cleanup_free_ char *other = NULL, *left = NULL, *want = NULL;
	struct store_op forget = op_run(STORE_RUNS_FORGET, fixture_run(1, 3));
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	struct store_run last = fixture_run(1, 3);

	ck_assert_int_eq(APPLY(st, op_plain_job(1), op_plain_job(2),
				 op_run(STORE_RUN_INSERT, fixture_run(1, 1)),
				 op_run(STORE_RUN_INSERT, fixture_run(1, 2)),
				 op_run(STORE_RUN_INSERT, last),
				 op_run(STORE_RUN_INSERT, fixture_run(2, 1))),
		0);
	other = dump_runs(st, 2);
	ck_assert_int_eq(APPLY(st, forget), 0);
	ck_assert_int_eq(APPLY(st, forget), 0); /* there may be none */
	dump_run(&b, &last);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	left = dump_runs(st, 1);
	ck_assert_str_eq(left, buf_head(&b));
	want = dump_runs(st, 2);
	ck_assert_str_eq(want, other);
	forget.run.token.job_id = 0;
	ck_assert_int_eq(APPLY(st, forget), -EINVAL);
}
END_TEST

static int count_output(const struct store_run *rec, void *arg)
{
	ck_assert_ptr_nonnull(rec->output);
	++*(int *)arg;
	return 0;
}

START_TEST(outputs_of_all_runs_are_told_and_of_no_other)
{
	struct store_run silent = fixture_run(1, 2);
	int n = 0;

	silent.output = NULL;
	ck_assert_int_eq(APPLY(st, op_plain_job(1), op_plain_job(2),
				 op_run(STORE_RUN_INSERT, fixture_run(1, 1)),
				 op_run(STORE_RUN_INSERT, silent),
				 op_run(STORE_RUN_INSERT, fixture_run(2, 1))),
		0);
	ck_assert_int_eq(store_outputs(st, count_output, &n), 0);
	ck_assert_int_eq(n, 2);
}
END_TEST

START_TEST(unit_sees_what_units_before_it_did)
{
	struct store_op a[] = {op_plain_job(1)};
	struct store_op b[] = {op_run(STORE_RUN_INSERT, fixture_run(1, 1))};
	struct store_unit u[] = {{a, 1, false, 9}, {b, 1, false, 9}};
	struct store_unit *units[] = {&u[0], &u[1]};

	ck_assert_int_eq(store_apply(st, units, 2), 0);
	ck_assert_int_eq(u[0].error, 0);
	ck_assert_int_eq(u[1].error, 0);
}
END_TEST

START_TEST(unit_that_needs_a_refused_one_is_refused_too)
{
	struct store_op a[] = {op_plain_job(1), op_plain_job(1)};
	struct store_op b[] = {op_run(STORE_RUN_INSERT, fixture_run(1, 1))};
	struct store_unit u[] = {{a, 2, false, 9}, {b, 1, false, 9}};
	struct store_unit *units[] = {&u[0], &u[1]};

	ck_assert_int_eq(store_apply(st, units, 2), 0);
	ck_assert_int_eq(u[0].error, -EEXIST);
	ck_assert_int_eq(u[1].error, -ENOENT);
	expect_contents("");
}
END_TEST

START_TEST(operations_on_what_is_not_there_are_refused)
{
	struct store_job job = fixture_job(1);

	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_UPDATE, job)), -ENOENT);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, job)), -ENOENT);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, job)), -ENOENT); /* env */
	ck_assert_int_eq(
		APPLY(st, op_run(STORE_RUN_INSERT, fixture_run(1, 1))), -ENOENT);
	expect_contents("");
}
END_TEST

START_TEST(values_that_cannot_be_are_refused)
{
	struct store_job job = {.id = 0, .spec = "x", .spec_len = 1};

	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, job)), -EINVAL);
	job.id = (uint64_t)INT64_MAX + 1;
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, job)), -EINVAL);
	job.id = 1;
	job.spec = NULL;
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, job)), -EINVAL);
	ck_assert_int_eq(APPLY(st, op_meta(STORE_META_SET, ".mine", 1)), -EINVAL);
	ck_assert_int_eq(APPLY(st, op_meta(STORE_META_SET, "", 1)), -EINVAL);
	ck_assert_int_eq(APPLY(st, op_env((struct store_env){0, "", 0})), -EINVAL);
	ck_assert_int_eq(APPLY(st, (struct store_op){.kind = 99}), -EINVAL);
	expect_contents("");
}
END_TEST

START_TEST(environment_goes_with_its_last_job)
{
	ck_assert_int_eq(
		APPLY(st, op_env(fixture_env), op_job(STORE_JOB_INSERT, fixture_job(1)),
			op_job(STORE_JOB_INSERT, fixture_job(2))),
		0);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, fixture_job(1))), 0);
	/* still there: inserting it again is nothing, and makes it no user */
	ck_assert_int_eq(APPLY(st, op_env(fixture_env)), 0);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, fixture_job(2))), 0);
	expect_contents("");
}
END_TEST

START_TEST(environment_goes_when_its_last_job_takes_another)
{
	struct store_env other = {8, "X=1", 4};
	struct store_job job = fixture_job(1);
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	ck_assert_int_eq(
		APPLY(st, op_env(fixture_env), op_job(STORE_JOB_INSERT, job)), 0);
	job.env_id = other.id;
	ck_assert_int_eq(APPLY(st, op_env(other), op_job(STORE_JOB_UPDATE, job)), 0);
	dump_env(&want, &other);
	dump_job(&want, &job);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));

	job.env_id = 0;
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_UPDATE, job)), 0);
	buf_clear(&want);
	dump_job(&want, &job);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));
}
END_TEST

START_TEST(refused_units_change_no_count_of_users)
{
	struct store_job j1 = fixture_job(1), j2 = fixture_job(2);
	/* brings the environment and is refused; brings it again; drops it, takes it
	 * back, and is refused; takes it */
	struct store_op a[] = {op_env(fixture_env), op_job(STORE_JOB_INSERT, j1),
		op_job(STORE_JOB_INSERT, j1)};
	struct store_op b[] = {op_env(fixture_env), op_job(STORE_JOB_INSERT, j1)};
	struct store_op c[] = {op_job(STORE_JOB_REMOVE, j1), op_env(fixture_env),
		op_job(STORE_JOB_INSERT, j2), op_job(STORE_JOB_INSERT, j2)};
	struct store_op e[] = {op_job(STORE_JOB_INSERT, j2)};
	struct store_unit u[] = {
		{a, 3, false, 9}, {b, 2, false, 9}, {c, 4, false, 9}, {e, 1, false, 9}};
	struct store_unit *units[] = {&u[0], &u[1], &u[2], &u[3]};
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	ck_assert_int_eq(store_apply(st, units, 4), 0);
	ck_assert_int_eq(u[0].error, -EEXIST);
	ck_assert_int_eq(u[1].error, 0);
	ck_assert_int_eq(u[2].error, -EEXIST);
	ck_assert_int_eq(u[3].error, 0);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, j1)), 0);
	dump_env(&want, &fixture_env);
	dump_job(&want, &j2);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, j2)), 0);
	expect_contents("");
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_INSERT, j1)), -ENOENT);
}
END_TEST

START_TEST(removed_job_takes_its_runs_along_and_leaves_its_date)
{
	struct store_job job = {.id = 2, .finished_usec = 4711};
	_cleanup_free_ char *runs = NULL;
	int64_t when = 0;

	ck_assert_int_eq(APPLY(st, op_plain_job(1), op_plain_job(2), op_plain_job(3),
				 op_run(STORE_RUN_INSERT, fixture_run(2, 1)),
				 op_run(STORE_RUN_INSERT, fixture_run(2, 2))),
		0);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, job)), 0);
	ck_assert_int_eq(store_removed(st, 2, &when), 1);
	ck_assert_int_eq(when, 4711);
	runs = dump_runs(st, 2);
	ck_assert_str_eq(runs, "");
	ck_assert_uint_eq(count_jobs(st), 2);
	ck_assert_int_eq(store_removed(st, 1, &when), 0);
	ck_assert_int_eq(store_removed(st, 4, &when), 0);
	ck_assert_int_eq(store_removed(st, 0, &when), 0);
	ck_assert_int_eq(store_removed(st, UINT64_MAX, &when), 0);
}
END_TEST

START_TEST(refused_removal_leaves_no_tombstone)
{
	int64_t when;

	ck_assert_int_eq(APPLY(st, op_plain_job(1)), 0);
	ck_assert_int_eq(APPLY(st, op_job(STORE_JOB_REMOVE, fixture_job(1)),
				 op_job(STORE_JOB_REMOVE, fixture_job(9))),
		-ENOENT);
	ck_assert_int_eq(store_removed(st, 1, &when), 0);
	ck_assert_uint_eq(count_jobs(st), 1);
}
END_TEST

START_TEST(keys_before_the_time_expire)
{
	struct store_op old = op_key(1, "old", 1), new = op_key(1, "new", 2);
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	new.key.created_usec = 2000;
	ck_assert_int_eq(APPLY(st, old, new), 0);
	ck_assert_int_eq(APPLY(st, op_meta(STORE_KEYS_EXPIRE, NULL, 2000)), 0);
	dump_key(&want, &new.key);
	buf_append(&want, "", 1);
	expect_contents(buf_head(&want));
	ck_assert_int_eq(APPLY(st, old), 0); /* and may be used again */
}
END_TEST

START_TEST(key_belongs_to_its_user)
{
	ck_assert_int_eq(APPLY(st, op_key(1, "k", 1), op_key(2, "k", 2)), 0);
	ck_assert_int_eq(APPLY(st, op_key(2, "k", 3)), -RV_EDUPLICATE);
}
END_TEST

START_TEST(meta_is_set_again)
{
	ck_assert_int_eq(APPLY(st, op_meta(STORE_META_SET, "epoch", 1)), 0);
	ck_assert_int_eq(APPLY(st, op_meta(STORE_META_SET, "epoch", 2)), 0);
	expect_contents("meta epoch=2\n");
}
END_TEST

START_TEST(definitions_are_set_replaced_and_removed)
{
	ck_assert_int_eq(
		APPLY(st, op_definition(STORE_DEFINITION_SET, "pool", "b", "x\n"),
			op_definition(STORE_DEFINITION_SET, "pool", "a", "y"),
			op_definition(STORE_DEFINITION_SET, "pool", "b", "z\n"),
			op_definition(STORE_DEFINITION_SET, "other", "a", "")),
		0);
	expect_contents("definition other a: \ndefinition pool a: y\n"
			"definition pool b: z\n\n");
	ck_assert_int_eq(
		APPLY(st, op_definition(STORE_DEFINITION_REMOVE, "pool", "b", NULL)),
		0);
	ck_assert_int_eq(
		APPLY(st, op_definition(STORE_DEFINITION_REMOVE, "pool", "b", NULL),
			op_definition(STORE_DEFINITION_SET, "pool", "c", "kept")),
		0);
	ck_assert_int_eq(
		APPLY(st, op_definition(STORE_DEFINITION_SET, "pool", "b", NULL)),
		-EINVAL);
	expect_contents("definition other a: \ndefinition pool a: y\n"
			"definition pool c: kept\n");
}
END_TEST

START_TEST(no_units_are_applied_at_once)
{
	ck_assert_int_eq(store_apply(st, NULL, 0), 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {&new_store_is_empty,
		&every_member_comes_back, &what_is_absent_comes_back_absent,
		&job_update_changes_all_but_what_was_submitted,
		&job_update_with_a_spec_replaces_it, &spec_of_a_megabyte_comes_back,
		&run_update_needs_the_whole_token,
		&run_update_changes_all_but_the_token,
		&load_gives_unfinished_runs_and_the_last,
		&callback_that_fails_stops_the_load, &refused_unit_fails_alone,
		&single_unit_that_is_refused_leaves_nothing,
		&start_that_never_happened_is_overwritten_by_the_next,
		&outputs_of_all_runs_are_told_and_of_no_other,
		&unit_sees_what_units_before_it_did,
		&unit_that_needs_a_refused_one_is_refused_too,
		&operations_on_what_is_not_there_are_refused,
		&values_that_cannot_be_are_refused, &environment_goes_with_its_last_job,
		&environment_goes_when_its_last_job_takes_another,
		&refused_units_change_no_count_of_users,
		&removed_job_takes_its_runs_along_and_leaves_its_date,
		&refused_removal_leaves_no_tombstone, &keys_before_the_time_expire,
		&key_belongs_to_its_user, &meta_is_set_again,
		&definitions_are_set_replaced_and_removed,
		&runs_with_a_lower_number_are_forgotten, &no_units_are_applied_at_once};
	int n_failed = 0;

	for (int i = 0; i < 2; i++) {
		Suite *suite = suite_create(i ? "store in memory" : "store on disk");
		TCase *tc = tcase_create("all");
		SRunner *runner = srunner_create(suite);

		in_memory = i;
		tcase_add_checked_fixture(tc, set_up, tear_down);
		for (size_t j = 0; j < sizeof(tests) / sizeof(tests[0]); j++)
			tcase_add_test(tc, *tests[j]);
		tcase_set_timeout(tc, 120);
		suite_add_tcase(suite, tc);
		srunner_run_all(runner, CK_NORMAL);
		n_failed += srunner_ntests_failed(runner);
		srunner_free(runner);
	}
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
