#include "tests/unit/daemon/fixture.h"

#include "daemon/removal.h"

#define JOB(...) (&(struct fixture_job){__VA_ARGS__})

/* The jobs are recorded and linked, and the task that looks at them goes on. */
static void start(struct fixture *fx)
{
	fixture_record_jobs(fx);
	ck_assert_int_eq(dependents_load(fx->core.dependents), 0);
	fixture_start(fx, dependents_main, fx->core.dependents);
}

static void end(struct fixture *fx, struct job *j, enum job_result result)
{
	struct store_job rec;

	job_record(j, &rec);
	rec.state = JOB_FINISHED;
	rec.result = result;
	rec.finished_usec = 1;
	job_publish(fx->core.jobs, j, &rec);
}

static void await_state(const struct job *j, enum job_state state)
{
	while (j->state != state || j->busy)
		ck_assert_int_eq(rv_yield(), 0);
}

DAEMON_TEST(end_of_a_job_queues_those_whose_condition_it_met)
{
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	struct job *b = fixture_add_job(fx, 2, JOB(.state = JOB_RUNNING));
	struct job *on_a =
		fixture_add_job(fx, 3, JOB(.state = JOB_WAITING, .after = "1"));
	struct job *on_both =
		fixture_add_job(fx, 4, JOB(.state = JOB_WAITING, .after = "1 2"));
	struct job *on_one =
		fixture_add_job(fx, 5, JOB(.state = JOB_WAITING, .after = "1|2"));

	start(fx);
	end(fx, a, JOB_RESULT_SUCCEEDED);
	await_state(on_a, JOB_QUEUED);
	await_state(on_one, JOB_QUEUED);
	ck_assert(job_is_in_order(on_a));
	ck_assert_int_eq(on_both->state, JOB_WAITING);
	end(fx, b, JOB_RESULT_SUCCEEDED);
	await_state(on_both, JOB_QUEUED);
	return 0;
}

DAEMON_TEST(what_can_never_start_is_skipped_down_the_line_in_one_transaction)
{
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	struct job *b = fixture_add_job(fx, 2, JOB(.state = JOB_WAITING, .after = "1"));
	struct job *c = fixture_add_job(fx, 3, JOB(.state = JOB_WAITING, .after = "2"));
	struct job *d = fixture_add_job(fx, 4,
		JOB(.state = JOB_WAITING, .after_any = "3", .after_failure = "1"));
	size_t before;

	start(fx);
	before = store_memory_n_applied(fx->core.store);
	end(fx, a, JOB_RESULT_FAILED);
	await_state(c, JOB_FINISHED);
	ck_assert_uint_eq(store_memory_n_applied(fx->core.store), before + 1);
	ck_assert_int_eq(b->result, JOB_RESULT_SKIPPED);
	ck_assert_str_eq(b->reason, "job 1 failed");
	ck_assert_int_eq(c->result, JOB_RESULT_SKIPPED);
	ck_assert_str_eq(c->reason, "job 2 was skipped");
	await_state(d, JOB_QUEUED);
	return 0;
}

DAEMON_TEST(busy_one_is_looked_at_when_that_is_over)
{
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	struct job *b = fixture_add_job(fx, 2, JOB(.state = JOB_WAITING, .after = "1"));
	struct job *c = fixture_add_job(fx, 3, JOB(.state = JOB_WAITING, .after = "1"));

	start(fx);
	job_begin(fx->core.jobs, b);
	end(fx, a, JOB_RESULT_SUCCEEDED);
	await_state(c, JOB_QUEUED);
	ck_assert_int_eq(b->state, JOB_WAITING);
	job_end(fx->core.jobs, b);
	await_state(b, JOB_QUEUED);
	return 0;
}

DAEMON_TEST(store_that_fails_keeps_them_until_it_is_well)
{
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	struct job *b = fixture_add_job(fx, 2, JOB(.state = JOB_WAITING, .after = "1"));

	start(fx);
	store_memory_fail_apply(fx->core.store, 0, 1, -ENOSPC);
	end(fx, a, JOB_RESULT_FAILED);
	await_state(b, JOB_FINISHED);
	ck_assert_int_eq(b->result, JOB_RESULT_SKIPPED);
	return 0;
}

DAEMON_TEST(one_that_is_needed_is_not_removed)
{
	const uint64_t id = 1;
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	struct job *b = fixture_add_job(
		fx, 2, JOB(.state = JOB_HELD, .after = "1", .after_any = "1"));
	char text[96];

	start(fx);
	end(fx, a, JOB_RESULT_SUCCEEDED);
	ck_assert_uint_eq(dependents_n_kept(fx->core.dependents), 1);
	ck_assert_int_eq(removal_run(&fx->core, &id, 1), 0);
	job_needed_by(&fx->core, a, text, sizeof(text));
	ck_assert_str_eq(text, "job 2 and 1 more need it");
	fixture_set_state(fx, b, JOB_STARTING);
	ck_assert_uint_eq(dependents_n_kept(fx->core.dependents), 0);
	ck_assert(!job_is_needed(a));
	/* it is being named just now */
	ck_assert_int_eq(dependents_promise(&fx->core, a), 0);
	ck_assert_int_eq(removal_run(&fx->core, &id, 1), 0);
	dependents_end_promise(a);
	fixture_set_state(fx, b, JOB_RUNNING);
	return 0;
}

DAEMON_TEST(those_that_were_skipped_wait_again)
{
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	struct job *b = fixture_add_job(fx, 2, JOB(.state = JOB_WAITING, .after = "1"));
	struct job *c = fixture_add_job(fx, 3, JOB(.state = JOB_WAITING, .after = "2"));
	struct job *other = fixture_add_job(fx, 4, JOB(.state = JOB_RUNNING));
	struct job *both =
		fixture_add_job(fx, 5, JOB(.state = JOB_WAITING, .after = "1 4"));
	struct revival rv = {.n = 0};
	struct txn *t = txn_new();

	start(fx);
	end(fx, a, JOB_RESULT_FAILED);
	end(fx, other, JOB_RESULT_FAILED);
	await_state(c, JOB_FINISHED);
	await_state(both, JOB_FINISHED);
	ck_assert_int_eq(dependents_revive(&fx->core, a, t, &rv, 1), -RV_ELIMIT);
	dependents_revived(&fx->core, &rv, false);
	dependents_ran_again(&fx->core, a, false);
	txn_free(t);
	ck_assert_int_eq(b->state, JOB_FINISHED);
	t = txn_new();
	ck_assert_int_eq(dependents_revive(&fx->core, a, t, &rv, 2), 0);
	ck_assert_uint_eq(rv.n, 2);
	ck_assert_int_eq(committer_commit(fx->core.committer, t, 0), 0);
	fixture_set_state(fx, a, JOB_QUEUED);
	dependents_revived(&fx->core, &rv, true);
	dependents_ran_again(&fx->core, a, true);
	ck_assert_int_eq(b->state, JOB_WAITING);
	ck_assert_int_eq(c->state, JOB_WAITING);
	ck_assert_ptr_null(c->reason);
	/* the other one that it waits for has failed as well */
	ck_assert_int_eq(both->state, JOB_FINISHED);
	return 0;
}

DAEMON_TEST(what_is_waited_for_is_told)
{
	char text[256];
	struct job *b;

	fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	fixture_add_job(fx, 2, JOB(.state = JOB_QUEUED));
	fixture_add_job(fx, 3, JOB(.state = JOB_HELD));
	b = fixture_add_job(fx, 4,
		JOB(.state = JOB_WAITING, .after = "1 2", .after_any = "2|3",
			.after_failure = "3"));
	ck_assert_str_eq(dependents_why(&fx->core, b, text, sizeof(text)),
		"it waits for job 1 (running) and 2 (queued), for the end of one of 2 "
		"(queued), 3 (held), for the failure of job 3 (held)");
	return 0;
}

/* Edges of who is gone make room for new ones; what many have in common is 8 bytes each. */
DAEMON_TEST(edges_are_few_bytes_and_do_not_pile_up)
{
	enum { MANY = 20000 };
	struct job *a = fixture_add_job(fx, 1, JOB(.state = JOB_RUNNING));
	const struct job_edges *e;

	for (uint64_t id = 2; id < MANY + 2; id++)
		fixture_add_job(fx, id, JOB(.state = JOB_WAITING, .after = "1"));
	ck_assert_int_eq(dependents_load(fx->core.dependents), 0);
	e = a->dependents;
	ck_assert_uint_eq(e->n, MANY);
	ck_assert_uint_eq(e->n_needing, MANY);
	ck_assert_uint_le(e->n_max, 2 * MANY);
	for (uint64_t id = 2; id < MANY + 2; id++)
		end(fx, jobs_find(fx->core.jobs, id), JOB_RESULT_CANCELLED);
	for (uint64_t id = 2; id < MANY + 2; id++)
		jobs_forget(fx->core.jobs, jobs_find(fx->core.jobs, id));
	for (int i = 0; i < 3 * MANY; i++) {
		ck_assert_int_eq(dependents_promise(&fx->core, a), 0);
		if (i % 2)
			dependents_end_promise(a);
	}
	ck_assert_uint_le(a->dependents->n_max, 4 * MANY);
	while (a->dependents->n_promised)
		dependents_end_promise(a);
	return 0;
}

UNIT_MAIN("dependents", end_of_a_job_queues_those_whose_condition_it_met,
	what_can_never_start_is_skipped_down_the_line_in_one_transaction,
	busy_one_is_looked_at_when_that_is_over,
	store_that_fails_keeps_them_until_it_is_well, one_that_is_needed_is_not_removed,
	those_that_were_skipped_wait_again, what_is_waited_for_is_told,
	edges_are_few_bytes_and_do_not_pile_up)
