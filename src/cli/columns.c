#include "config.h"

#include "cli/columns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/json.h"
#include "cli/text.h"
#include "cli/time.h"
#include "job/fields.h"
#include "job/state.h"

enum { MEMBERS_MAX = 4, CELL_MAX = 128 };

const char *const column_name[COLUMN_N] = {
#define X(id, name) [COLUMN_##id] = (name),
	COLUMNS(X)
#undef X
};

/* ---- cells: text into buf, or one that lasts as long as the job ---------------------------- */

typedef const char *(*cell_fn)(char *buf, const json_t *job, int64_t now_usec);

/* In few columns: those of the command are worth more. `show` tells the rest. */
static const char *cell_state(char *buf, const json_t *job, int64_t now_usec)
{
	static const char start_failed[] = "start failed at ";
	const char *result = json_str(job, "result"), *reason = json_str(job, "reason");
	int64_t code = json_int(job, "exit_code", -1), sig = json_int(job, "signal", 0);

	if (!STREQ(json_str(job, "state"), job_state_name[JOB_FINISHED]))
		return json_str(job, "state");
	if (!STREQ(result, job_result_name[JOB_RESULT_FAILED]))
		return result; /* a signal was our own */
	if (sig > 0)
		snprintf(buf, CELL_MAX, "%s, %s", result, signal_name((int)sig));
	else if (code >= 0)
		snprintf(buf, CELL_MAX, "%s, exit %" PRId64, result, code);
	else if (strncmp(reason, start_failed, strlen(start_failed)) == 0)
		snprintf(buf, CELL_MAX, "%s at %.*s", result,
			(int)strcspn(reason + strlen(start_failed), ": "),
			reason + strlen(start_failed));
	else
		return result;
	return buf;
}

static const char *cell_exit(char *buf, const json_t *job, int64_t now_usec)
{
	int64_t code = json_int(job, "exit_code", -1), sig = json_int(job, "signal", 0);

	if (sig > 0)
		return signal_name((int)sig);
	if (code < 0)
		return NULL;
	snprintf(buf, CELL_MAX, "%" PRId64, code);
	return buf;
}

/* as many as there is room for; --json has them all */
static const char *cell_label(char *buf, const json_t *job, int64_t now_usec)
{
	const json_t *labels = json_object_get(job, "labels"), *label;
	size_t i, n = 0;

	buf[0] = '\0';
	json_array_foreach((json_t *)labels, i, label)
	{
		const char *text = json_string_value(label);

		if (!text || n + strlen(text) + 1 >= CELL_MAX - 4) {
			snprintf(buf + n, CELL_MAX - n, ",...");
			break;
		}
		n += (size_t)snprintf(
			buf + n, CELL_MAX - n, "%s%s", i ? "," : "", text);
	}
	return buf;
}

static const char *cell_when(char *buf, const json_t *job, int64_t now_usec)
{
	static const char *const keys[] = {
		"finished_usec", "due_usec", "started_usec", "submitted_usec"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_is_set(job, keys[i]))
			return time_format_relative(
				buf, CELL_MAX, json_int(job, keys[i], 0), now_usec);
	return NULL;
}

static const char *cell_time(char *buf, const json_t *job, int64_t now_usec)
{
	int64_t started = json_int(job, "started_usec", -1);
	int state = job_state_by_name(json_str(job, "state"));

	/* one that waits for its next run has started before, but no time passes */
	if (started < 0 || state < 0 ||
		(state != JOB_FINISHED && !job_state_is_active((enum job_state)state)))
		return NULL;
	return time_format_span(
		buf, CELL_MAX, json_int(job, "finished_usec", now_usec) - started);
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct {
	const char *title;
	unsigned flags;                   /* enum table_column_flags */
	cell_fn cell;                     /* NULL: the first member as it is */
	const char *members[MEMBERS_MAX]; /* of type Job */
} infos[COLUMN_N] = {
	[COLUMN_ID] = {"ID", TABLE_RIGHT, NULL, {"id"}},
	[COLUMN_STATE] = {"STATE", 0, cell_state,
		{"state", "result", "exit_code", "signal"}},
	[COLUMN_RESULT] = {"RESULT", 0, NULL, {"result"}},
	[COLUMN_EXIT] = {"EXIT", TABLE_RIGHT, cell_exit, {"exit_code", "signal"}},
	[COLUMN_REASON] = {"REASON", TABLE_CUT, NULL, {"reason"}},
	[COLUMN_USER] = {"USER", 0, NULL, {"user"}},
	[COLUMN_NAME] = {"NAME", TABLE_CUT, NULL, {"name"}},
	[COLUMN_LABEL] = {"LABEL", TABLE_CUT, cell_label, {"labels"}},
	[COLUMN_POOL] = {"POOL", 0, NULL, {"pool"}},
	[COLUMN_PRIORITY] = {"PRIORITY", TABLE_RIGHT, NULL, {"priority"}},
	[COLUMN_SUBMITTED] = {"SUBMITTED", 0, NULL, {"submitted_usec"}},
	[COLUMN_STARTED] = {"STARTED", 0, NULL, {"started_usec"}},
	[COLUMN_FINISHED] = {"FINISHED", 0, NULL, {"finished_usec"}},
	[COLUMN_DUE] = {"DUE", 0, NULL, {"due_usec"}},
	[COLUMN_WHEN] = {"WHEN", 0, cell_when,
		{"finished_usec", "due_usec", "started_usec", "submitted_usec"}},
	[COLUMN_TIME] = {"TIME", TABLE_RIGHT, cell_time,
		{"started_usec", "finished_usec"}},
	[COLUMN_RUNS] = {"RUNS", TABLE_RIGHT, NULL, {"runs"}},
	[COLUMN_PID] = {"PID", TABLE_RIGHT, NULL, {"pid"}},
	[COLUMN_COMMAND] = {"COMMAND", TABLE_CUT, NULL, {"command"}},
};

/* the first member, as it is: a text, a number, a time */
static const char *plain_cell(char *buf, enum column c, const json_t *job)
{
	const char *key = infos[c].members[0];
	const json_t *v = json_object_get(job, key);
	size_t n = strlen(key);

	if (json_is_string(v))
		return json_string_value(v);
	if (!json_is_integer(v))
		return NULL;
	if (n > 5 && STREQ(key + n - 5, "_usec"))
		return time_format(buf, CELL_MAX, json_integer_value(v));
	snprintf(buf, CELL_MAX, "%" PRId64, (int64_t)json_integer_value(v));
	return buf;
}

static const char *color_of(const json_t *job)
{
	const char *state = json_str(job, "state"), *result = json_str(job, "result");

	if (STREQ(state, job_state_name[JOB_RUNNING]))
		return "green";
	if (!STREQ(state, job_state_name[JOB_FINISHED]))
		return "cyan";
	if (STREQ(result, job_result_name[JOB_RESULT_SUCCEEDED]))
		return NULL;
	if (STREQ(result, job_result_name[JOB_RESULT_CANCELLED]) ||
		STREQ(result, job_result_name[JOB_RESULT_SKIPPED]))
		return "yellow";
	return "red";
}

int columns_table(
	const struct columns *cs, struct table **ret, const struct table_style *style)
{
	struct table_column columns[COLUMN_N];

	for (size_t i = 0; i < cs->n; i++)
		columns[i] = (struct table_column){
			infos[cs->v[i]].title, infos[cs->v[i]].flags};
	return table_new(ret, columns, cs->n, style);
}

int columns_row(
	const struct columns *cs, struct table *t, const json_t *job, int64_t now_usec)
{
	int r = table_row(t);

	for (size_t i = 0; r == 0 && i < cs->n; i++) {
		enum column c = cs->v[i];
		char buf[CELL_MAX];
		const char *text = infos[c].cell ? infos[c].cell(buf, job, now_usec)
						 : plain_cell(buf, c, job);

		r = table_cell(t, i, text && *text ? text : NULL,
			c == COLUMN_STATE ? color_of(job) : NULL);
	}
	return r;
}

json_t *columns_json(const struct columns *cs, const json_t *job)
{
	json_t *o = json_object();

	for (size_t i = 0; o && i < cs->n; i++)
		for (size_t m = 0; m < MEMBERS_MAX && infos[cs->v[i]].members[m]; m++) {
			const char *key = infos[cs->v[i]].members[m];
			json_t *v = json_object_get(job, key);

			if (v && json_object_set(o, key, v) < 0) {
				json_decref(o);
				return NULL;
			}
		}
	return o;
}

/* ---- which ---------------------------------------------------------------------------------- */

void columns_default(struct columns *ret, bool with_user)
{
	static const enum column usual[] = {COLUMN_ID, COLUMN_STATE, COLUMN_USER,
		COLUMN_NAME, COLUMN_POOL, COLUMN_WHEN, COLUMN_TIME, COLUMN_COMMAND};

	ret->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (usual[i] != COLUMN_USER || with_user)
			ret->v[ret->n++] = usual[i];
}

static int refuse(char **err, const char *name)
{
	_cleanup_(buf_deinitp) struct buf all = BUF_NULL;
	char shown[96];

	for (int c = 0; c < COLUMN_N; c++)
		if (buf_printf(&all, "%s%s", c ? ", " : "", column_name[c]) < 0)
			return -ENOMEM;
	*err = text_printf("no such column: '%s'; there are: %.*s",
		str_escape(shown, sizeof(shown), name, strlen(name)),
		(int)buf_len(&all), buf_head(&all));
	return -EINVAL;
}

static int add(struct columns *cs, const char *name, char **err)
{
	for (int c = 0; c < COLUMN_N; c++) {
		if (!STREQ(column_name[c], name))
			continue;
		for (size_t i = 0; i < cs->n; i++)
			if (cs->v[i] == (enum column)c) {
				*err = text_printf("twice: '%s'", name);
				return -EINVAL;
			}
		cs->v[cs->n++] = (enum column)c;
		return 0;
	}
	return refuse(err, name);
}

int columns_parse(struct columns *ret, const char *text, char **err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *word;
	int r = copy ? 0 : -ENOMEM;

	ret->n = 0;
	while (r >= 0 && (word = strsep(&rest, ",")))
		r = add(ret, word, err);
	return r;
}
