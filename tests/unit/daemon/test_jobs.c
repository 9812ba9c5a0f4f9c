#include "tests/unit/daemon/fixture.h"

#include <inttypes.h>

static const struct fixture_job queued = {.state = JOB_QUEUED};

static uint64_t take(struct fixture *fx, uint32_t n, uint64_t *ret_reserved)
{
	struct txn *t = txn_new();
	uint64_t first;

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(jobs_take_ids(fx->core.jobs, &first, ret_reserved, n, t), 0);
	txn_free(t);
	return first;
}

DAEMON_TEST(ids_count_up_without_gaps)
{
	uint64_t end;

	ck_assert_uint_eq(take(fx, 3, &end), 1);
	jobs_ids_are_reserved(fx->core.jobs, end);
	ck_assert_uint_eq(take(fx, 1, &end), 4);
	ck_assert_uint_eq(end, 0); /* within the block */
	return 0;
}

/* the commit of the first may fail and that of the second not: an id would be given out
 * again after a restart */
DAEMON_TEST(ids_are_reserved_by_each_submit_until_one_is_on_disk)
{
	uint64_t first, second, third;

	take(fx, 1, &first);
	take(fx, 1, &second);
	ck_assert_uint_gt(first, 1);
	ck_assert_uint_eq(second, first);
	jobs_ids_are_reserved(fx->core.jobs, second);
	take(fx, 1, &third);
	ck_assert_uint_eq(third, 0);
	return 0;
}

DAEMON_TEST(ids_that_pass_the_block_reserve_the_next)
{
	uint64_t end, next;

	take(fx, 1, &end);
	jobs_ids_are_reserved(fx->core.jobs, end);
	ck_assert_uint_lt(take(fx, 5000, &next), end);
	ck_assert_uint_ge(next, 5002);
	return 0;
}

DAEMON_TEST(name_stands_for_the_newest_unfinished_job)
{
	struct fixture_job how = {.name = "build", .state = JOB_QUEUED};
	struct job *a = fixture_add_job(fx, 1, &how), *b = fixture_add_job(fx, 2, &how);

	fixture_add_job(
		fx, 3, &(struct fixture_job){.name = "build", .state = JOB_FINISHED});
	ck_assert_ptr_eq(jobs_find_name(fx->core.jobs, 0, false, "build"), b);
	fixture_set_state(fx, b, JOB_FINISHED);
	ck_assert_ptr_eq(jobs_find_name(fx->core.jobs, 0, false, "build"), a);
	return 0;
}

DAEMON_TEST(name_of_finished_jobs_stands_for_the_newest)
{
	struct fixture_job how = {.name = "build", .state = JOB_FINISHED};
	struct job *b;

	fixture_add_job(fx, 1, &how);
	b = fixture_add_job(fx, 2, &how);
	ck_assert_ptr_eq(jobs_find_name(fx->core.jobs, 0, false, "build"), b);
	return 0;
}

DAEMON_TEST(name_of_another_user_is_not_found)
{
	fixture_add_job(fx, 1,
		&(struct fixture_job){.name = "build", .uid = 5, .state = JOB_QUEUED});
	ck_assert_ptr_null(jobs_find_name(fx->core.jobs, 6, false, "build"));
	ck_assert_ptr_nonnull(jobs_find_name(fx->core.jobs, 6, true, "build"));
	return 0;
}

DAEMON_TEST(forgetting_namesakes_in_any_order_keeps_the_rest)
{
	static const int orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct fixture_job how = {.name = "build", .state = JOB_FINISHED};
	uint64_t id = 1;

	for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
		struct job *v[3];

		for (int i = 0; i < 3; i++)
			v[i] = fixture_add_job(fx, id++, &how);
		for (int i = 0; i < 3; i++) {
			struct job *newest = NULL;

			jobs_forget(fx->core.jobs, v[orders[o][i]]);
			v[orders[o][i]] = NULL;
			for (int k = 0; k < 3; k++)
				newest = v[k] ? v[k] : newest;
			ck_assert_ptr_eq(
				jobs_find_name(fx->core.jobs, 0, false, "build"),
				newest);
		}
	}
	return 0;
}

DAEMON_TEST(walking_goes_on_over_forgotten_jobs)
{
	struct jobs *js = fx->core.jobs;

	for (uint64_t id = 1; id <= 500; id++)
		fixture_add_job(fx, id, &queued);
	for (uint64_t id = 1; id <= 500; id++)
		if (id % 5)
			jobs_forget(js, jobs_find(js, id));
	ck_assert_uint_eq(jobs_at_or_after(js, 1)->id, 5);
	ck_assert_uint_eq(jobs_at_or_after(js, 6)->id, 10);
	ck_assert_uint_eq(jobs_at_or_before(js, 499)->id, 495);
	ck_assert_uint_eq(jobs_at_or_before(js, UINT64_MAX)->id, 500);
	ck_assert_ptr_null(jobs_at_or_after(js, 501));
	ck_assert_ptr_null(jobs_at_or_before(js, 4));
	ck_assert_ptr_null(jobs_find(js, 7));
	ck_assert_uint_eq(jobs_unfinished(js), 100);
	return 0;
}

/* what is asked for is compared with what a walk through all of them finds */
static void check_unfinished(const struct jobs *js, uint64_t last)
{
	for (uint64_t id = 1; id <= last + 1; id += 97) {
		const struct job *j = jobs_at_or_after(js, id);

		while (j && j->state == JOB_FINISHED)
			j = jobs_at_or_after(js, j->id + 1);
		ck_assert_ptr_eq(jobs_unfinished_at_or_after(js, id), j);
		j = jobs_at_or_after(js, id);
		while (j && j->state != JOB_FINISHED)
			j = jobs_at_or_after(js, j->id + 1);
		ck_assert_ptr_eq(jobs_finished_at_or_after(js, id), j);
	}
}

DAEMON_TEST(unfinished_jobs_are_found_among_finished_ones)
{
	struct jobs *js = fx->core.jobs;

	ck_assert_ptr_null(jobs_unfinished_at_or_after(js, 1));
	for (uint64_t id = 1; id <= 3000; id++)
		if (id != 500)
			fixture_add_job(fx, id, &queued);
	check_unfinished(js, 3000);
	fixture_set_state(fx, jobs_find(js, 2001), JOB_FINISHED);
	check_unfinished(js, 3000);
	ck_assert_uint_eq(jobs_finished_at_or_after(js, 1)->id, 2001);
	for (uint64_t id = 1; id <= 3000; id++)
		if (id != 500 && id != 1701 && id != 2001)
			fixture_set_state(fx, jobs_find(js, id), JOB_FINISHED);
	check_unfinished(js, 3000);
	ck_assert_uint_eq(jobs_unfinished_at_or_after(js, 1)->id, 1701);
	fixture_set_state(fx, jobs_find(js, 20), JOB_QUEUED); /* retried */
	ck_assert_uint_eq(jobs_unfinished_at_or_after(js, 1)->id, 20);
	fixture_add_job(fx, 500, &queued); /* those behind it move */
	check_unfinished(js, 3000);
	jobs_forget(js, jobs_find(js, 20));
	ck_assert_uint_eq(jobs_unfinished_at_or_after(js, 1)->id, 500);
	for (uint64_t id = 1; id <= 2600;
		id++) /* the table is made smaller on the way */
		if (id % 3 && jobs_find(js, id))
			jobs_forget(js, jobs_find(js, id));
	check_unfinished(js, 3000);
	ck_assert_uint_eq(jobs_unfinished_at_or_after(js, 1)->id, 1701);
	ck_assert_ptr_null(jobs_unfinished_at_or_after(js, 1702));
	fixture_add_job(fx, 3001, &queued);
	ck_assert_uint_eq(jobs_unfinished_at_or_after(js, 1702)->id, 3001);
	return 0;
}

DAEMON_TEST(jobs_that_come_out_of_order_are_found)
{
	struct jobs *js = fx->core.jobs;

	fixture_add_job(fx, 10, &queued);
	fixture_add_job(fx, 8, &queued);
	fixture_add_job(fx, 9, &queued);
	ck_assert_uint_eq(jobs_find(js, 8)->id, 8);
	ck_assert_uint_eq(jobs_at_or_after(js, 9)->id, 9);
	return 0;
}

DAEMON_TEST(ids_that_are_missing_are_passed_over)
{
	static const uint64_t ids[] = {5, 6, 7, 20, 21, 40, 41, 42, 43, 90};
	struct jobs *js = fx->core.jobs;

	ck_assert_ptr_null(jobs_at_or_after(js, 1));
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		fixture_add_job(fx, ids[i], &queued);
	for (uint64_t id = 1; id <= 100; id++) {
		const struct job *after = jobs_at_or_after(js, id),
				 *before = jobs_at_or_before(js, id);
		uint64_t want_after = 0, want_before = 0;

		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			if (ids[i] <= id)
				want_before = ids[i];
			if (ids[i] >= id && !want_after)
				want_after = ids[i];
		}
		ck_assert_uint_eq(after ? after->id : 0, want_after);
		ck_assert_uint_eq(before ? before->id : 0, want_before);
		ck_assert_ptr_eq(jobs_find(js, id), want_after == id ? after : NULL);
	}
	return 0;
}

DAEMON_TEST(counters_follow_the_states)
{
	struct jobs *js = fx->core.jobs;
	struct job *j = fixture_add_job(
		fx, 1, &(struct fixture_job){.uid = 5, .state = JOB_QUEUED});

	ck_assert_uint_eq(jobs_count(js, JOB_QUEUED), 1);
	ck_assert_uint_eq(jobs_unfinished_of(js, 5), 1);
	fixture_set_state(fx, j, JOB_FINISHED);
	ck_assert_uint_eq(jobs_count(js, JOB_QUEUED), 0);
	ck_assert_uint_eq(jobs_count(js, JOB_FINISHED), 1);
	ck_assert_uint_eq(jobs_unfinished_of(js, 5), 0);
	fixture_set_state(fx, j, JOB_QUEUED); /* retried */
	ck_assert_uint_eq(jobs_unfinished_of(js, 5), 1);
	jobs_forget(js, j);
	ck_assert_uint_eq(jobs_unfinished_of(js, 5), 0);
	ck_assert_uint_eq(jobs_unfinished(js), 0);
	return 0;
}

static void finish(struct fixture *fx, struct job *j, int64_t usec)
{
	struct store_job rec;

	job_record(j, &rec);
	rec.state = JOB_FINISHED;
	rec.finished_usec = usec;
	job_publish(fx->core.jobs, j, &rec);
}

/* ids of the finished jobs, the last to finish first */
static const char *ends(struct fixture *fx)
{
	static char text[256];
	size_t n = 0;

	text[0] = '\0';
	for (struct job *j = NULL; (j = jobs_finished_before(fx->core.jobs, j));)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s%" PRIu64, n ? " " : "", j->id);
	return text;
}

DAEMON_TEST(finished_jobs_stand_in_the_order_of_their_ends)
{
	struct job *v[5];

	ck_assert_str_eq(ends(fx), "");
	for (uint64_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = fixture_add_job(fx, i + 1, &queued);
	finish(fx, v[2], 100);
	finish(fx, v[0], 300);
	finish(fx, v[4], 200); /* its end was recorded late */
	finish(fx, v[3], 300);
	ck_assert_str_eq(ends(fx), "4 1 5 3");
	finish(fx, v[1], 300); /* of one moment the newest id is the last */
	ck_assert_str_eq(ends(fx), "4 2 1 5 3");
	return 0;
}

DAEMON_TEST(finished_jobs_of_an_earlier_daemon_are_put_in_order)
{
	static const int64_t usec[] = {300, 100, 0, 300, 200};
	struct job *j;

	for (uint64_t i = 0; i < ARRAY_LEN(usec); i++) {
		j = fixture_add_job(fx, i + 1,
			&(struct fixture_job){
				.state = usec[i] ? JOB_FINISHED : JOB_QUEUED});
		j->finished_usec = usec[i];
	}
	ck_assert_int_eq(jobs_loaded(fx->core.jobs), 0);
	ck_assert_str_eq(ends(fx), "4 1 5 2");
	finish(fx, jobs_find(fx->core.jobs, 3), 400);
	ck_assert_str_eq(ends(fx), "3 4 1 5 2");
	return 0;
}

DAEMON_TEST(finished_job_that_is_retried_ends_anew)
{
	struct jobs *js = fx->core.jobs;
	struct job *v[3];

	for (uint64_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i] = fixture_add_job(fx, i + 1, &queued);
		finish(fx, v[i], 100 * (int64_t)i);
	}
	/* as retry does it; it is in the scheduler's order then, not in that of the ends */
	job_begin(js, v[0]);
	fixture_set_state(fx, v[0], JOB_QUEUED);
	job_end(js, v[0]);
	ck_assert(job_is_in_order(v[0]));
	ck_assert_str_eq(ends(fx), "3 2");
	job_begin(js, v[0]);
	ck_assert(!job_is_in_order(v[0]));
	finish(fx, v[0], 400);
	job_end(js, v[0]);
	ck_assert(!job_is_in_order(v[0]));
	ck_assert_str_eq(ends(fx), "1 3 2");
	return 0;
}

DAEMON_TEST(finished_job_that_is_forgotten_leaves_the_order)
{
	static const uint64_t order[] = {2, 3, 1};
	static const char *const left[] = {"3 1", "1", ""};
	struct jobs *js = fx->core.jobs;

	for (uint64_t id = 1; id <= 3; id++)
		finish(fx, fixture_add_job(fx, id, &queued), 100);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		job_begin(js, jobs_find(js, order[i]));
		jobs_forget(js, jobs_find(js, order[i]));
		ck_assert_str_eq(ends(fx), left[i]);
	}
	return 0;
}

/* after a clock was set back each end has an earlier time than all that are there: they
 * find their place within a bound, in order among each other */
DAEMON_TEST(ends_after_a_clock_was_set_back_stand_in_order)
{
	struct jobs *js = fx->core.jobs;
	const struct job *j = NULL;
	uint64_t seen = 0;

	for (uint64_t id = 1; id <= 5000; id++)
		finish(fx, fixture_add_job(fx, id, &queued), 1000000 + (int64_t)id);
	for (uint64_t id = 5001; id <= 5010; id++)
		finish(fx, fixture_add_job(fx, id, &queued), (int64_t)id);
	for (uint64_t id = 5000; id > 4000; id--) { /* no page is longer */
		j = jobs_finished_before(js, j);
		ck_assert_uint_eq(j->id, id);
	}
	while ((j = jobs_finished_before(js, j)))
		if (j->id > 5000) {
			ck_assert(seen == 0 || j->id == seen - 1);
			seen = j->id;
		}
	ck_assert_uint_eq(seen, 5001);
	return 0;
}

DAEMON_TEST(expected_jobs_count_as_unfinished)
{
	struct jobs *js = fx->core.jobs;

	ck_assert_int_eq(jobs_expect(js, 5, 3), 0);
	ck_assert_uint_eq(jobs_unfinished(js), 3);
	ck_assert_uint_eq(jobs_unfinished_of(js, 5), 3);
	jobs_expect_no_more(js, 5, 3);
	ck_assert_uint_eq(jobs_unfinished(js), 0);
	ck_assert_uint_eq(jobs_unfinished_of(js, 5), 0);
	return 0;
}

struct note {
	struct job_watch watch;
	unsigned n;
	enum job_state last;
};

static void note_change(struct job_watch *w, const struct job *j)
{
	struct note *n = CONTAINER_OF(w, struct note, watch);

	n->n++;
	n->last = (enum job_state)j->state;
}

DAEMON_TEST(watch_is_told_of_the_end_once_and_unlinked)
{
	struct job *j = fixture_add_job(fx, 1, &queued);
	struct note n = {.watch.fn = note_change};

	job_watch_add(j, &n.watch);
	fixture_set_state(fx, j, JOB_HELD);
	ck_assert_uint_eq(n.n, 0);
	fixture_set_state(fx, j, JOB_FINISHED);
	ck_assert_uint_eq(n.n, 1);
	ck_assert(!list_is_linked(&n.watch.link));
	jobs_forget(fx->core.jobs, j);
	ck_assert_uint_eq(n.n, 1);
	return 0;
}

DAEMON_TEST(watch_of_every_change_is_told_of_each)
{
	struct job *j = fixture_add_job(fx, 1, &queued);
	struct note n = {.watch = {.fn = note_change, .every_change = true}};

	job_watch_add(j, &n.watch);
	fixture_set_state(fx, j, JOB_HELD);
	ck_assert_uint_eq(n.n, 1);
	ck_assert_int_eq(n.last, JOB_HELD);
	fixture_set_state(fx, j, JOB_FINISHED);
	ck_assert_uint_eq(n.n, 2);
	return 0;
}

DAEMON_TEST(watch_is_told_when_its_job_is_forgotten)
{
	struct job *j = fixture_add_job(fx, 1, &queued);
	struct note n = {.watch.fn = note_change};

	job_watch_add(j, &n.watch);
	jobs_forget(fx->core.jobs, j);
	ck_assert_uint_eq(n.n, 1);
	ck_assert_int_eq(n.last, JOB_QUEUED);
	return 0;
}

struct idle_wait {
	struct fixture *fx;
	int result;
	struct job *job;
};

static int wait_idle(void *arg)
{
	struct idle_wait *w = arg;

	w->result = jobs_wait_idle(w->fx->core.jobs, 1, &w->job);
	return 0;
}

DAEMON_TEST(waiting_for_a_busy_job_ends_with_its_change)
{
	struct job *j = fixture_add_job(fx, 1, &queued);
	struct idle_wait w = {.fx = fx, .result = -1};
	rv_task *t;

	job_begin(fx->core.jobs, j);
	t = rv_spawn(wait_idle, &w);
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(w.result, -1);
	job_end(fx->core.jobs, j);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(w.result, 1);
	ck_assert_ptr_eq(w.job, j);
	rv_task_unref(t);
	return 0;
}

DAEMON_TEST(waiting_for_a_busy_job_ends_when_it_is_forgotten)
{
	struct job *j = fixture_add_job(fx, 1, &queued);
	struct idle_wait w = {.fx = fx, .result = -1};
	rv_task *t;

	job_begin(fx->core.jobs, j);
	t = rv_spawn(wait_idle, &w);
	ck_assert_int_eq(rv_yield(), 0);
	j->busy = false;
	jobs_forget(fx->core.jobs, j);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(w.result, 0);
	rv_task_unref(t);
	return 0;
}

static struct txn *some_txn(void)
{
	struct txn *t = txn_new();
	struct store_op *op;

	ck_assert_ptr_nonnull(t);
	op = txn_add(t, STORE_META_SET);
	ck_assert_ptr_nonnull(op);
	op->meta.name = "a";
	return t;
}

static void store_changed(int error, void *arg)
{
	jobs_wake_waiters(arg);
}

/* its end has to be recorded, which may take as long as the disk is full */
DAEMON_VIRTUAL_TEST(waiting_for_a_busy_job_ends_when_the_store_cannot_be_written)
{
	struct job *j = fixture_add_job(fx, 1, &queued);
	struct idle_wait w = {.fx = fx, .result = -1};
	rv_task *t;

	committer_on_change(fx->core.committer, store_changed, fx->core.jobs);
	store_memory_fail_apply(fx->core.store, 0, SIZE_MAX, -ENOSPC);
	job_begin(fx->core.jobs, j);
	t = rv_spawn(wait_idle, &w);
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(w.result, -1);
	fixture_start_committer(fx);
	ck_assert_int_eq(committer_commit(fx->core.committer, some_txn(), 0), -ENOSPC);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(w.result, -ENOSPC);
	job_end(fx->core.jobs, j);
	committer_on_change(fx->core.committer, NULL, NULL);
	store_memory_fail_apply(fx->core.store, 0, 0, 0);
	rv_task_unref(t);
	return 0;
}

static void rename_job(struct fixture *fx, struct job *j, const char *name)
{
	struct job_spec spec;
	void *packed;
	size_t n;

	ck_assert_int_eq(job_spec_get(j, &spec), 0);
	job_spec_unset(&spec, JOB_FIELD_NAME);
	if (name)
		ck_assert_int_eq(job_spec_put(&spec, JOB_FIELD_NAME,
					 (union job_value){.str = strdup(name)}),
			0);
	ck_assert_int_eq(job_spec_pack(&packed, &n, &spec), 0);
	job_spec_deinit(&spec);
	jobs_respec(fx->core.jobs, j, packed, n);
}

DAEMON_TEST(renamed_job_stands_by_its_id_among_its_namesakes)
{
	static const struct fixture_job named = {.name = "a", .state = JOB_HELD};
	static const struct fixture_job other = {.name = "b", .state = JOB_HELD};
	struct jobs *js = fx->core.jobs;
	struct job *j[5];

	for (uint64_t id = 1; id <= 4; id++)
		j[id] = fixture_add_job(fx, id, id == 2 ? &other : &named);
	rename_job(fx, j[2], "a");
	ck_assert_ptr_null(jobs_find_name(js, 0, true, "b"));
	for (uint64_t id = 4; id >= 1; id--) {
		ck_assert_ptr_eq(jobs_find_name(js, 0, true, "a"), j[id]);
		rename_job(fx, j[id], id % 2 ? "c" : NULL);
	}
	ck_assert_ptr_null(jobs_find_name(js, 0, true, "a"));
	ck_assert_ptr_eq(jobs_find_name(js, 0, true, "c"), j[3]);
	return 0;
}

UNIT_MAIN("jobs", renamed_job_stands_by_its_id_among_its_namesakes,
	ids_count_up_without_gaps, ids_are_reserved_by_each_submit_until_one_is_on_disk,
	ids_that_pass_the_block_reserve_the_next,
	name_stands_for_the_newest_unfinished_job,
	name_of_finished_jobs_stands_for_the_newest, name_of_another_user_is_not_found,
	forgetting_namesakes_in_any_order_keeps_the_rest,
	walking_goes_on_over_forgotten_jobs,
	unfinished_jobs_are_found_among_finished_ones,
	jobs_that_come_out_of_order_are_found, ids_that_are_missing_are_passed_over,
	counters_follow_the_states, finished_jobs_stand_in_the_order_of_their_ends,
	finished_jobs_of_an_earlier_daemon_are_put_in_order,
	finished_job_that_is_retried_ends_anew,
	finished_job_that_is_forgotten_leaves_the_order,
	ends_after_a_clock_was_set_back_stand_in_order,
	expected_jobs_count_as_unfinished, watch_is_told_of_the_end_once_and_unlinked,
	watch_of_every_change_is_told_of_each, watch_is_told_when_its_job_is_forgotten,
	waiting_for_a_busy_job_ends_with_its_change,
	waiting_for_a_busy_job_ends_when_it_is_forgotten,
	waiting_for_a_busy_job_ends_when_the_store_cannot_be_written)
