#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/macro.h"
#include "cli/command_table.h"
#include "cli/select.h"
#include "tests/support/unit.h"

static struct selection sel;
static struct options options;
static char *err;

static int read_selection(const char *input, const char *const *argv)
{
	struct option_set set = command_options(command_find("cancel"));
	FILE *in = fmemopen((char *)input, MAX(strlen(input), (size_t)1), "r");
	int argc = 0, r;

	while (argv[argc])
		argc++;
	err = NULL;
	ck_assert_int_eq(
		options_parse(&options, &set, (char *const *)argv, argc, 0, NULL, &err),
		0);
	r = selection_read(&sel, &options, in, INT64_C(1700000000000000), &err);
	fclose(in);
	return r;
}
#define READ(input, ...) read_selection(input, (const char *const[]){__VA_ARGS__, NULL})

static void end(void)
{
	selection_deinit(&sel);
	options_deinit(&options);
	free(err);
}

static void assert_json(const char *expected)
{
	json_t *o = selection_json(&sel, 0);
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

	ck_assert_str_eq(text, expected);
	free(text);
	json_decref(o);
}

START_TEST(ids_and_ranges_are_sorted_and_joined)
{
	ck_assert_int_eq(READ("", "9", "3-5", "4", "6", "9"), 0);
	assert_json("{\"ids\":[{\"first\":3,\"last\":6},{\"first\":9,\"last\":9}]}");
	end();
}
END_TEST

START_TEST(names_are_given_once)
{
	ck_assert_int_eq(READ("", "build", "build", "n-1"), 0);
	assert_json("{\"names\":[\"build\",\"n-1\"]}");
	end();
}
END_TEST

START_TEST(stdin_brings_ids_and_names)
{
	ck_assert_int_eq(READ("1\n2 3\n\nname\n", "-"), 0);
	assert_json("{\"ids\":[{\"first\":1,\"last\":3}],\"names\":[\"name\"]}");
	end();
}
END_TEST

START_TEST(empty_stdin_is_empty_but_not_absent)
{
	ck_assert_int_eq(READ(" \n", "-"), 0);
	ck_assert(selection_is_empty(&sel));
	ck_assert(!selection_is_absent(&sel));
	ck_assert_uint_eq(selection_n_chunks(&sel), 0);
	end();
}
END_TEST

START_TEST(nothing_said_is_absent)
{
	ck_assert_int_eq(read_selection(" ", (const char *const[]){NULL}), 0);
	ck_assert(selection_is_absent(&sel));
	ck_assert(!selection_is_empty(&sel));
	end();
}
END_TEST

START_TEST(filters_become_members)
{
	ck_assert_int_eq(
		READ("", "--state", "running", "--state=paused", "--pool", "net",
			"--since", "@5", "--name", "b*", "--user", "bob"),
		0);
	assert_json("{\"name_glob\":\"b*\",\"pool\":\"net\",\"since_usec\":5000000,"
		    "\"states\":[\"running\",\"paused\"],\"user\":\"bob\"}");
	end();
}
END_TEST

START_TEST(bad_words_are_refused)
{
	static const char *const bad[] = {"0", "5-3", "3-", "-x-", "1.5", "two words",
		"99999999999999999999", ""};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		sel = (struct selection)SELECTION_NULL;
		err = NULL;
		ck_assert_msg(
			selection_add(&sel, bad[i], &err) == -EINVAL, "%s", bad[i]);
		ck_assert_ptr_nonnull(err);
		selection_deinit(&sel);
		free(err);
	}
}
END_TEST

START_TEST(bad_filter_values_are_refused)
{
	static const char *const bad[][2] = {{"--state", "sleeping"}, {"--result", ""},
		{"--pool", "a/b"}, {"--pool", "."}, {"--label", "-"},
		{"--since", "soon"}, {"--user", "\xff"}};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(
			READ("", bad[i][0], bad[i][1]) == -EINVAL, "%s", bad[i][1]);
		ck_assert_ptr_nonnull(err);
		end();
	}
}
END_TEST

START_TEST(very_many_ids_become_several_selectors)
{
	json_t *last;

	sel = (struct selection)SELECTION_NULL;
	sel.filters = json_object();
	sel.listed = true;
	for (int i = 0; i < SELECTION_RANGES_MIN + 1; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%d", 10 + i * 2);
		ck_assert_int_eq(selection_add(&sel, text, &err), 0);
	}
	selection_finish(&sel);
	ck_assert(selection_is_long(&sel));
	ck_assert_uint_eq(selection_n_chunks(&sel), 2);
	last = selection_json(&sel, 1);
	ck_assert_uint_eq(json_array_size(json_object_get(last, "ids")), 1);
	json_decref(last);
	selection_fit(&sel, 256 * 1024);
	ck_assert_uint_eq(selection_n_chunks(&sel), 1);
	selection_deinit(&sel);
}
END_TEST

START_TEST(selectors_are_below_the_message_size)
{
	static const size_t message_max[] = {16 * 1024, 256 * 1024};

	for (size_t k = 0; k < ARRAY_LEN(message_max); k++) {
		size_t n_ids = 0, n_names = 0;

		sel = (struct selection)SELECTION_NULL;
		sel.filters = json_object();
		sel.listed = true;
		for (int i = 0; i < 5000; i++) {
			char text[80];

			snprintf(text, sizeof(text), "%" PRId64, INT64_MAX - 2 * i);
			ck_assert_int_eq(selection_add(&sel, text, &err), 0);
			snprintf(text, sizeof(text), "a%063d", i);
			if (i < 1000)
				ck_assert_int_eq(selection_add(&sel, text, &err), 0);
		}
		selection_finish(&sel);
		selection_fit(&sel, message_max[k]);
		for (size_t i = 0; i < selection_n_chunks(&sel); i++) {
			json_t *o = selection_json(&sel, i);

			ck_assert_uint_lt(json_dumpb(o, NULL, 0, JSON_COMPACT),
				message_max[k] - 512);
			n_ids += json_array_size(json_object_get(o, "ids"));
			n_names += json_array_size(json_object_get(o, "names"));
			json_decref(o);
		}
		ck_assert_uint_eq(n_ids, 5000);
		ck_assert_uint_eq(n_names, 1000);
		selection_deinit(&sel);
	}
}
END_TEST

START_TEST(single_is_one_id_or_one_name)
{
	ck_assert_int_eq(READ("", "7"), 0);
	ck_assert(selection_is_single(&sel));
	end();
	ck_assert_int_eq(READ("", "7-8"), 0);
	ck_assert(!selection_is_single(&sel));
	end();
	ck_assert_int_eq(READ("", "name"), 0);
	ck_assert(selection_is_single(&sel));
	end();
	ck_assert_int_eq(READ("", "7", "--user", "bob"), 0);
	ck_assert(selection_is_single(&sel));
	end();
	ck_assert_int_eq(READ("", "7", "--failed"), 0);
	ck_assert(!selection_is_single(&sel));
	end();
}
END_TEST

UNIT_MAIN("select", ids_and_ranges_are_sorted_and_joined, names_are_given_once,
	stdin_brings_ids_and_names, empty_stdin_is_empty_but_not_absent,
	nothing_said_is_absent, filters_become_members, bad_words_are_refused,
	bad_filter_values_are_refused, very_many_ids_become_several_selectors,
	selectors_are_below_the_message_size, single_is_one_id_or_one_name)
