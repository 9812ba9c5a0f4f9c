#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/columns.h"
#include "cli/json.h"
#include "tests/support/unit.h"

#define NOW INT64_C(1700000000000000)

static const char job_text[] =
	"{\"id\": 7, \"name\": \"n\", \"state\": \"finished\", \"result\": \"failed\","
	"\"reason\": \"because\", \"exit_code\": 3, \"signal\": null, \"pool\": \"p\","
	"\"labels\": [\"one\", \"two\"], \"priority\": -4, \"user\": \"me\", \"uid\": "
	"5,"
	"\"submitted_usec\": 1699999900000000, \"started_usec\": 1699999940000000,"
	"\"finished_usec\": 1699999990000000, \"due_usec\": null, \"runs\": 2,"
	"\"pid\": null, \"command\": \"make all\"}";

/* the text is the caller's */
static char *row_of(const json_t *job, const char *names)
{
	static const struct table_style style = {.headings = true};
	struct columns cs;
	struct table *t;
	char *err = NULL, *text;
	size_t len;
	FILE *out;

	ck_assert_msg(columns_parse(&cs, names, &err) == 0, "%s", err);
	ck_assert_int_eq(columns_table(&cs, &t, &style), 0);
	ck_assert_int_eq(columns_row(&cs, t, job, NOW), 0);
	out = open_memstream(&text, &len);
	ck_assert_int_eq(table_print(t, out), 0);
	fclose(out);
	table_free(t);
	return text;
}

static void shows(const char *job, const char *names, const char *want)
{
	_cleanup_json_ json_t *o = json_loads(job, 0, NULL);
	_cleanup_free_ char *text = row_of(o, names);

	ck_assert_msg(strstr(text, want) != NULL, "'%s' lacks '%s'", text, want);
}

START_TEST(columns_stand_in_the_order_given)
{
	shows(job_text, "command,id,exit,runs,priority",
		"COMMAND  ID EXIT RUNS PRIORITY\n");
	shows(job_text, "command,id,exit,runs,priority",
		"make all  7    3    2       -4\n");
	shows(job_text, "user,pool,label,reason", "me   p    one,two because\n");
}
END_TEST

START_TEST(states_and_times_are_in_words)
{
	setenv("TZ", "UTC", 1);
	shows(job_text, "state,result", "failed, exit 3 failed");
	shows(job_text, "when,time", "10s ago 50.0s\n");
	shows(job_text, "submitted", "2023-11-14 22:11:40");
	shows(job_text, "due,pid", "-     -\n");
	shows("{\"state\": \"finished\", \"result\": \"failed\", \"signal\": 11}",
		"state,exit", "failed, SIGSEGV SIGSEGV");
}
END_TEST

START_TEST(many_labels_are_cut)
{
	char job[1024] = "{\"labels\": [\"0\"";

	for (int i = 0; i < 30; i++)
		strcat(job, ", \"label-of-many\"");
	strcat(job, "]}");
	shows(job, "label", "0,label-of-many,");
	shows(job, "label", "label-of-many,...\n");
}
END_TEST

/* what is missing, or of another type, is no crash: replies come from outside */
START_TEST(every_column_takes_any_reply)
{
	static const char odd[] =
		"{\"id\": \"x\", \"labels\": 3, \"state\": 5, \"exit_code\": \"\","
		"\"started_usec\": {}, \"name\": [], \"signal\": 9999999999}";
	static const char *const jobs[] = {"{}", "[]", odd};

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		for (int c = 0; c < COLUMN_N; c++)
			shows(jobs[i], column_name[c], "\n");
}
END_TEST

START_TEST(json_has_the_members_of_the_columns)
{
	_cleanup_json_ json_t *job = json_loads(job_text, 0, NULL), *some = NULL;
	_cleanup_free_ char *text = NULL;
	struct columns cs;
	char *err = NULL;

	ck_assert_int_eq(columns_parse(&cs, "id,exit,time,started,pid", &err), 0);
	some = columns_json(&cs, job);
	text = json_dumps(some, JSON_COMPACT);
	ck_assert_str_eq(text, "{\"id\":7,\"exit_code\":3,\"signal\":null,"
			       "\"started_usec\":1699999940000000,"
			       "\"finished_usec\":1699999990000000,\"pid\":null}");
}
END_TEST

static void refuses(const char *names, const char *part)
{
	_cleanup_free_ char *err = NULL;
	struct columns cs;

	ck_assert_int_eq(columns_parse(&cs, names, &err), -EINVAL);
	ck_assert_msg(strstr(err, part) != NULL, "'%s' lacks '%s'", err, part);
}

START_TEST(unknown_columns_are_refused_with_all_that_there_are)
{
	refuses("id,colour", "no such column: 'colour'; there are: id, state, result,");
	refuses("", "no such column: ''");
	refuses("id,", "no such column: ''");
	refuses("id,state,id", "twice: 'id'");
	refuses("\033[31m", "no such column: '\\x1b[31m'");
}
END_TEST

START_TEST(users_are_shown_to_who_sees_several)
{
	struct columns cs;

	columns_default(&cs, false);
	ck_assert_uint_eq(cs.n, 7);
	columns_default(&cs, true);
	ck_assert_uint_eq(cs.n, 8);
	ck_assert_int_eq(cs.v[2], COLUMN_USER);
}
END_TEST

UNIT_MAIN("columns", columns_stand_in_the_order_given, states_and_times_are_in_words,
	many_labels_are_cut, every_column_takes_any_reply,
	json_has_the_members_of_the_columns,
	unknown_columns_are_refused_with_all_that_there_are,
	users_are_shown_to_who_sees_several)
