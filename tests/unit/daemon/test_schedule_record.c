/* Records of schedules as the store has them, whole and broken. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/schedule_record.h"
#include "tests/support/unit.h"

static void put(struct config_named *def, enum config_key k, const char *text)
{
	union config_value v;

	ck_assert_int_ge(config_value_parse(&v, k, text, NULL), 0);
	config_value_free(&def->v[k], k);
	def->v[k] = v;
}

/* one that was added, and paused; as text */
static char *make_text(void)
{
	struct schedule_record rec = {.added = true, .paused = true};
	struct buf out = BUF_NULL;
	char *text;

	ck_assert_int_eq(config_named_init(&rec.def, CONFIG_SECTION_SCHEDULE, "x"), 0);
	put(&rec.def, CONFIG_WHEN, "daily\nevery 90min");
	put(&rec.def, CONFIG_ZONE, "UTC");
	put(&rec.def, CONFIG_OVERLAP, "queue");
	put(&rec.def, CONFIG_JITTER, "90s");
	put(&rec.def, CONFIG_USER, "0");
	ck_assert_int_eq(
		job_spec_put(&rec.def.job->spec, JOB_FIELD_SHELL_COMMAND,
			(union job_value){.str = strdup("a\n = b; set user = 5")}),
		0);
	ck_assert_int_eq(schedule_record_format(&out, &rec), 0);
	text = buf_steal_str(&out, NULL);
	ck_assert_ptr_nonnull(text);
	schedule_record_deinit(&rec);
	return text;
}

START_TEST(what_was_said_reads_back)
{
	_cleanup_free_ char *text = make_text(), *again = NULL;
	struct buf out = BUF_NULL;
	struct schedule_record rec;

	ck_assert_int_eq(schedule_record_parse(&rec, "x", text), 0);
	ck_assert(rec.added && rec.paused);
	ck_assert_uint_eq(strv_len(rec.def.v[CONFIG_WHEN].strv), 2);
	ck_assert_str_eq(rec.def.v[CONFIG_WHEN].strv[1], "every 90min");
	ck_assert_int_eq(rec.def.v[CONFIG_JITTER].num, 90 * USEC_PER_SEC);
	ck_assert_str_eq(
		job_str(&rec.def.job->spec, SHELL_COMMAND), "a\n = b; set user = 5");
	ck_assert_int_eq(schedule_record_format(&out, &rec), 0);
	again = buf_steal_str(&out, NULL);
	ck_assert_str_eq(again, text);
	schedule_record_deinit(&rec);
}
END_TEST

/* text with the line that begins with this replaced, or taken out (NULL) */
static char *change(const char *text, const char *begins, const char *by)
{
	struct buf out = BUF_NULL;
	char **lines;
	bool found = false;

	ck_assert_int_ge(strv_split(&lines, text, "\n"), 0);
	STRV_FOREACH(line, lines) {
		bool is_it = strncmp(*line, begins, strlen(begins)) == 0;

		found |= is_it;
		if (!is_it || by)
			ck_assert_int_ge(
				buf_printf(&out, "%s\n", is_it ? by : *line), 0);
	}
	ck_assert_msg(found, "no line '%s' in\n%s", begins, text);
	strv_free(lines);
	return buf_steal_str(&out, NULL);
}

START_TEST(without_its_user_or_its_job_a_record_is_refused)
{
	static const char *const broken[][2] = {{"user", NULL}, {"user", "user = "},
		{"user", "user = 0"}, {"user", "user = 0 0"},
		{"user", "user = 0 0 root"}, {"user", "user = -1 0 root /root"},
		{"user", "user = 4294967295 0 root /root"},
		{"user", "user = 1x 0 root /root"}, {"job", NULL}, {"job", "job = "},
		{"job", "job = AAAA"}, {"job", "job = ????"},
		{"job", "job = AQAAAP////8="}};
	_cleanup_free_ char *text = make_text();

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		_cleanup_free_ char *bad = change(text, broken[i][0], broken[i][1]);
		struct schedule_record rec;
		int r = schedule_record_parse(&rec, "x", bad);

		ck_assert_msg(
			r < 0 && r != -ENOMEM, "%d:\n%s", r, bad ? bad : "nothing");
	}
}
END_TEST

START_TEST(what_is_not_known_is_left_out)
{
	_cleanup_free_ char *text = make_text();
	_cleanup_free_ char *other = change(text, "set overlap",
		"set overlap = sometimes\nset later = 5\nnonsense\n = \nset  = x\n"
		"set command = y");
	struct schedule_record rec;

	ck_assert_int_eq(schedule_record_parse(&rec, "x", other), 0);
	ck_assert_int_eq(rec.def.v[CONFIG_OVERLAP].num, CONFIG_OVERLAP_SKIP);
	ck_assert_str_eq(rec.def.v[CONFIG_ZONE].text, "UTC");
	schedule_record_deinit(&rec);
	/* of a file's, nothing was said but a pause */
	ck_assert_int_eq(schedule_record_parse(&rec, "x", "paused = yes\n"), 0);
	ck_assert(rec.paused && !rec.added);
	schedule_record_deinit(&rec);
}
END_TEST

START_TEST(a_record_that_is_cut_anywhere_is_read_or_refused)
{
	_cleanup_free_ char *text = make_text();

	for (size_t n = strlen(text); n-- > 0;) {
		_cleanup_free_ char *cut = strndup(text, n);
		struct schedule_record rec;

		if (schedule_record_parse(&rec, "x", cut) < 0)
			continue;
		/* it runs as who was said, or it is none at all */
		ck_assert(!rec.added || rec.def.v[CONFIG_USER].user.name);
		schedule_record_deinit(&rec);
	}
}
END_TEST

static void expect_progress(const char *text, size_t n_pending, size_t n_history)
{
	struct schedule_progress p;

	ck_assert_int_eq(schedule_progress_parse(&p, text), 0);
	ck_assert_msg(p.n_pending == n_pending && p.n_history == n_history,
		"%zu owed, %zu events of:\n%s", p.n_pending, p.n_history, text);
	schedule_progress_deinit(&p);
}

START_TEST(progress_reads_back)
{
	static const char text[] =
		"begun = 5\nlast = 1700000000000000\ninterval-last = 1699999999000000\n"
		"off = yes\nwhen = daily\nwhen = every 1h\nzone = Europe/Berlin\n"
		"pending = 1 2 m-\npending = 3 4 -w\n"
		"history = started 1 1 1 2 7 \nhistory = overlap 3 1 3 3 0 \n"
		"history = refused 1 4 4 4 0 no  room = here\n";
	struct schedule_progress p, copy;
	struct buf out = BUF_NULL;
	_cleanup_free_ char *again = NULL;

	ck_assert_int_eq(schedule_progress_parse(&p, text), 0);
	ck_assert_str_eq(p.history[2].text, "no  room = here");
	ck_assert_int_eq(schedule_progress_copy(&copy, &p), 0);
	schedule_progress_deinit(&p);
	ck_assert_int_eq(schedule_progress_format(&out, &copy), 0);
	again = buf_steal_str(&out, NULL);
	ck_assert_str_eq(again, text);
	schedule_progress_deinit(&copy);
	/* of a daemon that did not tell intervals apart */
	ck_assert_int_eq(schedule_progress_parse(&p, "last = 7\n"), 0);
	ck_assert_int_eq(p.state.interval_last_usec, 7);
	schedule_progress_deinit(&p);
}
END_TEST

START_TEST(broken_progress_is_left_out)
{
	expect_progress("", 0, 0);
	expect_progress(
		"pending = \npending = 1\npending = 1 2\npending = a b c\n", 0, 0);
	expect_progress("pending = 9223372036854775807 1 --\n"
			"pending = 1 -9223372036854775808 --\n"
			"pending = 99999999999999999999999 1 --\n",
		0, 0);
	expect_progress("history = \nhistory = started\nhistory = started 1 1 1 1\n"
			"history = eaten 1 1 1 1 1\nhistory = started 0 1 1 1 1\n"
			"history = startedstartedstartedstarted 1 1 1 1 1\n",
		0, 0);
	/* of a job that has no number yet, which no record may say */
	expect_progress("history = started 1 1 1 1 9223372036854775809 \n"
			"history = started 1 1 1 1 18446744073709551616 \n"
			"history = overlap 18446744073709551615 1 1 1 0 \n"
			"history = started 1 9223372036854775807 1 1 1 \n",
		0, 0);
	expect_progress("begun = -9223372036854775808\nlast = 9223372036854775807\n"
			"interval-last = x\nzone = UTC\nzone = CET\n",
		0, 0);
}
END_TEST

START_TEST(no_more_is_owed_or_remembered_than_may_be)
{
	struct schedule_progress p = {.n_history = 0};
	struct buf out = BUF_NULL;
	_cleanup_free_ char *text = NULL;

	/* the latest first: they are kept by the time of their start */
	for (int64_t i = SCHEDULE_PENDING_MAX; i > 0; i--)
		ck_assert_int_eq(schedule_progress_owe(&p,
					 (struct schedule_pending){
						 .nominal_usec = i, .start_usec = i}),
			0);
	ck_assert_int_eq(
		schedule_progress_owe(&p, (struct schedule_pending){.start_usec = 1}),
		-RV_ELIMIT);
	ck_assert_int_eq(p.pending[0].start_usec, 1);
	/* as many that were missed, and no more of any */
	for (int64_t i = 1; i <= SCHEDULE_PENDING_MAX; i++)
		ck_assert_int_eq(schedule_progress_owe(
					 &p, (struct schedule_pending){.start_usec = i,
						     .made_up = true}),
			0);
	for (int i = 0; i <= 1; i++)
		ck_assert_int_eq(schedule_progress_owe(
					 &p, (struct schedule_pending){.made_up = i}),
			-RV_ELIMIT);
	for (uint64_t i = 1; i <= 3 * SCHEDULE_HISTORY_MAX; i++)
		schedule_progress_note(&p,
			(struct schedule_event){.what = SCHEDULE_STARTED, .job = i});
	ck_assert_uint_eq(p.n_history, SCHEDULE_HISTORY_MAX);
	ck_assert_uint_eq(p.history[0].job, 2 * SCHEDULE_HISTORY_MAX + 1);
	ck_assert_int_eq(schedule_progress_format(&out, &p), 0);
	ck_assert_int_eq(
		buf_printf(&out, "pending = 1 1 --\nhistory = started 1 1 1 1 1\n"), 0);
	text = buf_steal_str(&out, NULL);
	schedule_progress_deinit(&p);
	expect_progress(text, 2 * SCHEDULE_PENDING_MAX, SCHEDULE_HISTORY_MAX);
}
END_TEST

START_TEST(those_left_out_in_a_row_are_one_entry)
{
	struct schedule_progress p = {.n_history = 0};

	for (int64_t i = 1; i <= 5; i++)
		schedule_progress_note(
			&p, (struct schedule_event){
				    .what = i < 4 ? SCHEDULE_OVERLAP : SCHEDULE_REFUSED,
				    .nominal_usec = i,
				    .text = i < 4 ? NULL : strdup("why")});
	ck_assert_uint_eq(p.n_history, 2);
	ck_assert_uint_eq(p.history[0].count, 3);
	ck_assert_int_eq(p.history[0].first_usec, 1);
	ck_assert_int_eq(p.history[0].nominal_usec, 3);
	ck_assert_int_eq(p.history[1].first_usec, 4);
	ck_assert_int_eq(
		schedule_progress_owe(&p, (struct schedule_pending){.nominal_usec = 6}),
		0);
	schedule_progress_give_up(&p, 9);
	ck_assert_uint_eq(p.n_pending, 0);
	ck_assert_int_eq(p.history[2].what, SCHEDULE_PAUSED);
	schedule_progress_give_up(&p, 10);
	ck_assert_uint_eq(p.n_history, 3);
	schedule_progress_deinit(&p);
}
END_TEST

UNIT_MAIN("schedule_record", what_was_said_reads_back,
	without_its_user_or_its_job_a_record_is_refused, what_is_not_known_is_left_out,
	a_record_that_is_cut_anywhere_is_read_or_refused, progress_reads_back,
	broken_progress_is_left_out, no_more_is_owed_or_remembered_than_may_be,
	those_left_out_in_a_row_are_one_entry)
