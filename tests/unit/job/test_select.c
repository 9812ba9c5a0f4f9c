#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/env_filter.h"
#include "job/select.h"
#include "tests/support/unit.h"

#define STRV(...) ((char **)(const char *[]){__VA_ARGS__})

static const char *const labels[] = {"a", "b", NULL};
static const struct job_facts facts = {
	.id = 7,
	.uid = 1000,
	.name = "build-x",
	.pools = "default",
	.state = JOB_FINISHED,
	.result = JOB_RESULT_FAILED,
	.labels = (char **)labels,
	.submitted_usec = 1000,
	.finished_usec = 2000,
};

/* one that selects everything of uid 1000, to be narrowed */
static struct job_select all(void)
{
	return (struct job_select){.uid = 1000, .all = true};
}

START_TEST(range_texts_are_read)
{
	struct job_id_range range;

	ck_assert_int_eq(job_id_range_parse(&range, "3-9", NULL), 0);
	ck_assert(range.first == 3 && range.last == 9);
	ck_assert_int_eq(job_id_range_parse(&range, "12", NULL), 0);
	ck_assert(range.first == 12 && range.last == 12);
	ck_assert_int_eq(job_id_range_parse(&range, "1-18446744073709551615", NULL), 0);
	ck_assert(range.last == UINT64_MAX);
}
END_TEST

START_TEST(bad_range_texts_are_refused_and_named)
{
	static const char *const bad[] = {"", "-", "0", "0-3", "9-3", "3-", "-3", "a",
		"3-9-12", "3 - 9", " 3", "+3", "18446744073709551616", "0x3",
		"00000000000000000000000000000003"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct job_id_range range = {42, 43};
		_cleanup_free_ char *err = NULL;

		ck_assert_msg(job_id_range_parse(&range, bad[i], &err) == -EINVAL, "%s",
			bad[i]);
		ck_assert(range.first == 42 && range.last == 43);
		ck_assert_ptr_nonnull(strstr(err, bad[i]));
	}
}
END_TEST

START_TEST(empty_selection_matches_nothing)
{
	struct job_select sel = {.uid = 1000};

	ck_assert(job_select_is_empty(&sel));
	ck_assert(!job_select_matches(&sel, &facts));
	sel.all = true;
	ck_assert(!job_select_is_empty(&sel));
	ck_assert(job_select_matches(&sel, &facts));
}
END_TEST

START_TEST(jobs_of_others_match_only_when_asked_for)
{
	struct job_select sel = all();

	sel.uid = 1001;
	ck_assert(!job_select_matches(&sel, &facts));
	sel.any_uid = true;
	ck_assert(job_select_matches(&sel, &facts));
}
END_TEST

START_TEST(ids_are_found_in_overlapping_and_unordered_ranges)
{
	struct job_select sel = {.uid = 1000};
	static const struct job_id_range ranges[] = {
		{20, 30}, {5, 6}, {8, 9}, {25, 40}, {22, 23}, {1, 1}};
	struct job_facts f = facts;

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		ck_assert_int_eq(job_select_add_ids(&sel, ranges[i]), 0);
	job_select_prepare(&sel);
	for (f.id = 1; f.id < 50; f.id++) {
		bool want = false;

		for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
			want = want ||
			       (f.id >= ranges[i].first && f.id <= ranges[i].last);
		ck_assert_int_eq(job_select_matches(&sel, &f), want);
	}
	job_select_deinit(&sel);
	ck_assert(job_select_is_empty(&sel));
}
END_TEST

START_TEST(ids_can_be_added_after_prepare)
{
	struct job_select sel = {.uid = 1000};

	for (uint64_t i = 0; i < 100; i++) {
		struct job_facts f = facts;

		f.id = 1000 - i * 2;
		ck_assert_int_eq(
			job_select_add_ids(&sel, (struct job_id_range){f.id, f.id + 1}),
			0);
		job_select_prepare(&sel);
		ck_assert(job_select_matches(&sel, &f));
	}
	job_select_deinit(&sel);
}
END_TEST

START_TEST(criteria_narrow_what_is_named)
{
	struct job_select sel = {.uid = 1000};

	ck_assert_int_eq(job_select_add_ids(&sel, (struct job_id_range){3, 9}), 0);
	job_select_prepare(&sel);
	ck_assert(job_select_matches(&sel, &facts));
	sel.states = 1u << JOB_QUEUED;
	ck_assert(!job_select_matches(&sel, &facts));
	sel.states |= 1u << JOB_FINISHED;
	ck_assert(job_select_matches(&sel, &facts));
	job_select_deinit(&sel);
}
END_TEST

START_TEST(results_are_those_of_finished_jobs)
{
	struct job_select sel = {.uid = 1000, .results = JOB_RESULTS_FAILED};
	struct job_facts f = facts;

	ck_assert(job_select_matches(&sel, &f));
	f.result = JOB_RESULT_CANCELLED;
	ck_assert(!job_select_matches(&sel, &f));
	f.result = JOB_RESULT_FAILED;
	f.state = JOB_BACKOFF;
	ck_assert(!job_select_matches(&sel, &f));
}
END_TEST

START_TEST(any_pool_and_all_labels)
{
	struct job_select sel = all();

	sel.pools = STRV("slow", "default", NULL);
	ck_assert(job_select_matches(&sel, &facts));
	sel.pools = STRV("slow", NULL);
	ck_assert(!job_select_matches(&sel, &facts));
	sel.pools = NULL;
	sel.labels = STRV("b", "a", NULL);
	ck_assert(job_select_matches(&sel, &facts));
	sel.labels = STRV("a", "c", NULL);
	ck_assert(!job_select_matches(&sel, &facts));
}
END_TEST

START_TEST(names_match_a_glob_and_nameless_jobs_never)
{
	struct job_select sel = all();
	struct job_facts f = facts;
	char glob[] = "build-*", other[] = "build", any[] = "*";

	sel.name_glob = glob;
	ck_assert(job_select_matches(&sel, &f));
	sel.name_glob = other;
	ck_assert(!job_select_matches(&sel, &f));
	f.name = NULL;
	sel.name_glob = any;
	ck_assert(!job_select_matches(&sel, &f));
}
END_TEST

START_TEST(since_means_submitted_or_finished_then_or_later)
{
	struct job_select sel = all();
	struct job_facts f = facts;

	sel.since_usec = 2000;
	ck_assert(job_select_matches(&sel, &f));
	sel.since_usec = 2001;
	ck_assert(!job_select_matches(&sel, &f));
	f.finished_usec = 0;
	sel.since_usec = 1000;
	ck_assert(job_select_matches(&sel, &f));
}
END_TEST

START_TEST(name_stands_for_the_newest_unfinished_else_the_newest)
{
	struct job_facts old = facts, new = facts, running = facts;

	old.id = 1;
	new.id = 9;
	running.id = 5;
	running.state = JOB_RUNNING;
	ck_assert(job_name_prefers(&new, &old));
	ck_assert(!job_name_prefers(&old, &new));
	ck_assert(job_name_prefers(&running, &new));
	ck_assert(!job_name_prefers(&new, &running));
}
END_TEST

#define ENV                                                                         \
	STRV("HOME=/h", "LC_ALL=C", "SSH_AUTH_SOCK=x", "PATH=/bin", "broken", "=x", \
		NULL)

START_TEST(user_mode_passes_all_but_what_is_dropped)
{
	_cleanup_(strv_freep) char **v = NULL;

	ck_assert_int_eq(
		env_filter(&v, ENV, NULL, STRV("SSH_*", "LC_*", NULL), true), 0);
	ck_assert(strv_equal(v, STRV("HOME=/h", "PATH=/bin", NULL)));
}
END_TEST

START_TEST(system_mode_passes_only_what_is_named)
{
	_cleanup_(strv_freep) char **v = NULL, **none = NULL;

	ck_assert_int_eq(env_filter(&v, ENV, STRV("LC_*", "PATH", NULL),
				 STRV("PATH", NULL), false),
		0);
	ck_assert(strv_equal(v, STRV("LC_ALL=C", NULL)));
	ck_assert_int_eq(env_filter(&none, ENV, NULL, NULL, false), 0);
	ck_assert_ptr_nonnull(none);
	ck_assert_uint_eq(strv_len(none), 0);
}
END_TEST

UNIT_MAIN("select", range_texts_are_read, bad_range_texts_are_refused_and_named,
	empty_selection_matches_nothing, jobs_of_others_match_only_when_asked_for,
	ids_are_found_in_overlapping_and_unordered_ranges,
	ids_can_be_added_after_prepare, criteria_narrow_what_is_named,
	results_are_those_of_finished_jobs, any_pool_and_all_labels,
	names_match_a_glob_and_nameless_jobs_never,
	since_means_submitted_or_finished_then_or_later,
	name_stands_for_the_newest_unfinished_else_the_newest,
	user_mode_passes_all_but_what_is_dropped, system_mode_passes_only_what_is_named)
