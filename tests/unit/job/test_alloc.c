/* Every allocation of this folder may fail: nothing leaks, nothing is half done. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/env_filter.h"
#include "job/select.h"
#include "job/spec.h"
#include "job/words.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

static const struct {
	enum job_field f;
	const char *text;
} samples[] = {
	{JOB_FIELD_COMMAND, "sh -c 'a b' \"c\""},
	{JOB_FIELD_NAME, "name"},
	{JOB_FIELD_LABEL, "x y"},
	{JOB_FIELD_AFTER, "3|4,name"},
	{JOB_FIELD_ENV, "A=1\n\"B=\\n\""},
	{JOB_FIELD_RLIMITS, "core=0 nofile=1:2"},
	{JOB_FIELD_RETRY_ON, "1 TERM"},
	{JOB_FIELD_TIMEOUT, "5s"},
};

START_TEST(parsing_survives_every_failed_allocation)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		for (size_t n = 1;; n++) {
			char *err = NULL;
			union job_value v;
			int r;

			alloc_fail_at(n);
			r = job_value_parse(&v, samples[i].f, samples[i].text, &err);
			if (r >= 0)
				job_value_free(&v, samples[i].f);
			free(err);
			if (!alloc_fail_stop()) {
				ck_assert_int_eq(r, 0);
				break;
			}
			ck_assert_int_eq(r, -ENOMEM);
		}
}
END_TEST

START_TEST(message_that_cannot_be_allocated_leaves_the_code)
{
	char *err = NULL;
	union job_value v;
	int r;

	alloc_fail_at(1);
	r = job_value_parse(&v, JOB_FIELD_TIMEOUT, "x", &err);
	ck_assert(alloc_fail_stop());
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_ptr_null(err);
}
END_TEST

static void fill(struct job_spec *s)
{
	union job_value v;

	job_spec_init(s);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		ck_assert_int_eq(
			job_value_parse(&v, samples[i].f, samples[i].text, NULL), 0);
		ck_assert_int_eq(job_spec_put(s, samples[i].f, v), 0);
	}
}

START_TEST(packing_and_unpacking_survive_every_failed_allocation)
{
	struct job_spec s, t;
	_cleanup_free_ void *packed = NULL;
	size_t len = 0;
	int r;

	fill(&s);
	for (size_t n = 1;; n++) {
		alloc_fail_at(n);
		r = job_spec_pack(&packed, &len, &s);
		if (!alloc_fail_stop())
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(packed);
	}
	job_spec_deinit(&s);
	for (size_t n = 1;; n++) {
		alloc_fail_at(n);
		r = job_spec_unpack(&t, packed, len);
		if (!alloc_fail_stop())
			break;
		ck_assert_int_eq(r, -ENOMEM);
	}
	ck_assert_str_eq(job_strv(&t, COMMAND)[2], "a b");
	job_spec_deinit(&t);
}
END_TEST

START_TEST(merging_and_appending_survive_every_failed_allocation)
{
	struct job_spec s, d;
	bool failed;

	fill(&d);
	for (size_t n = 1;; n++) {
		union job_value v;
		int r;

		job_spec_init(&s);
		ck_assert_int_eq(job_value_parse(&v, JOB_FIELD_ENV, "C=1", NULL), 0);
		ck_assert_int_eq(job_spec_put(&s, JOB_FIELD_ENV, v), 0);
		ck_assert_int_eq(job_value_parse(&v, JOB_FIELD_ENV, "D=1", NULL), 0);
		alloc_fail_at(n);
		r = job_spec_put(&s, JOB_FIELD_ENV, v);
		if (r >= 0)
			r = job_spec_merge_defaults(&s, &d);
		failed = alloc_fail_stop();
		if (!failed) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_eq(strv_len(job_strv(&s, ENV)), 4);
		}
		ck_assert(!failed || r == -ENOMEM);
		job_spec_deinit(&s);
		if (!failed)
			break;
	}
	job_spec_deinit(&d);
}
END_TEST

START_TEST(selecting_and_filtering_survive_every_failed_allocation)
{
	static const char *const env[] = {"A=1", "B=2", NULL};
	bool failed;

	for (size_t n = 1;; n++) {
		struct job_select sel = {0};
		char **v = NULL;
		int r = 0;

		alloc_fail_at(n);
		for (uint64_t id = 1; r >= 0 && id < 10; id++)
			r = job_select_add_ids(&sel, (struct job_id_range){id, id + 1});
		if (r >= 0)
			r = env_filter(&v, (char **)env, NULL, NULL, true);
		failed = alloc_fail_stop();
		ck_assert_int_eq(r, failed ? -ENOMEM : 0);
		strv_free(v);
		job_select_deinit(&sel);
		if (!failed)
			break;
	}
}
END_TEST

UNIT_MAIN("job_alloc", parsing_survives_every_failed_allocation,
	message_that_cannot_be_allocated_leaves_the_code,
	packing_and_unpacking_survive_every_failed_allocation,
	merging_and_appending_survive_every_failed_allocation,
	selecting_and_filtering_survive_every_failed_allocation)
