#include "tests/unit/daemon/fixture.h"

static struct submit_key *begin(struct fixture *fx, uint32_t uid, const char *key)
{
	struct submit_key *k;

	ck_assert_int_eq(keys_begin(fx->core.keys, &k, uid, key), 0);
	k->first_id = 10;
	k->n = 3;
	return k;
}

DAEMON_TEST(repeated_key_gives_the_ids_of_the_first_call)
{
	struct submit_key *k;

	key_commit(fx->core.keys, begin(fx, 1, "a"));
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "a"), 1);
	ck_assert_uint_eq(k->first_id, 10);
	ck_assert_uint_eq(k->n, 3);
	ck_assert_str_eq(submit_key_name(k), "a");
	return 0;
}

DAEMON_TEST(key_of_another_user_is_another_key)
{
	key_commit(fx->core.keys, begin(fx, 1, "a"));
	key_drop(fx->core.keys, begin(fx, 2, "a"));
	return 0;
}

DAEMON_TEST(dropped_key_may_be_used_again)
{
	key_drop(fx->core.keys, begin(fx, 1, "a"));
	key_drop(fx->core.keys, begin(fx, 1, "a"));
	return 0;
}

struct repeat {
	struct fixture *fx;
	struct submit_key *key;
	int result;
};

static int repeat_call(void *arg)
{
	struct repeat *r = arg;

	r->result = keys_begin(r->fx->core.keys, &r->key, 1, "a");
	return 0;
}

DAEMON_TEST(repeat_while_the_first_is_committed_waits_for_it)
{
	struct repeat r = {.fx = fx, .result = -1};
	struct submit_key *k = begin(fx, 1, "a");
	rv_task *t = rv_spawn(repeat_call, &r);

	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(r.result, -1);
	key_commit(fx->core.keys, k);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(r.result, 1);
	ck_assert_ptr_eq(r.key, k);
	rv_task_unref(t);
	return 0;
}

DAEMON_TEST(repeat_takes_over_where_the_first_failed)
{
	struct repeat r = {.fx = fx, .result = -1};
	struct submit_key *k = begin(fx, 1, "a");
	rv_task *t = rv_spawn(repeat_call, &r);

	ck_assert_int_eq(rv_yield(), 0);
	key_drop(fx->core.keys, k);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(r.result, 0);
	key_drop(fx->core.keys, r.key);
	rv_task_unref(t);
	return 0;
}

DAEMON_VIRTUAL_TEST(keys_go_after_an_hour)
{
	struct txn *t = txn_new();
	struct submit_key *k;

	key_commit(fx->core.keys, begin(fx, 1, "old"));
	ck_assert_int_eq(rv_sleep(RV_SEC(3000)), 0);
	key_commit(fx->core.keys, begin(fx, 1, "new"));
	ck_assert_int_eq(keys_expire(fx->core.keys, t), 0);
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "old"), 1);
	ck_assert_int_eq(rv_sleep(RV_SEC(1000)), 0);
	ck_assert_int_eq(keys_expire(fx->core.keys, t), 0);
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "new"), 1);
	key_drop(fx->core.keys, begin(fx, 1, "old"));
	txn_free(t);
	return 0;
}

DAEMON_TEST(oldest_key_goes_where_there_are_too_many)
{
	struct submit_key *k;
	char text[32];

	for (int i = 0; i <= 1000; i++) { /* what the fixture says */
		snprintf(text, sizeof(text), "k%d", i);
		key_commit(fx->core.keys, begin(fx, 1, text));
	}
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "k1"), 1);
	key_drop(fx->core.keys, begin(fx, 1, "k0"));
	return 0;
}

DAEMON_TEST(lowered_limit_forgets_all_that_are_over)
{
	struct submit_key *k;
	char text[32];

	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "k%d", i);
		key_commit(fx->core.keys, begin(fx, 1, text));
	}
	keys_set_limit(fx->core.keys, 2);
	key_commit(fx->core.keys, begin(fx, 1, "new"));
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "new"), 1);
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "k4"), 1);
	key_drop(fx->core.keys, begin(fx, 1, "k3"));
	return 0;
}

DAEMON_TEST(key_is_refused_where_all_are_pending)
{
	struct submit_key *a, *b, *k;

	keys_set_limit(fx->core.keys, 2);
	a = begin(fx, 1, "a");
	b = begin(fx, 1, "b");
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "c"), -RV_ELIMIT);
	key_commit(fx->core.keys, a);
	key_commit(fx->core.keys, begin(fx, 1, "c"));
	key_drop(fx->core.keys, b);
	return 0;
}

DAEMON_TEST(loaded_key_is_found)
{
	struct store_key rec = {.uid = 1, .key = "a", .first_id = 7, .n = 2};
	struct submit_key *k;

	rec.created_usec = clock_wall_usec(fx->core.clock);
	ck_assert_int_eq(keys_load(fx->core.keys, &rec), 0);
	ck_assert_int_eq(keys_begin(fx->core.keys, &k, 1, "a"), 1);
	ck_assert_uint_eq(k->first_id, 7);
	return 0;
}

UNIT_MAIN("keys", repeated_key_gives_the_ids_of_the_first_call,
	key_of_another_user_is_another_key, dropped_key_may_be_used_again,
	repeat_while_the_first_is_committed_waits_for_it,
	repeat_takes_over_where_the_first_failed, keys_go_after_an_hour,
	oldest_key_goes_where_there_are_too_many,
	lowered_limit_forgets_all_that_are_over, key_is_refused_where_all_are_pending,
	loaded_key_is_found)
