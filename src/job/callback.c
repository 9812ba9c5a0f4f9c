#include "job/callback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/strv.h"

/* what tells of the job, or the pool, in the environment of a callback */
#define FACT "REEVE_OF_"

const char *const callback_name[CALLBACK_N] = {
#define X(id, name) [CALLBACK_##id] = (name),
	CALLBACKS(X)
#undef X
};

static const enum job_field command_field[CALLBACK_N] = {
	[CALLBACK_SUCCESS] = JOB_FIELD_ON_SUCCESS,
	[CALLBACK_FAILURE] = JOB_FIELD_ON_FAILURE,
	[CALLBACK_FINISH] = JOB_FIELD_ON_FINISH,
};

/* those words of BEHAVIOUR that dependencies go by, too: deps.c */
static bool calls_for(enum callback what, enum job_result result)
{
	switch (what) {
	case CALLBACK_SUCCESS: return result == JOB_RESULT_SUCCEEDED;
	case CALLBACK_FAILURE:
		return result == JOB_RESULT_FAILED || result == JOB_RESULT_TIMEOUT;
	case CALLBACK_FINISH: return true;
	case CALLBACK_EMPTY:
	case CALLBACK_N: break;
	}
	return false;
}

unsigned callbacks_of_end(
	const struct job_spec *s, enum job_result result, bool shutdown)
{
	unsigned what = 0;

	/* a callback has none, whatever was set of it later */
	if (shutdown || job_spec_has(s, JOB_FIELD_CALLBACK))
		return 0;
	for (int c = CALLBACK_SUCCESS; c <= CALLBACK_FINISH; c++)
		if (job_spec_has(s, command_field[c]) &&
			calls_for((enum callback)c, result))
			what |= 1u << c;
	return what;
}

/* ---- the environment ----------------------------------------------------------------- */

static int put_text(struct strv_builder *b, const char *name, const char *value)
{
	size_t n = strlen(name) + 1 + (value ? strlen(value) : 0) + 1;
	char *text = malloc(n);

	if (!text)
		return -ENOMEM;
	snprintf(text, n, "%s=%s", name, value ? value : "");
	return strv_builder_take(b, text);
}

/* nothing where it is not known: the variable is there all the same, for sh -u */
static int put_number(struct strv_builder *b, const char *name, int64_t n, bool known)
{
	char text[24] = "";

	if (known)
		snprintf(text, sizeof(text), "%" PRId64, n);
	return put_text(b, name, text);
}

static int put_words(struct strv_builder *b, const char *name, char *const *words)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = 0;

	STRV_FOREACH(w, words)
		if (r >= 0)
			r = buf_printf(&text, "%s%s", w == words ? "" : " ", *w);
	if (r >= 0)
		r = buf_append_byte(&text, '\0');
	return r < 0 ? r : put_text(b, name, buf_head(&text));
}

/* what the job itself set, without what an outer callback may have left */
static int put_own_env(struct strv_builder *b, char *const *env, bool *has_path)
{
	int r = 0;

	STRV_FOREACH(e, env) {
		if (strncmp(*e, FACT, strlen(FACT)) == 0 ||
			strncmp(*e, "REEVE_CALLBACK=", 15) == 0)
			continue;
		*has_path |= strncmp(*e, "PATH=", 5) == 0;
		r = strv_builder_add(b, *e);
		if (r < 0)
			break;
	}
	return r;
}

static int put_facts(struct strv_builder *b, enum callback what,
	const struct job_spec *of, const struct callback_facts *f)
{
	bool scheduled = job_spec_has(of, JOB_FIELD_SCHEDULED);
	int r = put_text(b, "REEVE_CALLBACK", callback_name[what]);

	if (r >= 0)
		r = put_number(b, FACT "ID", (int64_t)f->id, f->id);
	if (r >= 0)
		r = put_text(b, FACT "NAME", job_str(of, NAME));
	if (r >= 0)
		r = put_text(b, FACT "RESULT", job_result_name[f->result]);
	if (r >= 0)
		r = put_text(b, FACT "REASON", f->reason);
	if (r >= 0)
		r = put_number(b, FACT "EXIT_CODE", f->exit_code, f->exit_code >= 0);
	if (r >= 0)
		r = put_text(b, FACT "SIGNAL",
			f->signal > 0 ? signal_name(f->signal) : NULL);
	if (r >= 0)
		r = put_number(b, FACT "RUN", f->run, true);
	if (r >= 0)
		r = put_text(b, FACT "POOL", job_str(of, POOL));
	if (r >= 0)
		r = put_words(b, FACT "LABELS", job_strv(of, LABEL));
	if (r >= 0)
		r = put_number(
			b, FACT "SUBMITTED_USEC", f->submitted_usec, f->submitted_usec);
	if (r >= 0)
		r = put_number(
			b, FACT "STARTED_USEC", f->started_usec, f->started_usec);
	if (r >= 0)
		r = put_number(b, FACT "ENDED_USEC", f->ended_usec, f->ended_usec);
	if (r >= 0)
		r = put_text(b, FACT "SCHEDULE", job_str(of, SCHEDULE));
	if (r >= 0)
		r = put_number(b, FACT "SCHEDULED_USEC",
			scheduled ? job_num(of, SCHEDULED) : 0, scheduled);
	return r;
}

/* ---- the job ------------------------------------------------------------------------- */

static int put_num(struct job_spec *s, enum job_field f, int64_t n)
{
	return job_spec_put(s, f, (union job_value){.num = n});
}

/* what is the same for all of them; the environment is taken from the builder */
static int put_common(struct job_spec *s, enum callback what, const char *command,
	struct strv_builder *env, int64_t timeout_usec)
{
	union job_value v;
	int r = strv_builder_finish(env, &v.strv);

	if (r >= 0)
		r = job_spec_put(s, JOB_FIELD_ENV, v);
	if (r >= 0)
		r = job_spec_put_text(s, JOB_FIELD_SHELL_COMMAND, command);
	if (r >= 0)
		r = job_spec_put_text(s, JOB_FIELD_CALLBACK, callback_name[what]);
	if (r >= 0)
		r = job_spec_put_text(s, JOB_FIELD_POOL, CALLBACK_POOL);
	if (r >= 0)
		r = put_num(s, JOB_FIELD_TIMEOUT, timeout_usec);
	/* nobody looks after one that is held: what a shutdown ended is begun again, and what
	 * nobody can tell of is over */
	if (r >= 0)
		r = put_num(s, JOB_FIELD_ON_REBOOT, JOB_ON_LOST_RERUN);
	if (r >= 0)
		r = put_num(s, JOB_FIELD_ON_LOST, JOB_ON_LOST_LOST);
	return r < 0 ? r : put_num(s, JOB_FIELD_OUTPUT_MAX, CALLBACK_OUTPUT_MAX);
}

static int put_surroundings(struct job_spec *s, const struct job_spec *of)
{
	static const enum job_field fields[] = {JOB_FIELD_SHELL, JOB_FIELD_CWD,
		JOB_FIELD_UMASK, JOB_FIELD_NICE, JOB_FIELD_RLIMITS};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields) && r >= 0; i++)
		r = job_spec_take_over(s, of, fields[i]);
	return r;
}

static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

int callback_make(struct job_spec *ret, enum callback what, const struct job_spec *of,
	bool has_env, const struct callback_facts *facts, int64_t timeout_usec)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder env = STRV_BUILDER_NULL;
	bool has_path = has_env;
	struct job_spec s;
	char name[65];
	int r;

	INVARIANT(what <= CALLBACK_FINISH && job_spec_has(of, command_field[what]));
	job_spec_init(&s);
	r = put_own_env(&env, job_strv(of, ENV), &has_path);
	if (r >= 0 && !has_path)
		r = put_text(&env, "PATH", default_path);
	if (r >= 0)
		r = put_facts(&env, what, of, facts);
	if (r >= 0)
		r = put_common(
			&s, what, of->v[command_field[what]].str, &env, timeout_usec);
	if (r >= 0)
		r = put_surroundings(&s, of);
	if (facts->id)
		snprintf(name, sizeof(name), "on-%s-%" PRIu64, callback_name[what],
			facts->id);
	else
		snprintf(name, sizeof(name), "on-%s", callback_name[what]);
	if (r >= 0)
		r = job_spec_put_text(&s, JOB_FIELD_NAME, name);
	if (r >= 0 && facts->id)
		r = put_num(&s, JOB_FIELD_CALLBACK_OF, (int64_t)facts->id);
	if (r < 0)
		job_spec_deinit(&s);
	else
		*ret = s;
	return r;
}

int callback_make_empty(struct job_spec *ret, const char *pool, const char *command,
	const struct job_spec *defaults, const struct callback_user *user,
	int64_t timeout_usec)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder env = STRV_BUILDER_NULL;
	struct job_spec s;
	char name[65];
	int r = put_text(&env, "PATH", default_path);

	job_spec_init(&s);
	if (r >= 0 && user->home)
		r = put_text(&env, "HOME", user->home);
	if (r >= 0 && user->name)
		r = put_text(&env, "USER", user->name);
	if (r >= 0 && user->name)
		r = put_text(&env, "LOGNAME", user->name);
	if (r >= 0)
		r = put_text(&env, "REEVE_CALLBACK", callback_name[CALLBACK_EMPTY]);
	if (r >= 0)
		r = put_text(&env, FACT "POOL", pool);
	if (r >= 0)
		r = put_common(&s, CALLBACK_EMPTY, command, &env, timeout_usec);
	if (r >= 0)
		r = job_spec_take_over(&s, defaults, JOB_FIELD_SHELL);
	/* of a very long name the end is left out */
	snprintf(name, sizeof(name), "on-empty-%s", pool);
	if (r >= 0)
		r = job_spec_put_text(&s, JOB_FIELD_NAME, name);
	if (r < 0)
		job_spec_deinit(&s);
	else
		*ret = s;
	return r;
}
