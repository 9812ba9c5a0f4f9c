#include "tests/unit/daemon/fixture.h"

static enum config_key limit; /* that a refused one reached */
static int conn_a, conn_b;    /* their addresses stand for connections */

static void begin(struct fixture *fx)
{
	ck_assert_int_eq(outputs_new(&fx->core.outputs, &fx->core), 0);
	fixture_start(fx, outputs_main, fx->core.outputs);
	ck_assert_int_eq(inputs_new(&fx->core.inputs, &fx->core), 0);
}

static int put(
	struct fixture *fx, char *name, const void *owner, const char *text, bool last)
{
	return inputs_put(
		fx->core.inputs, name, owner, 5, text, strlen(text), last, &limit);
}

static bool exists(struct fixture *fx, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "input/%s", name);
	return faccessat(fx->dir.fd, path, F_OK, 0) == 0;
}

/* its file is removed in a worker, soon */
static void wait_until_gone(struct fixture *fx, const char *name)
{
	while (exists(fx, name))
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
}

DAEMON_TEST(bytes_of_several_calls_are_joined)
{
	char name[INPUT_NAME_MAX] = "", text[16] = "", *path;
	FILE *f;

	begin(fx);
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", false), 0);
	ck_assert_int_eq(put(fx, name, &conn_a, "def", true), 0);
	ck_assert_int_eq(inputs_path(fx->core.inputs, &path, name, 5), 0);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	ck_assert_str_eq(text, "abcdef");
	fclose(f);
	free(path);
	return 0;
}

DAEMON_TEST(input_of_another_user_or_connection_is_not_there)
{
	char name[INPUT_NAME_MAX] = "";

	begin(fx);
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", false), 0);
	ck_assert_int_eq(put(fx, name, &conn_b, "def", true), -ENOENT);
	ck_assert_int_eq(
		inputs_put(fx->core.inputs, name, &conn_a, 6, "x", 1, true, &limit),
		-ENOENT);
	ck_assert_int_eq(put(fx, name, &conn_a, "def", true), 0);
	ck_assert_int_eq(inputs_claim(fx->core.inputs, name, 6), -ENOENT);
	return 0;
}

DAEMON_TEST(incomplete_input_cannot_be_claimed)
{
	char name[INPUT_NAME_MAX] = "";

	begin(fx);
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", false), 0);
	ck_assert_int_eq(inputs_claim(fx->core.inputs, name, 5), -ENOENT);
	return 0;
}

DAEMON_TEST(incomplete_input_goes_with_its_connection)
{
	char name[INPUT_NAME_MAX] = "", done[INPUT_NAME_MAX] = "";

	begin(fx);
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", false), 0);
	ck_assert_int_eq(put(fx, done, &conn_a, "abc", true), 0);
	inputs_owner_gone(fx->core.inputs, &conn_a);
	wait_until_gone(fx, name);
	ck_assert(exists(fx, done));
	return 0;
}

/* freeing the blocks of a large file may take long, and one client may have hundreds */
DAEMON_TEST(files_are_not_removed_on_the_loop)
{
	char name[INPUT_NAME_MAX] = "";

	begin(fx);
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", false), 0);
	inputs_owner_gone(fx->core.inputs, &conn_a);
	ck_assert(exists(fx, name)); /* nothing was awaited yet */
	wait_until_gone(fx, name);
	return 0;
}

DAEMON_TEST(refused_submit_leaves_its_input_to_the_next)
{
	char name[INPUT_NAME_MAX] = "";

	begin(fx);
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", true), 0);
	ck_assert_int_eq(inputs_claim(fx->core.inputs, name, 5), 0);
	ck_assert_int_eq(inputs_claim(fx->core.inputs, name, 5), -ENOENT);
	inputs_end_claim(fx->core.inputs, name, false);
	ck_assert_int_eq(inputs_claim(fx->core.inputs, name, 5), 0);
	inputs_end_claim(fx->core.inputs, name, true);
	ck_assert_int_eq(inputs_claim(fx->core.inputs, name, 5), -ENOENT);
	ck_assert(exists(fx, name));
	return 0;
}

DAEMON_VIRTUAL_TEST(input_that_nobody_took_goes_after_an_hour)
{
	char name[INPUT_NAME_MAX] = "";

	begin(fx);
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", true), 0);
	ck_assert_int_eq(rv_sleep(RV_SEC(1800)), 0);
	ck_assert(exists(fx, name));
	ck_assert_int_eq(rv_sleep(RV_SEC(2 * 3600)), 0);
	wait_until_gone(fx, name);
	return 0;
}

DAEMON_TEST(input_over_the_limit_is_refused_and_gone)
{
	char name[INPUT_NAME_MAX] = "";

	begin(fx);
	fx->config->v[CONFIG_INPUT_MAX].num = 4;
	ck_assert_int_eq(put(fx, name, &conn_a, "abc", false), 0);
	ck_assert_int_eq(put(fx, name, &conn_a, "de", true), -RV_ELIMIT);
	ck_assert_int_eq(limit, CONFIG_INPUT_MAX);
	wait_until_gone(fx, name);
	return 0;
}

DAEMON_TEST(inputs_of_one_user_together_are_limited)
{
	char name[INPUT_NAME_MAX];

	begin(fx);
	fx->config->v[CONFIG_INPUT_MAX].num = 4;
	for (int i = 0; i < 4; i++) {
		name[0] = '\0';
		ck_assert_int_eq(put(fx, name, &conn_a, "abcd", true), 0);
	}
	name[0] = '\0';
	ck_assert_int_eq(put(fx, name, &conn_a, "a", true), -RV_ELIMIT);
	name[0] = '\0';
	ck_assert_int_eq(
		inputs_put(fx->core.inputs, name, &conn_b, 6, "a", 1, true, &limit), 0);
	return 0;
}

/* put an input of one byte; what inputs_put returns */
static int put_one(struct fixture *fx, char *name, uint32_t uid)
{
	name[0] = '\0';
	return inputs_put(fx->core.inputs, name, &conn_a, uid, "a", 1, true, &limit);
}

DAEMON_TEST(number_of_inputs_that_no_job_took_is_limited)
{
	char name[INPUT_NAME_MAX];

	begin(fx);
	fx->config->v[CONFIG_UNTAKEN_INPUTS_PER_USER_MAX].num = 2;
	fx->config->v[CONFIG_UNTAKEN_INPUTS_MAX].num = 3;
	ck_assert_int_eq(put_one(fx, name, 5), 0);
	ck_assert_int_eq(put_one(fx, name, 5), 0);
	ck_assert_int_eq(put_one(fx, name, 5), -RV_ELIMIT);
	ck_assert_int_eq(limit, CONFIG_UNTAKEN_INPUTS_PER_USER_MAX);
	ck_assert_int_eq(put_one(fx, name, 6), 0);
	ck_assert_int_eq(put_one(fx, name, 6), -RV_ELIMIT);
	ck_assert_int_eq(limit, CONFIG_UNTAKEN_INPUTS_MAX);
	/* one that a job takes makes room */
	ck_assert_int_eq(put_one(fx, name, 7), -RV_ELIMIT);
	fx->config->v[CONFIG_UNTAKEN_INPUTS_MAX].num = 4;
	ck_assert_int_eq(put_one(fx, name, 7), 0);
	ck_assert_int_eq(inputs_claim(fx->core.inputs, name, 7), 0);
	inputs_end_claim(fx->core.inputs, name, true);
	ck_assert_int_eq(put_one(fx, name, 7), 0);
	return 0;
}

DAEMON_TEST(names_that_cannot_be_are_refused)
{
	static const char *const names[] = {"", "5-", "5-../../etc/passwd00000",
		"6-0123456789abcdef0123", "5-0123456789abcdef01234",
		"5-0123456789ABCDEF0123"};
	char *path;

	begin(fx);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_int_eq(
			inputs_path(fx->core.inputs, &path, names[i], 5), -EINVAL);
	return 0;
}

DAEMON_TEST(sweep_leaves_what_jobs_refer_to)
{
	char used[INPUT_NAME_MAX] = "", left[INPUT_NAME_MAX] = "", from[64];

	begin(fx);
	ck_assert_int_eq(put(fx, used, &conn_a, "a", true), 0);
	ck_assert_int_eq(put(fx, left, &conn_a, "b", true), 0);
	snprintf(from, sizeof(from), "input:%s", used);
	fixture_add_job(
		fx, 1, &(struct fixture_job){.stdin_from = from, .state = JOB_QUEUED});
	ck_assert_int_eq(inputs_sweep(fx->core.inputs), 1);
	ck_assert(exists(fx, used));
	ck_assert(!exists(fx, left));
	return 0;
}

UNIT_MAIN("inputs", bytes_of_several_calls_are_joined,
	input_of_another_user_or_connection_is_not_there,
	incomplete_input_cannot_be_claimed, incomplete_input_goes_with_its_connection,
	files_are_not_removed_on_the_loop, refused_submit_leaves_its_input_to_the_next,
	input_that_nobody_took_goes_after_an_hour,
	input_over_the_limit_is_refused_and_gone,
	inputs_of_one_user_together_are_limited,
	number_of_inputs_that_no_job_took_is_limited, names_that_cannot_be_are_refused,
	sweep_leaves_what_jobs_refer_to)
