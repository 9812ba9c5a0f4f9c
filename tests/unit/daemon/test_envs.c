#include "tests/unit/daemon/fixture.h"

#include "base/strv.h"

static char *const env_a[] = {(char *)"A=1", (char *)"B=two words", NULL};
static char *const env_b[] = {(char *)"A=2", NULL};

static struct env_set *get(struct fixture *fx, char *const *env)
{
	struct txn *t = txn_new();
	struct env_set *e;

	ck_assert_int_eq(envs_get(fx->core.envs, &e, env, t), 0);
	txn_free(t);
	return e;
}

DAEMON_TEST(same_content_is_stored_once)
{
	struct env_set *a = get(fx, env_a), *b = get(fx, env_a);

	ck_assert_ptr_eq(a, b);
	ck_assert_uint_eq(a->n_users, 2);
	envs_put(fx->core.envs, a);
	envs_put(fx->core.envs, b);
	return 0;
}

DAEMON_TEST(other_content_gets_another_id)
{
	struct env_set *a = get(fx, env_a), *b = get(fx, env_b);

	ck_assert_uint_ne(a->id, b->id);
	envs_put(fx->core.envs, a);
	envs_put(fx->core.envs, b);
	return 0;
}

DAEMON_TEST(environment_goes_with_its_last_user)
{
	struct env_set *a = get(fx, env_a);
	uint64_t id = a->id;

	env_set_ref(a);
	envs_put(fx->core.envs, a);
	ck_assert_ptr_eq(envs_by_id(fx->core.envs, id), a);
	envs_put(fx->core.envs, a);
	ck_assert_ptr_null(envs_by_id(fx->core.envs, id));
	return 0;
}

DAEMON_TEST(ids_are_not_used_twice)
{
	struct env_set *a = get(fx, env_a);
	uint64_t id = a->id;

	envs_put(fx->core.envs, a);
	a = get(fx, env_a);
	ck_assert_uint_gt(a->id, id);
	envs_put(fx->core.envs, a);
	return 0;
}

DAEMON_TEST(environment_comes_back_as_it_was)
{
	_cleanup_(strv_freep) char **v = NULL;
	struct env_set *a = get(fx, env_a);

	ck_assert_int_eq(env_set_strv(&v, a), 0);
	ck_assert(strv_equal(v, env_a));
	envs_put(fx->core.envs, a);
	return 0;
}

DAEMON_TEST(empty_environment_is_one_as_well)
{
	_cleanup_(strv_freep) char **v = NULL;
	char *const none[] = {NULL};
	struct env_set *a = get(fx, none);

	ck_assert_int_eq(env_set_strv(&v, a), 0);
	ck_assert_uint_eq(strv_len(v), 0);
	envs_put(fx->core.envs, a);
	return 0;
}

DAEMON_TEST(limit_of_all_together_is_kept)
{
	struct txn *t = txn_new();
	struct env_set *a, *b;

	envs_set_limit(fx->core.envs, 20);
	a = get(fx, env_a);
	ck_assert_int_eq(
		envs_get(fx->core.envs, &b, env_b, t), 0); /* 16 + 4: just fits */
	envs_put(fx->core.envs, b);
	envs_set_limit(fx->core.envs, 19);
	ck_assert_int_eq(envs_get(fx->core.envs, &b, env_b, t), -RV_ELIMIT);
	/* what is there costs nothing more */
	ck_assert_int_eq(envs_get(fx->core.envs, &b, env_a, t), 0);
	envs_put(fx->core.envs, b);
	envs_put(fx->core.envs, a);
	txn_free(t);
	return 0;
}

DAEMON_TEST(interned_one_is_recorded_by_whoever_has_a_use_for_it)
{
	struct txn *t = txn_new();
	struct env_set *a, *b;
	uint64_t id;

	ck_assert_int_eq(envs_intern(fx->core.envs, &a, env_a), 0);
	b = get(fx, env_a);
	ck_assert_ptr_eq(a, b);
	ck_assert_int_eq(envs_record(NULL, t), 0);
	ck_assert_int_eq(envs_record(a, t), 0);
	id = a->id;
	envs_put(fx->core.envs, b);
	ck_assert_ptr_eq(envs_by_id(fx->core.envs, id), a);
	envs_put(fx->core.envs, a);
	ck_assert_ptr_null(envs_by_id(fx->core.envs, id));
	txn_free(t);
	return 0;
}

UNIT_MAIN("envs", same_content_is_stored_once, other_content_gets_another_id,
	environment_goes_with_its_last_user, ids_are_not_used_twice,
	environment_comes_back_as_it_was, empty_environment_is_one_as_well,
	limit_of_all_together_is_kept,
	interned_one_is_recorded_by_whoever_has_a_use_for_it)
