#include "config/config_environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "job/env_steps.h"

/* those that such a section may have */
static const enum job_field fields[] = {JOB_FIELD_CWD, JOB_FIELD_ENV, JOB_FIELD_UMASK,
	JOB_FIELD_NICE, JOB_FIELD_RLIMITS};

int environment_field_by_key(const char *key)
{
	int f = job_field_by_key(key);

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if ((int)fields[i] == f)
			return f;
	return -ENOENT;
}

/* ---- those that it builds on ---------------------------------------------------------------- */

struct walk {
	const struct config *c;
	struct environment_lineage *lineage;
	/* that are being looked at, from the first down to this one */
	const struct config_named *way[ENVIRONMENT_LINEAGE_MAX];
	size_t n;
};

static bool is_in(const struct config_named *const *v, size_t n,
	const struct config_named *environment)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == environment)
			return true;
	return false;
}

/* -ELOOP: it comes to itself again */
static int visit(struct walk *w, const struct config_named *environment)
{
	struct environment_lineage *l = w->lineage;
	int r = 0;

	if (is_in(l->v, l->n, environment))
		return 0;
	if (is_in(w->way, w->n, environment))
		return -ELOOP;
	if (l->n + w->n == ENVIRONMENT_LINEAGE_MAX)
		return -RV_ELIMIT;
	w->way[w->n++] = environment;
	STRV_FOREACH(name, environment->v[CONFIG_INHERIT].strv) {
		const struct config_named *base =
			config_find(w->c, CONFIG_SECTION_ENVIRONMENT, *name);

		r = base ? visit(w, base) : -ENOENT;
		if (r < 0)
			return r;
	}
	w->n--;
	l->v[l->n++] = environment;
	return 0;
}

static int get_lineage(struct environment_lineage *ret, const struct config *c,
	const struct config_named *environment)
{
	struct walk w = {.c = c, .lineage = ret};

	ret->n = 0;
	return visit(&w, environment);
}

int environment_lineage_get(
	struct environment_lineage *ret, const struct config *c, const char *name)
{
	const struct config_named *environment =
		config_find(c, CONFIG_SECTION_ENVIRONMENT, name);

	return environment ? get_lineage(ret, c, environment) : -ENOENT;
}

/* ---- for a job -------------------------------------------------------------------------------- */

struct environment_said environment_said_of(const struct job_spec *spec)
{
	return (struct environment_said){
		.set = spec->set, .n_env = strv_len(job_strv(spec, ENV))};
}

/* Only the last n of its variables stay. */
static void keep_last_env(struct job_spec *spec, size_t n)
{
	char **v = job_strv(spec, ENV);
	size_t n_all = strv_len(v), n_gone = n_all - MIN(n, n_all);

	if (n == 0)
		job_spec_unset(spec, JOB_FIELD_ENV);
	if (n == 0 || n_gone == 0)
		return;
	for (size_t i = 0; i < n_gone; i++)
		free(v[i]);
	memmove(v, v + n_gone, (n_all - n_gone + 1) * sizeof(*v));
}

int environment_put(struct job_spec *spec, const struct config *c,
	const struct environment_said *said)
{
	const char *name = job_str(spec, ENVIRONMENT);
	struct environment_lineage l;

	if (!name || job_str(spec, FUNCTION) ||
		environment_lineage_get(&l, c, name) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		enum job_field f = fields[i];
		size_t k = l.n;
		int r;

		if (f == JOB_FIELD_ENV || said->set >> f & 1)
			continue;
		while (k > 0 && !job_spec_has(&l.v[k - 1]->job->spec, f))
			k--;
		if (k == 0)
			continue;
		job_spec_unset(spec, f);
		r = job_spec_take_over(spec, &l.v[k - 1]->job->spec, f);
		if (r < 0)
			return r;
	}
	keep_last_env(spec, said->n_env);
	return 1;
}

static int add_files(char ***list, char *const *files)
{
	int r = 0;

	STRV_FOREACH(file, files) {
		bool if_there = **file == '-';

		r = env_step_add(list,
			if_there ? ENV_STEP_FILE_IF_THERE : ENV_STEP_FILE,
			*file + if_there);
		if (r < 0)
			break;
	}
	return r;
}

/* each step puts its own in front: the last one first */
static int add_path(char ***list, char *const *dirs)
{
	int r = 0;

	for (size_t i = strv_len(dirs); i > 0 && r >= 0; i--)
		r = env_step_add(list, ENV_STEP_PATH, dirs[i - 1]);
	return r;
}

static int add_variables(char ***list, char *const *env)
{
	int r = 0;

	STRV_FOREACH(entry, env)
		if (r >= 0)
			r = strv_append(list, *entry);
	return r;
}

int environment_variables(char ***list, const struct config *c, const char *name)
{
	struct environment_lineage l;
	int r = environment_lineage_get(&l, c, name);

	if (r >= 0)
		r = env_step_add(list, ENV_STEP_ENVIRONMENT, name);
	if (r >= 0)
		r = add_variables(list, job_strv(&c->defaults, ENV));
	for (size_t i = 0; i < l.n && r >= 0; i++) {
		const struct config_named *e = l.v[i];

		r = add_variables(list, job_strv(&e->job->spec, ENV));
		if (r >= 0)
			r = add_files(list, e->v[CONFIG_ENV_FILE].strv);
		if (r >= 0)
			r = add_path(list, e->v[CONFIG_PATH].strv);
		if (r >= 0 && e->v[CONFIG_VIRTUALENV].text)
			r = env_step_add(list, ENV_STEP_VIRTUALENV,
				e->v[CONFIG_VIRTUALENV].text);
	}
	return r;
}

bool environment_is_for(const struct config_named *environment, uint32_t uid)
{
	STRV_FOREACH(user, environment->v[CONFIG_ENVIRONMENT_USERS].strv)
		if (STREQ(*user, "*"))
			return true;
	for (size_t i = 0; i < environment->n_uids; i++)
		if (environment->uids[i] == uid)
			return true;
	return uid == 0;
}

char *environment_unknown(const struct config *c, const char *name)
{
	const struct config_names *names = &c->named[CONFIG_SECTION_ENVIRONMENT];
	const char **v = calloc(names->n + 1, sizeof(*v)), *nearest;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r;

	if (!v)
		return NULL;
	for (size_t i = 0; i < names->n; i++)
		v[i] = names->v[i].name;
	nearest = str_nearest(name, v, names->n);
	free(v);
	r = buf_printf(&text, "there is no [environment %s]", name);
	if (r >= 0 && nearest)
		r = buf_printf(&text, ", did you mean '%s'?", nearest);
	return r < 0 ? NULL : buf_steal_str(&text, NULL);
}
