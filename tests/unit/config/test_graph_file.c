#include <errno.h>
#include <string.h>

#include "config/graph_file.h"
#include "tests/support/unit.h"

static struct graph *graph;
static struct config_errors errors;

static int parse(const char *text)
{
	errors = (struct config_errors)CONFIG_ERRORS_NULL;
	graph = NULL;
	return graph_parse(&graph, text, strlen(text), "f", &errors);
}

static void forget(void)
{
	graph_free(graph);
	config_errors_deinit(&errors);
}

static void is_refused(const char *text, unsigned line, const char *part)
{
	ck_assert_int_eq(parse(text), -EINVAL);
	ck_assert_ptr_null(graph);
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_uint_eq(errors.v[0].line, line);
	ck_assert_msg(strstr(errors.v[0].text, part) != NULL, "'%s' does not say '%s'",
		errors.v[0].text, part);
	forget();
}

START_TEST(sections_become_places_wherever_they_stand)
{
	ck_assert_int_eq(parse("[job a]\ncommand = x\nafter = b|c|7, other @b\n"
			       "[job b]\nafter-any = c\n[job c]\n"),
		0);
	ck_assert_uint_eq(graph->n, 3);
	ck_assert_str_eq(graph->jobs[0].name, "a");
	ck_assert_str_eq(job_str(&graph->jobs[0].spec, NAME), "a");
	ck_assert_str_eq(job_strv(&graph->jobs[0].spec, AFTER)[0], "#1|#2|7");
	ck_assert_str_eq(job_strv(&graph->jobs[0].spec, AFTER)[1], "other");
	ck_assert_str_eq(job_strv(&graph->jobs[0].spec, AFTER)[2], "@b");
	ck_assert_str_eq(job_strv(&graph->jobs[1].spec, AFTER_ANY)[0], "#2");
	ck_assert_uint_eq(graph_line(graph, 0, "after"), 3);
	ck_assert_uint_eq(graph_line(graph, 1, "after"), 4);
	ck_assert_uint_eq(graph_line(graph, 2, NULL), 6);
	forget();
}
END_TEST

START_TEST(lists_append_and_an_empty_value_takes_back)
{
	ck_assert_int_eq(parse("[job a]\nafter = 1\nafter = 2\nlabel = x\nlabel =\n"
			       "name = other\n"),
		0);
	ck_assert_str_eq(job_strv(&graph->jobs[0].spec, AFTER)[0], "1");
	ck_assert_str_eq(job_strv(&graph->jobs[0].spec, AFTER)[1], "2");
	ck_assert(!job_spec_has(&graph->jobs[0].spec, JOB_FIELD_LABEL));
	ck_assert_str_eq(job_str(&graph->jobs[0].spec, NAME), "other");
	forget();
}
END_TEST

START_TEST(what_is_wrong_is_told_with_its_line)
{
	is_refused("", 0, "no [job NAME]");
	is_refused("[defaults]\n", 1, "unknown section");
	is_refused("[job]\n", 1, "needs a name");
	is_refused("[job 1]\n", 1, "not the name");
	is_refused("[job a]\n[job b]\n[job a]\n", 3, "twice, first in line 1");
	is_refused("[job a]\nretires = 1\n", 2, "did you mean 'retries'");
	is_refused("[job a]\nretries = 1\nretries = 2\n", 3, "first in line 2");
	is_refused("[job a]\nretries = x\n", 2, "not a whole number");
	is_refused("[job a]\nafter = #0\n", 2, "not a job");
	is_refused("[job a]\ncommand = x %u\n", 2, "%u");
	is_refused("[job a]\nshell = sh\n", 2, "not an absolute path");
}
END_TEST

START_TEST(cycle_is_told_with_the_lines_that_it_goes_through)
{
	is_refused("[job a]\nafter = b\n[job b]\n\nafter-failure = 3|c\n[job c]\nafter "
		   "= b\n",
		5, "a cycle: b waits (line 5) for c waits (line 7) for b");
	is_refused("[job a]\nafter-any = a\n", 2, "a cycle: a waits (line 2) for a");
}
END_TEST

UNIT_MAIN("graph_file", sections_become_places_wherever_they_stand,
	lists_append_and_an_empty_value_takes_back, what_is_wrong_is_told_with_its_line,
	cycle_is_told_with_the_lines_that_it_goes_through)
