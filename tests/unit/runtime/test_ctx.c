/* Context values. */
#include "rt.h"

#include "reeve/ctx.h"

static rv_ctx_key user = {"user"}, request = {"request"};
static int n_freed;

static void count_freed(void *v)
{
	n_freed++;
	free(v);
}

static void set(rv_ctx_key *k, const char *word)
{
	ck_assert_int_eq(rv_ctx_set(k, strdup(word), count_freed), 0);
}

static int child(void *arg)
{
	ck_assert_str_eq(rv_ctx_get(&user), "anna");
	ck_assert_ptr_null(rv_ctx_get(&request));
	set(&user, "berta");
	set(&request, "1");
	ck_assert_str_eq(rv_ctx_get(&user), "berta");
	return 0;
}

RT_TEST(values_are_inherited_and_what_is_set_later_is_ones_own)
{
	rv_task *t;

	n_freed = 0;
	ck_assert_ptr_null(rv_ctx_get(&user));
	set(&user, "anna");
	t = rv_spawn(child, NULL);
	set(&user, "clara"); /* after the child took its copy */
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	ck_assert_int_eq(n_freed, 0);
	rv_task_unref(t);
	ck_assert_int_eq(n_freed, 2); /* berta and 1 */
	ck_assert_str_eq(rv_ctx_get(&user), "clara");
	return 0;
}

RT_TEST(setting_the_same_again_keeps_no_old_values)
{
	char word[16];

	n_freed = 0;
	set(&request, "0");
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(word, sizeof(word), "%d", i);
		set(&user, word);
	}
	ck_assert_int_eq(n_freed, 999);
	ck_assert_str_eq(rv_ctx_get(&user), "999");
	ck_assert_str_eq(rv_ctx_get(&request), "0");
	return 0;
}

static int look_in_thread(void *arg)
{
	return strcmp(rv_ctx_get(&user), "anna");
}

RT_TEST(b221_values_are_there_in_the_thread)
{
	set(&user, "anna");
	ck_assert_int_eq(rv_run_blocking(NULL, look_in_thread, NULL), 0);
	ck_assert_int_eq(
		rv_run_blocking_ex(NULL, look_in_thread, NULL, NULL, RV_BLOCK_ABANDON),
		0);
	return 0;
}

RT_TEST(values_can_be_given_to_a_task)
{
	rv_task_opts o = {.name = "with"};
	rv_task *t;

	set(&user, "anna");
	o.ctx = rv_ctx_copy();
	set(&user, "berta");
	ck_assert_int_eq(rv_spawn_ex(&t, &o, child, NULL), 0);
	rv_ctx_unref(o.ctx);
	ck_assert_int_eq(rv_task_join(t, NULL), 0);
	rv_task_unref(t);
	return 0;
}

START_TEST(outside_of_a_task_there_are_none)
{
	ck_assert_int_eq(rv_ctx_set(&user, NULL, NULL), -RV_ENOTASK);
	ck_assert_ptr_null(rv_ctx_get(&user));
	ck_assert_ptr_null(rv_ctx_copy());
	rv_ctx_unref(NULL);
}
END_TEST

static int first_run(void *arg)
{
	set(&user, "anna");
	return 0;
}

START_TEST(b230_values_persist_between_the_runs_of_a_runner)
{
	rv_runner *r;

	n_freed = 0;
	ck_assert_int_eq(rv_runner_new(&r, NULL), 0);
	ck_assert_int_eq(rv_runner_run(r, first_run, NULL), 0);
	ck_assert_int_eq(rv_runner_run(r, child, NULL), 0);
	rv_runner_free(r);
	ck_assert_int_eq(n_freed, 3);
}
END_TEST

UNIT_MAIN("ctx", values_are_inherited_and_what_is_set_later_is_ones_own,
	setting_the_same_again_keeps_no_old_values, b221_values_are_there_in_the_thread,
	values_can_be_given_to_a_task, outside_of_a_task_there_are_none,
	b230_values_persist_between_the_runs_of_a_runner)
