#include "tests/unit/daemon/fixture.h"

/* a transaction that sets a number in the store */
static struct txn *set_number(const char *name, int64_t number)
{
	struct txn *t = txn_new();
	struct store_op *op;

	ck_assert_ptr_nonnull(t);
	op = txn_add(t, STORE_META_SET);
	ck_assert_ptr_nonnull(op);
	op->meta.name = name;
	op->meta.number = number;
	return t;
}

struct lookup {
	const char *name;
	int64_t number;
};

static int note_meta(const char *name, int64_t number, void *arg)
{
	struct lookup *l = arg;

	if (STREQ(name, l->name))
		l->number = number;
	return 0;
}

/* the number of that name in the store, -1 when there is none */
static int64_t stored(struct fixture *fx, const char *name)
{
	static const struct store_load_ops ops = {.meta = note_meta};
	struct lookup l = {.name = name, .number = -1};

	ck_assert_int_eq(store_load(fx->core.store, &ops, &l), 0);
	return l.number;
}

struct answers {
	int error[8];
	size_t n;
};

static void note_answer(int error, void *arg)
{
	struct answers *a = arg;

	a->error[a->n++] = error;
}

DAEMON_TEST(commit_is_in_the_store_when_it_returns)
{
	fixture_start_committer(fx);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("a", 1), 0), 0);
	ck_assert_int_eq(stored(fx, "a"), 1);
	return 0;
}

DAEMON_TEST(posts_before_the_first_commit_share_one_transaction)
{
	struct answers a = {.n = 0};

	for (int i = 0; i < 5; i++)
		committer_post(
			fx->core.committer, set_number("a", i), 0, note_answer, &a);
	fixture_start_committer(fx);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("b", 9), 0), 0);
	ck_assert_uint_eq(store_memory_n_applied(fx->core.store), 1);
	ck_assert_uint_eq(a.n, 5);
	ck_assert_int_eq(stored(fx, "a"), 4); /* the last one in order */
	return 0;
}

static void count_answer(int error, void *arg)
{
	ck_assert_int_eq(error, 0);
	++*(unsigned *)arg;
}

/* a client that asks meanwhile must not wait until a thousand runs have gone on */
DAEMON_TEST(answers_to_many_leave_others_their_turn)
{
	unsigned n = 0, before = 0;

	for (int i = 0; i < 300; i++)
		committer_post(
			fx->core.committer, set_number("a", i), 0, count_answer, &n);
	fixture_start_committer(fx);
	while (n < 300) {
		ck_assert_int_eq(rv_yield(), 0);
		ck_assert_uint_le(n - before, 64);
		before = n;
	}
	ck_assert_uint_eq(store_memory_n_applied(fx->core.store), 1);
	return 0;
}

/* one client's hundred thousand jobs must not make all others wait for all of them */
DAEMON_TEST(large_units_are_spread_over_several_transactions)
{
	struct answers a = {.n = 0};

	for (int i = 0; i < 3; i++) {
		struct txn *t = set_number("a", i);

		for (int k = 0; k < 10000; k++) {
			struct store_op *op = txn_add(t, STORE_META_SET);

			ck_assert_ptr_nonnull(op);
			op->meta.name = "b";
			op->meta.number = k;
		}
		committer_post(fx->core.committer, t, 0, note_answer, &a);
	}
	fixture_start_committer(fx);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("c", 9), 0), 0);
	ck_assert_uint_eq(store_memory_n_applied(fx->core.store), 4);
	ck_assert_uint_eq(a.n, 3);
	ck_assert_int_eq(stored(fx, "a"), 2);
	return 0;
}

DAEMON_VIRTUAL_TEST(full_disk_refuses_what_may_fail_and_keeps_what_must_not)
{
	struct answers may = {.n = 0}, must = {.n = 0};

	store_memory_fail_apply(fx->core.store, 0, 3, -ENOSPC);
	committer_post(fx->core.committer, set_number("a", 1), COMMIT_MUST, note_answer,
		&must);
	committer_post(fx->core.committer, set_number("b", 1), 0, note_answer, &may);
	fixture_start_committer(fx);
	while (!may.n)
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_int_eq(may.error[0], -ENOSPC);
	ck_assert_int_eq(committer_error(fx->core.committer), -ENOSPC);
	ck_assert_uint_eq(must.n, 0);
	while (!must.n)
		ck_assert_int_eq(rv_sleep(RV_MS(50)), 0);
	ck_assert_int_eq(must.error[0], 0);
	ck_assert_int_eq(stored(fx, "a"), 1);
	ck_assert_int_eq(stored(fx, "b"), -1);
	ck_assert_int_eq(committer_error(fx->core.committer), 0);
	return 0;
}

DAEMON_VIRTUAL_TEST(what_was_kept_goes_before_what_came_later)
{
	struct answers a = {.n = 0};

	store_memory_fail_apply(fx->core.store, 0, 1, -EIO);
	committer_post(
		fx->core.committer, set_number("a", 1), COMMIT_MUST, note_answer, &a);
	fixture_start_committer(fx);
	while (!committer_error(fx->core.committer))
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("a", 2), COMMIT_MUST),
		0);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_int_eq(stored(fx, "a"), 2);
	return 0;
}

/* what is queued is to start when there is space again, without anybody's doing */
DAEMON_VIRTUAL_TEST(error_goes_by_itself_when_the_store_can_be_written_again)
{
	store_memory_fail_apply(fx->core.store, 0, 4, -ENOSPC);
	fixture_start_committer(fx);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("a", 1), 0), -ENOSPC);
	ck_assert_int_eq(committer_error(fx->core.committer), -ENOSPC);
	while (committer_error(fx->core.committer))
		ck_assert_int_eq(rv_sleep(RV_MS(50)), 0);
	return 0;
}

static void count_changes(int error, void *arg)
{
	++*(int *)arg;
}

DAEMON_VIRTUAL_TEST(observer_is_told_of_each_change_once)
{
	int n = 0;

	committer_on_change(fx->core.committer, count_changes, &n);
	store_memory_fail_apply(fx->core.store, 0, 3, -ENOSPC);
	fixture_start_committer(fx);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("a", 1), COMMIT_MUST),
		0);
	ck_assert_int_eq(n, 2);
	return 0;
}

static int refuse_b(const struct store_unit *u, void *arg)
{
	return STREQ(u->ops[0].meta.name, "b") ? -RV_EDUPLICATE : 0;
}

DAEMON_TEST(one_refused_unit_fails_alone)
{
	struct answers a = {.n = 0}, b = {.n = 0};

	store_memory_filter_units(fx->core.store, refuse_b, NULL);
	committer_post(fx->core.committer, set_number("a", 1), 0, note_answer, &a);
	committer_post(fx->core.committer, set_number("b", 1), 0, note_answer, &b);
	fixture_start_committer(fx);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("c", 1), 0), 0);
	ck_assert_int_eq(a.error[0], 0);
	ck_assert_int_eq(b.error[0], -RV_EDUPLICATE);
	ck_assert_int_eq(stored(fx, "b"), -1);
	return 0;
}

DAEMON_TEST(stop_writes_what_is_queued_and_refuses_what_comes)
{
	struct answers a = {.n = 0};

	committer_post(fx->core.committer, set_number("a", 1), 0, note_answer, &a);
	committer_stop(fx->core.committer);
	ck_assert_int_eq(committer_commit(fx->core.committer, set_number("b", 1), 0),
		-RV_ESHUTDOWN);
	ck_assert_int_eq(committer_main(fx->core.committer), 0);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_int_eq(stored(fx, "a"), 1);
	return 0;
}

/* a shutdown on a full disk must not take for ever */
DAEMON_VIRTUAL_TEST(what_must_be_committed_is_given_up_when_the_daemon_goes)
{
	store_memory_fail_apply(fx->core.store, 0, SIZE_MAX, -ENOSPC);
	fixture_start_committer(fx);
	committer_give_up(fx->core.committer);
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("a", 1), COMMIT_MUST),
		-RV_ESHUTDOWN);
	/* nor does it when it is asked for too late */
	ck_assert_int_eq(
		committer_commit(fx->core.committer, set_number("a", 1), COMMIT_MUST),
		-RV_ESHUTDOWN);
	return 0;
}

static int commit_shielded(void *arg)
{
	struct fixture *fx = arg;

	return committer_commit(fx->core.committer, set_number("a", 1), 0);
}

DAEMON_TEST(cancelled_commit_waits_for_its_answer)
{
	rv_task *t = rv_spawn(commit_shielded, fx);

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert(rv_task_cancel(t));
	fixture_start_committer(fx);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(stored(fx, "a"), 1);
	rv_task_unref(t);
	return 0;
}

UNIT_MAIN("commit", commit_is_in_the_store_when_it_returns,
	posts_before_the_first_commit_share_one_transaction,
	answers_to_many_leave_others_their_turn,
	large_units_are_spread_over_several_transactions,
	full_disk_refuses_what_may_fail_and_keeps_what_must_not,
	what_was_kept_goes_before_what_came_later,
	error_goes_by_itself_when_the_store_can_be_written_again,
	observer_is_told_of_each_change_once, one_refused_unit_fails_alone,
	stop_writes_what_is_queued_and_refuses_what_comes,
	what_must_be_committed_is_given_up_when_the_daemon_goes,
	cancelled_commit_waits_for_its_answer)
