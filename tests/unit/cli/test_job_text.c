#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/job_text.h"
#include "cli/spec_json.h"
#include "tests/support/unit.h"

static char *text;
static size_t text_len;
static unsigned lines[JOB_FIELD_N];
static struct config_errors errors;

static void put(struct job_spec *s, enum job_field f, const char *value)
{
	char *err = NULL;

	ck_assert_int_eq(spec_put_text(s, f, value, &err), 0);
}

static void write_text(const struct job_spec *s, bool has_run, bool runs)
{
	FILE *f = open_memstream(&text, &text_len);

	ck_assert_int_eq(job_text_write(f, s, has_run, runs), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static int read_text(struct job_spec *s, const char *from)
{
	errors = (struct config_errors)CONFIG_ERRORS_NULL;
	job_spec_init(s);
	return job_text_read(s, lines, from, strlen(from), "x.conf", &errors);
}

START_TEST(what_is_written_is_read_back)
{
	struct job_spec s, back;

	job_spec_init(&s);
	put(&s, JOB_FIELD_SHELL_COMMAND, "echo one # two\n  echo three\n\nexit 7");
	put(&s, JOB_FIELD_LABEL, "red blue");
	put(&s, JOB_FIELD_ENV, "A=1 2\nB=");
	put(&s, JOB_FIELD_TIMEOUT, "90s");
	put(&s, JOB_FIELD_SUCCESS_CODES, "0 75 SIGTERM");
	put(&s, JOB_FIELD_UMASK, "027");
	put(&s, JOB_FIELD_AT, "@2000000000");
	write_text(&s, false, false);
	ck_assert_int_eq(read_text(&back, text), 0);
	ck_assert_uint_eq(job_spec_difference(&s, &back), 0);
	job_spec_deinit(&s);
	job_spec_deinit(&back);
	free(text);
}
END_TEST

START_TEST(what_cannot_be_changed_is_not_shown)
{
	struct job_spec s;

	job_spec_init(&s);
	put(&s, JOB_FIELD_COMMAND, "true");
	write_text(&s, false, false);
	ck_assert_ptr_nonnull(strstr(text, "\ncommand = true\n"));
	ck_assert_ptr_null(strstr(text, "function ="));
	ck_assert_ptr_null(strstr(text, "hold ="));
	free(text);
	write_text(&s, true, false);
	ck_assert_ptr_null(strstr(text, "\ncommand ="));
	ck_assert_ptr_nonnull(strstr(text, "\n#slots = 1\n"));
	free(text);
	write_text(&s, true, true);
	ck_assert_ptr_null(strstr(text, "slots ="));
	ck_assert_ptr_nonnull(strstr(text, "\n#timeout = infinity\n"));
	free(text);
	job_spec_deinit(&s);
}
END_TEST

static void assert_fault(const char *from, unsigned line, const char *what)
{
	struct job_spec s;

	ck_assert_int_eq(read_text(&s, from), -EINVAL);
	ck_assert_uint_ge(errors.n, 1);
	ck_assert_uint_eq(errors.v[0].line, line);
	ck_assert_ptr_nonnull(strstr(errors.v[0].text, what));
	config_errors_deinit(&errors);
	job_spec_deinit(&s);
}

START_TEST(faults_have_their_lines)
{
	assert_fault("[job]\npriority = high\n", 2, "priority");
	assert_fault("[job]\n\nprioritty = 1\n", 3, "did you mean 'priority'?");
	assert_fault("[job]\nslots = 1\nslots = 2\n", 3, "on line 2 already");
	assert_fault("[job]\n[pool x]\n", 2, "one section");
	assert_fault("[job]\nnonsense\n", 2, "");
}
END_TEST

START_TEST(lines_and_differences_are_of_single_properties)
{
	struct job_spec a, b;

	ck_assert_int_eq(
		read_text(&a, "[job]\nslots = 2\npriority = 1\nname = x\n"), 0);
	ck_assert_int_eq(
		read_text(&b, "[job]\npriority = 3\nname = x\ntimeout =\n"), 0);
	ck_assert_uint_eq(lines[JOB_FIELD_PRIORITY], 2);
	ck_assert_uint_eq(lines[JOB_FIELD_SLOTS], 0);
	ck_assert_uint_eq(job_spec_difference(&a, &b),
		UINT64_C(1) << JOB_FIELD_SLOTS | UINT64_C(1) << JOB_FIELD_PRIORITY);
	job_spec_deinit(&a);
	job_spec_deinit(&b);
}
END_TEST

UNIT_MAIN("job_text", what_is_written_is_read_back, what_cannot_be_changed_is_not_shown,
	faults_have_their_lines, lines_and_differences_are_of_single_properties)
