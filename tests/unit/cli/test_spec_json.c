#include "config.h"

#include <string.h>

#include "cli/json.h"
#include "cli/spec_json.h"
#include "tests/support/unit.h"

static struct job_spec spec;
static char *err;

static int from(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	int r;

	ck_assert(json_is_object(o));
	err = NULL;
	job_spec_init(&spec);
	r = spec_from_json(&spec, o, &err);
	json_decref(o);
	return r;
}

static void end(void)
{
	job_spec_deinit(&spec);
	free(err);
}

/* text, with sorted keys, comes out as it went in */
static void assert_round(const char *text)
{
	json_t *o;
	char *back;

	ck_assert_msg(from(text) == 0, "%s: %s", text, err);
	o = spec_to_json(&spec);
	back = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(back, text);
	free(back);
	json_decref(o);
	end();
}

START_TEST(every_kind_of_field_comes_back)
{
	assert_round("{}");
	assert_round("{\"command\":[\"a\",\"\",\"b c\"],\"hold\":true,\"nice\":-5}");
	assert_round("{\"arguments\":{\"x\":[1,null]},\"function\":\"sleep\"}");
	assert_round("{\"output_max_bytes\":null,\"timeout_usec\":null}");
	assert_round(
		"{\"env\":[\"A=1\",\"B=\"],\"env_drop\":[\"X*\"],\"label\":[\"l\"]}");
	assert_round("{\"leftovers\":\"wait\",\"on_lost\":\"rerun\"}");
	assert_round("{\"umask\":18}");
}
END_TEST

START_TEST(bytes_go_through_their_twin)
{
	assert_round("{\"shell_command_b64\":\"//4=\"}");
	assert_round("{\"command_b64\":[\"YQ==\",\"/w==\"]}");
}
END_TEST

START_TEST(twin_that_could_be_text_is_text)
{
	json_t *o;

	ck_assert_int_eq(from("{\"cwd_b64\":\"L2E=\"}"), 0);
	o = spec_to_json(&spec);
	ck_assert_str_eq(json_str(o, "cwd"), "/a");
	json_decref(o);
	end();
}
END_TEST

START_TEST(wrong_types_are_named)
{
	static const char *const bad[][2] = {
		{"{\"timeout\":\"5s\"}",
			"unknown member 'timeout' (did you mean 'timeout_usec'?)"},
		{"{\"output-max\":1}", "unknown member 'output-max' (did you mean "
				       "'output_max_bytes'?)"},
		{"{\"tiemout\":1}",
			"unknown member 'tiemout' (did you mean 'timeout_usec'?)"},
		{"{\"hold\":1}", "hold: true or false is expected"},
		{"{\"priority\":1.5}", "priority: an integer is expected"},
		{"{\"label\":\"x\"}", "label: an array of strings is expected"},
		{"{\"label\":[1]}", "label: an array of strings is expected"},
		{"{\"arguments\":[]}", "arguments: an object is expected"},
		{"{\"kill_signal\":9}", "kill_signal: a string is expected"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(from(bad[i][0]), -EINVAL);
		ck_assert_str_eq(err, bad[i][1]);
		end();
	}
}
END_TEST

START_TEST(values_out_of_range_are_refused)
{
	static const char *const bad[] = {"{\"nice\":99}", "{\"umask\":512}",
		"{\"name\":\"a b\"}", "{\"command\":\"x\"}", "{\"cwd_b64\":\"!\"}",
		"{\"timeout_usec\":-1}", "{\"env\":[\"novalue\"]}",
		"{\"kill_signal\":\"NOPE\"}", "{\"pool_b64\":\"YQ==\"}"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(from(bad[i]) == -EINVAL, "%s", bad[i]);
		ck_assert_msg(err != NULL, "%s", bad[i]);
		end();
	}
}
END_TEST

START_TEST(copy_is_deep_and_complete)
{
	struct job_spec copy;
	json_t *o;
	char *text;

	ck_assert_int_eq(from("{\"command\":[\"a\"],\"cwd\":\"/x\",\"nice\":3}"), 0);
	job_spec_init(&copy);
	ck_assert_int_eq(spec_copy(&copy, &spec), 0);
	end();
	o = spec_to_json(&copy);
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text, "{\"command\":[\"a\"],\"cwd\":\"/x\",\"nice\":3}");
	free(text);
	json_decref(o);
	job_spec_deinit(&copy);
}
END_TEST

UNIT_MAIN("spec_json", every_kind_of_field_comes_back, bytes_go_through_their_twin,
	twin_that_could_be_text_is_text, wrong_types_are_named,
	values_out_of_range_are_refused, copy_is_deep_and_complete)
