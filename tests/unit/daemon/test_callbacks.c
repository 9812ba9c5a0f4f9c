#include "tests/unit/daemon/fixture.h"

#include "job/callback.h"

#define JOB(...) (&(struct fixture_job){__VA_ARGS__})

/* what the store has of the daemon's own jobs, which begin behind those of the tests */
enum { FIRST_OWN = 100 };

static void start(struct fixture *fx)
{
	jobs_set_next_id(fx->core.jobs, FIRST_OWN);
	fixture_record_jobs(fx);
}

/* its end is recorded, into a transaction that goes to nobody yet */
static struct store_job record(struct fixture *fx, struct job *j,
	enum job_result result, const char *reason, struct txn *t)
{
	struct store_job rec;

	job_record(j, &rec);
	rec.state = JOB_FINISHED;
	rec.result = result;
	rec.reason = reason;
	rec.finished_usec = 1;
	job_begin(fx->core.jobs, j);
	ck_assert_int_eq(callbacks_record_end(&fx->core, j, &rec, t), 0);
	return rec;
}

/* 0, or why it was refused: then it is given up */
static int end(struct fixture *fx, struct job *j, enum job_result result)
{
	struct txn *t = txn_new();
	struct store_job rec = record(fx, j, result, NULL, t);
	int r = committer_commit(fx->core.committer, t, 0);

	if (r >= 0)
		job_publish(fx->core.jobs, j, &rec);
	job_end(fx->core.jobs, j);
	return r;
}

static int count(const struct store_job *rec, void *arg)
{
	if (rec->id >= FIRST_OWN)
		++*(size_t *)arg;
	return 0;
}

static int ignore_meta(const char *name, int64_t number, void *arg)
{
	return 0;
}
static int ignore_definition(const struct store_definition *d, void *arg)
{
	return 0;
}
static int ignore_env(const struct store_env *e, void *arg)
{
	return 0;
}
static int ignore_key(const struct store_key *k, void *arg)
{
	return 0;
}
static int ignore_run(const struct store_run *rec, void *arg)
{
	return 0;
}

/* callbacks that are on disk */
static size_t n_stored(struct fixture *fx)
{
	static const struct store_load_ops ops = {.meta = ignore_meta,
		.definition = ignore_definition,
		.env = ignore_env,
		.key = ignore_key,
		.job = count,
		.run = ignore_run};
	size_t n = 0;

	ck_assert_int_eq(store_load(fx->core.store, &ops, &n), 0);
	return n;
}

static size_t n_of(struct fixture *fx, uint64_t id)
{
	size_t n;

	callbacks_of(&fx->core, id, &n);
	return n;
}

DAEMON_TEST(callbacks_are_on_disk_with_the_end_and_in_the_table_behind_it)
{
	struct job *a = fixture_add_job(fx, 1,
		JOB(.state = JOB_QUEUED, .on_failure = "f", .on_finish = "x",
			.uid = 7));
	const uint64_t *ids;
	struct job *cb;
	char name[65];
	size_t n;

	start(fx);
	ck_assert_int_eq(end(fx, a, JOB_RESULT_FAILED), 0);
	ck_assert_uint_eq(n_stored(fx), 2);
	ids = callbacks_of(&fx->core, 1, &n);
	ck_assert_uint_eq(n, 2);
	cb = jobs_find(fx->core.jobs, ids[0]);
	ck_assert_str_eq(job_name(cb, name), "on-failure-1");
	ck_assert_uint_eq(cb->uid, 7);
	ck_assert_int_eq(cb->state, JOB_QUEUED);
	ck_assert(job_is_in_order(cb));
	ck_assert_str_eq(
		job_name(jobs_find(fx->core.jobs, ids[1]), name), "on-finish-1");
	/* of no limit that is for users */
	ck_assert_uint_eq(jobs_unfinished(fx->core.jobs), 0);
	ck_assert_uint_eq(jobs_unfinished_of(fx->core.jobs, 7), 0);
	ck_assert_uint_eq(jobs_callbacks(fx->core.jobs), 2);
	jobs_forget(fx->core.jobs, cb);
	ck_assert_uint_eq(n_of(fx, 1), 1);
	ck_assert_uint_eq(jobs_callbacks(fx->core.jobs), 1);
	return 0;
}

DAEMON_TEST(end_that_is_refused_has_no_callbacks)
{
	struct job *a =
		fixture_add_job(fx, 1, JOB(.state = JOB_QUEUED, .on_finish = "x"));

	start(fx);
	fx->config->v[CONFIG_CALLBACKS_MAX].num = 1;
	store_memory_fail_apply(fx->core.store, 0, 1, -ENOSPC);
	ck_assert_int_eq(end(fx, a, JOB_RESULT_CANCELLED), -ENOSPC);
	ck_assert_uint_eq(n_stored(fx) + n_of(fx, 1), 0);
	/* nor does it count for the limit */
	ck_assert_int_eq(end(fx, a, JOB_RESULT_CANCELLED), 0);
	ck_assert_uint_eq(n_stored(fx), 1);
	ck_assert_uint_eq(n_of(fx, 1), 1);
	ck_assert(!(a->flags & STORE_JOB_CALLBACK_DROPPED));
	return 0;
}

DAEMON_TEST(past_the_limit_an_end_is_recorded_without)
{
	struct job *a = fixture_add_job(
		fx, 1, JOB(.state = JOB_QUEUED, .on_success = "s", .on_finish = "x"));
	struct txn *t;
	struct store_job rec;

	start(fx);
	fx->config->v[CONFIG_CALLBACKS_MAX].num = 1;
	ck_assert_int_eq(end(fx, a, JOB_RESULT_SUCCEEDED), 0);
	ck_assert_uint_eq(n_of(fx, 1), 1);
	ck_assert_int_eq(a->state, JOB_FINISHED);
	ck_assert(a->flags & STORE_JOB_CALLBACK_DROPPED);
	ck_assert_uint_eq(
		events_next(fx->core.events), 3); /* the callback, and the end */
	ck_assert(events_at(fx->core.events, 1)->callback_dropped);
	/* one that is being recorded counts */
	fx->config->v[CONFIG_CALLBACKS_MAX].num = 2;
	a = fixture_add_job(fx, 2, JOB(.state = JOB_QUEUED, .on_finish = "x"));
	t = txn_new();
	rec = record(fx, a, JOB_RESULT_FAILED, NULL, t);
	ck_assert(!(rec.flags & STORE_JOB_CALLBACK_DROPPED));
	a = fixture_add_job(fx, 3, JOB(.state = JOB_QUEUED, .on_finish = "x"));
	rec = record(fx, a, JOB_RESULT_FAILED, NULL, t);
	ck_assert(rec.flags & STORE_JOB_CALLBACK_DROPPED);
	txn_free(t);
	job_end(fx->core.jobs, jobs_find(fx->core.jobs, 2));
	job_end(fx->core.jobs, a);
	return 0;
}

static void count_changes(int error, void *arg)
{
	++*(unsigned *)arg;
}

DAEMON_TEST(an_end_that_waits_for_a_full_disk_has_its_callbacks_once)
{
	struct job *a = fixture_add_job(
		fx, 1, JOB(.state = JOB_QUEUED, .on_success = "s", .on_finish = "x"));
	struct txn *t = txn_new();
	unsigned n_changes = 0;
	struct store_job rec;
	char name[65];

	start(fx);
	committer_on_change(fx->core.committer, count_changes, &n_changes);
	store_memory_fail_apply(fx->core.store, 0, 3, -ENOSPC);
	rec = record(fx, a, JOB_RESULT_SUCCEEDED, NULL, t);
	ck_assert_int_eq(committer_commit(fx->core.committer, t, COMMIT_MUST), 0);
	ck_assert_uint_eq(n_changes, 2); /* it failed, and went well */
	ck_assert_uint_eq(n_of(fx, 1), 0);
	job_publish(fx->core.jobs, a, &rec);
	job_end(fx->core.jobs, a);
	ck_assert_uint_eq(n_stored(fx), 2);
	ck_assert_uint_eq(n_of(fx, 1), 2);
	ck_assert_str_eq(
		job_name(jobs_find(fx->core.jobs, FIRST_OWN), name), "on-success-1");
	return 0;
}

/* ---- pools --------------------------------------------------------------------------- */

static void set_on_empty(struct fixture *fx)
{
	struct config_named *p = (struct config_named *)config_find(
		fx->config, CONFIG_SECTION_POOL, "default");

	p->v[CONFIG_ON_EMPTY].text = strdup("echo empty");
	ck_assert_int_eq(pools_apply(fx->core.pools, fx->config), 0);
}

static size_t n_own(struct fixture *fx)
{
	return jobs_callbacks(fx->core.jobs);
}

DAEMON_TEST(of_ends_in_one_transaction_one_empties_the_pool)
{
	struct store_job rec[3];
	struct txn *t = txn_new();
	size_t n_unfinished, n_queued;
	struct job *j[3];

	set_on_empty(fx);
	for (uint64_t i = 0; i < 3; i++)
		j[i] = fixture_add_job(fx, i + 1, JOB(.state = JOB_QUEUED));
	fixture_add_job(fx, 4, JOB(.state = JOB_HELD));
	start(fx);
	for (int i = 0; i < 3; i++)
		rec[i] = record(fx, j[i], JOB_RESULT_FAILED, NULL, t);
	/* which may last, on a full disk: nobody is counted twice meanwhile */
	scheduler_count_pool(fx->core.scheduler,
		scheduler_pool(fx->core.scheduler, "default"), &n_unfinished,
		&n_queued);
	ck_assert_uint_eq(n_unfinished, 4);
	ck_assert_int_eq(committer_commit(fx->core.committer, t, 0), 0);
	ck_assert_uint_eq(n_stored(fx), 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(n_own(fx), 0);
		job_publish(fx->core.jobs, j[i], &rec[i]);
		job_end(fx->core.jobs, j[i]);
	}
	ck_assert_uint_eq(n_own(fx), 1);
	return 0;
}

DAEMON_TEST(what_may_not_run_neither_fills_nor_empties_a_pool)
{
	struct job *held = fixture_add_job(fx, 1, JOB(.state = JOB_HELD));
	struct job *a = fixture_add_job(fx, 2, JOB(.state = JOB_QUEUED));
	struct job *b = fixture_add_job(fx, 3, JOB(.state = JOB_WAITING));

	set_on_empty(fx);
	start(fx);
	ck_assert_int_eq(end(fx, a, JOB_RESULT_SUCCEEDED), 0);
	ck_assert_uint_eq(n_own(fx), 0); /* one waits */
	ck_assert_int_eq(end(fx, b, JOB_RESULT_SKIPPED), 0);
	ck_assert_uint_eq(n_own(fx), 1);
	ck_assert_int_eq(end(fx, held, JOB_RESULT_CANCELLED), 0);
	ck_assert_uint_eq(n_own(fx), 1); /* it was empty before */
	/* run again, it fills the pool, and empties it */
	fixture_set_state(fx, a, JOB_QUEUED);
	ck_assert_int_eq(end(fx, a, JOB_RESULT_FAILED), 0);
	ck_assert_uint_eq(n_own(fx), 2);
	return 0;
}

DAEMON_TEST(end_that_is_refused_empties_nothing_and_a_shutdown_says_nothing)
{
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_QUEUED));
	struct job *b = fixture_add_job(
		fx, 2, JOB(.state = JOB_QUEUED, .on_finish = "x", .on_failure = "f"));
	struct txn *t = txn_new();
	struct store_job rec;

	set_on_empty(fx);
	start(fx);
	store_memory_fail_apply(fx->core.store, 0, 1, -ENOSPC);
	ck_assert_int_eq(end(fx, a, JOB_RESULT_CANCELLED), -ENOSPC);
	rec = record(fx, b, JOB_RESULT_LOST, JOB_REASON_SHUTDOWN, t);
	ck_assert_int_eq(committer_commit(fx->core.committer, t, 0), 0);
	job_publish(fx->core.jobs, b, &rec);
	job_end(fx->core.jobs, b);
	ck_assert_uint_eq(n_own(fx), 0);
	ck_assert_int_eq(end(fx, a, JOB_RESULT_CANCELLED), 0);
	ck_assert_uint_eq(n_own(fx), 1);
	return 0;
}

DAEMON_TEST(jobs_that_ask_for_another_pool_have_left_the_first)
{
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_QUEUED));
	struct job *b = fixture_add_job(fx, 2, JOB(.state = JOB_QUEUED));
	struct pool *p = scheduler_pool(fx->core.scheduler, "default");
	struct job_spec spec;
	struct demand *d;

	start(fx);
	ck_assert_int_eq(p->n_listed, 2);
	ck_assert_int_eq(job_spec_get(b, &spec), 0);
	ck_assert_int_eq(job_spec_put(&spec, JOB_FIELD_POOL,
				 (union job_value){.str = strdup("other")}),
		0);
	ck_assert_int_eq(scheduler_demand(fx->core.scheduler, &spec, &d), 0);
	job_spec_deinit(&spec);
	job_swap_demand(b, &d);
	scheduler_demand_put(fx->core.scheduler, d);
	ck_assert_int_eq(p->n_listed, 1);
	ck_assert_int_eq(scheduler_pool(fx->core.scheduler, "other")->n_listed, 1);
	jobs_forget(fx->core.jobs, a);
	ck_assert_int_eq(p->n_listed, 0);
	return 0;
}

UNIT_MAIN("callbacks", callbacks_are_on_disk_with_the_end_and_in_the_table_behind_it,
	end_that_is_refused_has_no_callbacks, past_the_limit_an_end_is_recorded_without,
	an_end_that_waits_for_a_full_disk_has_its_callbacks_once,
	of_ends_in_one_transaction_one_empties_the_pool,
	what_may_not_run_neither_fills_nor_empties_a_pool,
	end_that_is_refused_empties_nothing_and_a_shutdown_says_nothing,
	jobs_that_ask_for_another_pool_have_left_the_first)
