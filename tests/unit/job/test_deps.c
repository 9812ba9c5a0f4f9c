#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "job/deps.h"
#include "job/spec.h"
#include "tests/support/unit.h"

/* ---- elements ----------------------------------------------------------------------- */

START_TEST(parts_of_an_element_are_told_apart)
{
	const char *at = "3|some.name|@label|#0";
	struct dep_ref ref;

	ck_assert_int_eq(dep_ref_next(&ref, &at), 1);
	ck_assert_int_eq(ref.kind, DEP_REF_ID);
	ck_assert_uint_eq(ref.number, 3);
	ck_assert_int_eq(dep_ref_next(&ref, &at), 1);
	ck_assert_int_eq(ref.kind, DEP_REF_NAME);
	ck_assert_str_eq(ref.name, "some.name");
	ck_assert_int_eq(dep_ref_next(&ref, &at), 1);
	ck_assert_int_eq(ref.kind, DEP_REF_LABEL);
	ck_assert_str_eq(ref.name, "label");
	ck_assert_int_eq(dep_ref_next(&ref, &at), 1);
	ck_assert_int_eq(ref.kind, DEP_REF_INDEX);
	ck_assert_uint_eq(ref.number, 0);
	ck_assert_int_eq(dep_ref_next(&ref, &at), 0);
}
END_TEST

START_TEST(what_is_no_job_is_no_element)
{
	static const char *const bad[] = {"", "|", "3|", "|3", "3||4", "0", "-1", "3-5",
		"@", "#", "#x", "a b", "9223372036854775808", "@3", "a*"};
	char name[66];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!dep_element_is_valid(bad[i]), "'%s'", bad[i]);
	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	ck_assert(dep_element_is_valid(name));
	name[64] = 'n';
	name[65] = '\0';
	ck_assert(!dep_element_is_valid(name));
	ck_assert(dep_element_is_valid("9223372036854775807"));
}
END_TEST

START_TEST(kinds_of_a_list_are_told)
{
	char *list[] = {(char *)"3|4", (char *)"name", NULL};
	char *with_label[] = {(char *)"1|@l", NULL};

	ck_assert_uint_eq(dep_list_kinds(NULL), 0);
	ck_assert_uint_eq(dep_list_kinds(list), 1u << DEP_REF_ID | 1u << DEP_REF_NAME);
	ck_assert_uint_eq(
		dep_list_kinds(with_label), 1u << DEP_REF_ID | 1u << DEP_REF_LABEL);
}
END_TEST

/* ---- judgement ---------------------------------------------------------------------- */

START_TEST(each_end_satisfies_what_it_should)
{
	static const struct {
		enum job_result result;
		enum dep_state
			by_kind[DEP_KIND_N]; /* after, after-any, after-failure */
	} rows[] = {
		{JOB_RESULT_SUCCEEDED, {DEP_MET, DEP_MET, DEP_IMPOSSIBLE}},
		{JOB_RESULT_FAILED, {DEP_IMPOSSIBLE, DEP_MET, DEP_MET}},
		{JOB_RESULT_TIMEOUT, {DEP_IMPOSSIBLE, DEP_MET, DEP_MET}},
		{JOB_RESULT_CANCELLED, {DEP_IMPOSSIBLE, DEP_MET, DEP_IMPOSSIBLE}},
		{JOB_RESULT_SKIPPED, {DEP_IMPOSSIBLE, DEP_MET, DEP_IMPOSSIBLE}},
		{JOB_RESULT_LOST, {DEP_IMPOSSIBLE, DEP_MET, DEP_IMPOSSIBLE}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int k = 0; k < DEP_KIND_N; k++) {
			struct dep_job j = {JOB_FINISHED, rows[i].result, false};

			ck_assert_int_eq(
				dep_judge((enum dep_kind)k, &j), rows[i].by_kind[k]);
			/* of a run before: it is not over */
			for (int s = 0; s < JOB_FINISHED; s++) {
				j.state = (enum job_state)s;
				ck_assert_int_eq(
					dep_judge((enum dep_kind)k, &j), DEP_OPEN);
			}
		}
}
END_TEST

START_TEST(nobody_is_skipped_for_a_shutdown)
{
	const struct dep_job j = {JOB_FINISHED, JOB_RESULT_LOST, true};

	ck_assert_int_eq(dep_judge(DEP_AFTER, &j), DEP_OPEN);
	ck_assert_int_eq(dep_judge(DEP_AFTER_FAILURE, &j), DEP_OPEN);
	ck_assert_int_eq(dep_judge(DEP_AFTER_ANY, &j), DEP_MET);
}
END_TEST

/* job 1 succeeded, 2 failed, 3 runs, 4 was skipped; others are gone */
static bool look(uint64_t id, struct dep_job *ret, void *arg)
{
	static const struct dep_job jobs[] = {
		[1] = {JOB_FINISHED, JOB_RESULT_SUCCEEDED, false},
		[2] = {JOB_FINISHED, JOB_RESULT_FAILED, false},
		[3] = {JOB_RUNNING, JOB_RESULT_NONE, false},
		[4] = {JOB_FINISHED, JOB_RESULT_SKIPPED, false}};

	if (id >= ARRAY_LEN(jobs))
		return false;
	*ret = jobs[id];
	return true;
}

static void *pack(
	size_t *ret_len, const char *after, const char *any, const char *failure)
{
	const char *const texts[] = {after, any, failure};
	struct job_spec s;
	union job_value v;
	void *p;

	job_spec_init(&s);
	for (int k = 0; k < DEP_KIND_N; k++) {
		if (!texts[k])
			continue;
		ck_assert_int_eq(job_value_parse(&v, dep_field[k], texts[k], NULL), 0);
		ck_assert_int_eq(job_spec_put(&s, dep_field[k], v), 0);
	}
	ck_assert_int_eq(job_spec_pack(&p, ret_len, &s), 0);
	job_spec_deinit(&s);
	return p;
}

static struct deps_verdict judge(void *spec, size_t len)
{
	struct deps_verdict v;

	deps_judge(&v, spec, len, look, NULL);
	return v;
}

static void assert_state(
	enum dep_state state, const char *after, const char *any, const char *failure)
{
	_cleanup_free_ void *p = NULL;
	size_t len;

	p = pack(&len, after, any, failure);
	ck_assert_msg(judge(p, len).state == state, "%s, %s, %s: %d",
		after ? after : "", any ? any : "", failure ? failure : "",
		judge(p, len).state);
}

START_TEST(all_elements_are_needed_and_one_of_each)
{
	assert_state(DEP_MET, NULL, NULL, NULL);
	assert_state(DEP_MET, "1", NULL, NULL);
	assert_state(DEP_OPEN, "1, 3", NULL, NULL);
	assert_state(DEP_IMPOSSIBLE, "3 2", NULL, NULL);
	assert_state(DEP_MET, "2|1", NULL, NULL);
	assert_state(DEP_OPEN, "2|3", NULL, NULL);
	assert_state(DEP_IMPOSSIBLE, "2|4", NULL, NULL);
	assert_state(DEP_MET, "1", "4", "2");
	assert_state(DEP_OPEN, "1", "3|3", "2");
	assert_state(DEP_IMPOSSIBLE, "3", "3", "1");
	/* nobody needed that one any more */
	assert_state(DEP_MET, "99", NULL, "99");
}
END_TEST

START_TEST(what_makes_it_impossible_is_named)
{
	_cleanup_free_ void *p = NULL;
	struct deps_verdict v;
	size_t len;

	p = pack(&len, "1 3", "2", "1|4 2");
	v = judge(p, len);
	ck_assert_int_eq(v.state, DEP_IMPOSSIBLE);
	ck_assert_int_eq(v.kind, DEP_AFTER_FAILURE);
	ck_assert_str_eq(v.element, "1|4");
}
END_TEST

START_TEST(every_id_is_walked)
{
	static const uint64_t expected[] = {1, 2, 3, 9, 4};
	_cleanup_free_ void *p = NULL;
	const char *at = NULL;
	struct deps_walk w;
	size_t len, n = 0;
	uint64_t id;

	p = pack(&len, "1|2,3", NULL, "9|name 4");
	deps_walk_init(&w, p, len);
	while (deps_walk_next_id(&w, &at, &id) > 0) {
		ck_assert_uint_lt(n, ARRAY_LEN(expected));
		ck_assert_uint_eq(id, expected[n++]);
	}
	ck_assert_uint_eq(n, ARRAY_LEN(expected));
	ck_assert(deps_are_given(p, len));
	ck_assert(!deps_are_given("", 0));
}
END_TEST

/* ---- cycles ------------------------------------------------------------------------- */

/* a row of edges for each node, ended by 0 */
static int edges_of_table(struct deps_search *s, uint64_t node, void *arg)
{
	const uint64_t(*table)[4] = arg;
	int r = 0;

	for (size_t i = 0; r >= 0 && table[node][i]; i++)
		r = deps_search_edge(s, table[node][i]);
	return r;
}

START_TEST(graph_without_a_cycle_has_none)
{
	/* 1 -> 2, 3; both -> 4: met twice, no cycle */
	static const uint64_t table[][4] = {
		[1] = {2, 3}, [2] = {4}, [3] = {4, 4}, [4] = {0}};
	_cleanup_(deps_search_freep) struct deps_search *s = NULL;

	ck_assert_int_eq(deps_search_new(&s, edges_of_table, (void *)table), 0);
	for (uint64_t i = 1; i <= 4; i++) {
		ck_assert_int_eq(deps_search_from(s, i), 0);
		ck_assert_int_eq(deps_search_step(s, SIZE_MAX), 0);
	}
}
END_TEST

START_TEST(cycle_is_named_in_its_order)
{
	static const uint64_t table[][4] = {
		[1] = {5, 2}, [2] = {3}, [3] = {5, 4}, [4] = {5, 2}, [5] = {0}};
	_cleanup_(deps_search_freep) struct deps_search *s = NULL;
	const uint64_t *v;
	size_t n;
	int r;

	ck_assert_int_eq(deps_search_new(&s, edges_of_table, (void *)table), 0);
	ck_assert_int_eq(deps_search_from(s, 1), 0);
	while ((r = deps_search_step(s, 1)) == -EAGAIN)
		;
	ck_assert_int_eq(r, 1);
	v = deps_search_cycle(s, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(v[0], 2);
	ck_assert_uint_eq(v[1], 3);
	ck_assert_uint_eq(v[2], 4);
}
END_TEST

START_TEST(node_that_waits_for_itself_is_a_cycle)
{
	static const uint64_t table[][4] = {[1] = {1}};
	_cleanup_(deps_search_freep) struct deps_search *s = NULL;
	size_t n;

	ck_assert_int_eq(deps_search_new(&s, edges_of_table, (void *)table), 0);
	ck_assert_int_eq(deps_search_from(s, 1), 0);
	ck_assert_int_eq(deps_search_step(s, SIZE_MAX), 1);
	ck_assert_uint_eq(deps_search_cycle(s, &n)[0], 1);
	ck_assert_uint_eq(n, 1);
}
END_TEST

enum { LONG = 100000 };

static int edges_of_chain(struct deps_search *s, uint64_t node, void *arg)
{
	const bool *closed = arg;

	return node < LONG ? deps_search_edge(s, node + 1)
	       : *closed   ? deps_search_edge(s, 1)
			   : 0;
}

START_TEST(long_chain_needs_no_deep_stack)
{
	for (int closed = 0; closed <= 1; closed++) {
		_cleanup_(deps_search_freep) struct deps_search *s = NULL;
		bool b = closed;
		size_t n;

		ck_assert_int_eq(deps_search_new(&s, edges_of_chain, &b), 0);
		ck_assert_int_eq(deps_search_from(s, 1), 0);
		ck_assert_int_eq(deps_search_step(s, SIZE_MAX), closed);
		deps_search_cycle(s, &n);
		ck_assert_uint_eq(n, closed ? LONG : 0);
	}
}
END_TEST

UNIT_MAIN("deps", parts_of_an_element_are_told_apart, what_is_no_job_is_no_element,
	kinds_of_a_list_are_told, each_end_satisfies_what_it_should,
	nobody_is_skipped_for_a_shutdown, all_elements_are_needed_and_one_of_each,
	what_makes_it_impossible_is_named, every_id_is_walked,
	graph_without_a_cycle_has_none, cycle_is_named_in_its_order,
	node_that_waits_for_itself_is_a_cycle, long_chain_needs_no_deep_stack)
