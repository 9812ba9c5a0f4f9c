#include "config.h"

#include <string.h>

#include "base/macro.h"
#include "tests/support/unit.h"
#include "tests/unit/cli/fake_daemon.h"

static struct fake fake;
static struct reeve reeve;

static json_int_t first_id(const json_t *params)
{
	const json_t *ids = json_object_get(json_object_get(params, "select"), "ids");

	return json_integer_value(json_object_get(json_array_get(ids, 0), "first"));
}

/* three finished jobs, in two pages */
static void three_jobs(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params)
{
	int id = (int)first_id(params);

	if (STREQ(method, "List") && !json_object_get(params, "from_id"))
		fake_reply(f, call,
			json_pack("{s:[o, o], s:i, s:i}", "jobs",
				fake_job(1, "finished", "succeeded", 0, 0),
				fake_job(2, "finished", "succeeded", 0, 0), "total", 3,
				"next_id", 3),
			false);
	else if (STREQ(method, "List"))
		fake_reply(f, call,
			json_pack("{s:[o], s:i}", "jobs",
				fake_job(3, "finished", "succeeded", 0, 0), "total", 3),
			false);
	else if (STREQ(method, "Show"))
		fake_reply(f, call,
			json_pack("{s:o, s:{}, s:[], s:[]}", "job",
				fake_job(id, "finished", "succeeded", 0, 0), "spec",
				"environment", "run_history"),
			false);
	else if (STREQ(method, "Logs"))
		fake_reply(f, call,
			json_pack("{s:i, s:i, s:s, s:s, s:i, s:i, s:b}", "id", id,
				"run", 1, "stream", "all", "data_b64", "YQo=", "offset",
				0, "lost_bytes", 0, "ended", 1),
			false);
}

static void end(void)
{
	fake_stop(&fake);
	reeve_free(&reeve);
}

/* whoever's they are: they were selected before */
static void assert_each_was_asked_for(const char *method)
{
	json_t *calls = fake_calls(&fake);

	ck_assert_uint_eq(fake_n_calls(calls, method), 3);
	for (size_t i = 0; i < 3; i++) {
		const json_t *params = fake_call_params(calls, method, i);
		const json_t *select = json_object_get(params, "select");

		ck_assert_int_eq(first_id(params), (int)i + 1);
		ck_assert_str_eq(
			json_string_value(json_object_get(select, "user")), "*");
	}
	json_decref(calls);
}

START_TEST(show_of_many_goes_through_all_pages)
{
	const char *p;

	fake_start(&fake, three_jobs);
	REEVE(&reeve, &fake, "show", "--user", "bob", "--all");
	ck_assert_int_eq(reeve.code, 0);
	assert_each_was_asked_for("io.reeve.Job.Show");
	p = strstr(reeve.out, "job            1\n");
	ck_assert_ptr_nonnull(p);
	p = strstr(p, "\n\njob            2\n");
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(strstr(p, "\n\njob            3\n"));
	end();
}
END_TEST

START_TEST(logs_of_many_go_through_all_pages)
{
	fake_start(&fake, three_jobs);
	REEVE(&reeve, &fake, "logs", "--user", "bob", "--all");
	ck_assert_int_eq(reeve.code, 0);
	assert_each_was_asked_for("io.reeve.Job.Logs");
	ck_assert_str_eq(reeve.out,
		"==> job 1 <==\na\n\n==> job 2 <==\na\n\n==> job 3 <==\na\n");
	end();
}
END_TEST

START_TEST(one_job_of_another_user_has_no_heading)
{
	json_t *calls;

	fake_start(&fake, three_jobs);
	REEVE(&reeve, &fake, "logs", "--user", "bob", "2");
	ck_assert_int_eq(reeve.code, 0);
	ck_assert_str_eq(reeve.out, "a\n");
	calls = fake_calls(&fake);
	ck_assert_str_eq(
		json_string_value(json_object_get(
			json_object_get(fake_call_params(calls, "io.reeve.Job.Logs", 0),
				"select"),
			"user")),
		"bob");
	json_decref(calls);
	end();
}
END_TEST

UNIT_MAIN("each_job", show_of_many_goes_through_all_pages,
	logs_of_many_go_through_all_pages, one_job_of_another_user_has_no_heading)
