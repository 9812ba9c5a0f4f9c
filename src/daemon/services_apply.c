/* What the instances of services are to be, by the files; services.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "config/config_hooks.h"
#include "config/config_service.h"
#include "daemon/envs.h"
#include "daemon/job_check.h"
#include "daemon/job_environment.h"
#include "daemon/jobs.h"
#include "daemon/login_env.h"
#include "daemon/service_deps.h"
#include "daemon/service_groups.h"
#include "daemon/services_priv.h"
#include "job/command_expand.h"
#include "job/env_steps.h"

void service_rule_get(const struct service *s, struct restart_rule *ret)
{
	const union config_value *v = s->section->v;

	*ret = (struct restart_rule){
		.policy = (enum restart_policy)v[CONFIG_RESTART].num,
		.backoff = {.first_usec = v[CONFIG_RESTART_DELAY].num,
			.max_usec = v[CONFIG_RESTART_DELAY_MAX].num,
			.factor = (unsigned)v[CONFIG_RESTART_FACTOR].num,
			.jitter = (unsigned)v[CONFIG_RESTART_JITTER].num},
		.min_uptime_usec = v[CONFIG_MIN_UPTIME].num,
	};
}

int services_ready_rule(const struct services *ss, const struct job *j,
	struct ready_rule *ret, int64_t *ret_timeout_usec)
{
	const struct instance *in = ss ? services_instance_of(ss, j) : NULL;

	*ret = (struct ready_rule){.kind = READY_EXEC};
	*ret_timeout_usec = INT64_MAX;
	if (!in || !in->service->section)
		return 0;
	*ret_timeout_usec = in->service->section->v[CONFIG_READY_TIMEOUT].num;
	return ready_rule_copy(ret, &in->ready);
}

int services_live_settings(
	const struct services *ss, const struct job *j, struct live_settings *ret)
{
	const struct instance *in = ss ? services_instance_of(ss, j) : NULL;
	const union config_value *v;

	*ret = (struct live_settings){
		.rule = READY_RULE_NULL, .watchdog_usec = INT64_MAX};
	if (!in || !in->service->section)
		return 0;
	v = in->service->section->v;
	ret->watchdog_usec = v[CONFIG_WATCHDOG].num;
	ret->interval_usec = v[CONFIG_LIVE_INTERVAL].num;
	ret->timeout_usec = v[CONFIG_LIVE_TIMEOUT].num;
	ret->failures_max = (unsigned)v[CONFIG_LIVE_FAILURES].num;
	ret->action = (enum config_live_action)v[CONFIG_LIVE_ACTION].num;
	return ready_rule_copy(&ret->rule, &in->live);
}

struct service_hooks *services_hooks(const struct services *ss, const struct job *j)
{
	const struct instance *in = ss ? services_instance_of(ss, j) : NULL;

	if (!in || !in->service->section)
		return NULL;
	return service_hooks_ref(in->hooks);
}

/* ---- the job of an instance ---------------------------------------------------------------- */

/* what its job is to be */
struct wanted {
	const struct services *ss;
	const struct instance *in;
	/* what the job got by itself before, as get_before has it; NULL: there is no job */
	char **before;
	size_t n_own; /* the first of these are what it said itself */
	struct job_spec spec;
	char **env; /* what it starts from; NULL: it names no environment */
};

static bool is_variable(const char *text, const char *name)
{
	size_t n = strlen(name);

	return strncmp(text, name, n) == 0 && text[n] == '=';
}

/* How many come before what login_env_put_all put behind a service's own, where that has no
 * environment. */
static size_t count_own(char *const *v)
{
	static const char *const names[] = {
		"REEVE_INSTANCE", "REEVE_SERVICE", "LOGNAME", "USER", "HOME", "PATH"};
	size_t n = strv_len(v);

	/* as mark_own has it */
	for (size_t i = n; i > 0 && !is_variable(v[n - 1], names[0]); i--)
		if (is_variable(v[i - 1], names[0]))
			return i - 1;
	for (size_t i = 0; i < ARRAY_LEN(names) && n > 0; i++)
		if (is_variable(v[n - 1], names[i]))
			n--;
	return n;
}

/* The last of a service's own may look like what comes behind them: HOME where PATH is its own
 * too. Then the number of the instance stands between the two. */
static void mark_own(char **v, size_t n_own)
{
	size_t n = strv_len(v);
	char *number;

	if (count_own(v) == n_own || !is_variable(v[n - 1], "REEVE_INSTANCE"))
		return;
	number = v[n - 1];
	memmove(&v[n_own + 1], &v[n_own], (n - 1 - n_own) * sizeof(*v));
	v[n_own] = number;
}

/* Where it names an environment, all that it gets by itself is beneath that. */
static int put_login_env(struct wanted *w, const char *name, const char *home)
{
	if (!job_str(&w->spec, ENVIRONMENT))
		return login_env_put_all(&w->spec, name, home);
	return job_environment_of_login(&w->env, w->ss->config, &w->spec, name, home);
}

/* What it was when the job was made; what it is now where the job's own stood in its place. */
static const char *had(const struct wanted *w, const char *name)
{
	const char *value = strv_env_get(w->before + w->n_own, name);

	return value || !strv_env_get(w->before, name) ? value : getenv(name);
}

/*
 * HOME and USER of a daemon of a user are where that was started from. What they were when
 * the job was made stays, or each daemon that is started from elsewhere would restart all
 * services.
 */
static int put_env(struct wanted *w)
{
	const struct service *s = w->in->service;
	const union config_value *user = &s->section->v[CONFIG_SERVICE_USER];
	const char *name = user->user.name ? user->user.name : getenv("USER");
	const char *home = user->user.name ? user->user.home : getenv("HOME");
	const size_t n_own = strv_len(job_strv(&w->spec, ENV));
	char number[16];
	int r;

	if (w->before && !user->user.name) {
		name = had(w, "USER");
		home = had(w, "HOME");
	}
	snprintf(number, sizeof(number), "%u", w->in->number);
	r = put_login_env(w, name, home);
	if (r >= 0)
		r = login_env_put(&w->spec, "REEVE_SERVICE", s->name);
	if (r >= 0)
		r = login_env_put(&w->spec, "REEVE_INSTANCE", number);
	if (r >= 0 && !job_str(&w->spec, ENVIRONMENT))
		mark_own(job_strv(&w->spec, ENV), n_own);
	return r;
}

static int fill_spec(struct wanted *w)
{
	const struct service *s = w->in->service;
	struct job_spec *spec = &w->spec;
	int r = config_service_instance(spec, w->ss->config, s->section, w->in->number);

	if (r < 0) {
		job_spec_init(spec);
		return r;
	}
	r = put_env(w);
	if (r >= 0)
		r = job_spec_put_text(spec, JOB_FIELD_NAME, s->name);
	if (r >= 0)
		r = job_spec_put_text(spec, JOB_FIELD_SERVICE, s->name);
	if (r >= 0)
		r = job_spec_put(spec, JOB_FIELD_INSTANCE,
			(union job_value){.num = w->in->number});
	if (r >= 0 && command_has_variables(job_strv(spec, COMMAND)))
		r = job_spec_put(spec, JOB_FIELD_EXPAND, (union job_value){.num = 1});
	return r;
}

/* Only what is beneath an environment stays of a list. */
static void cut_environment(char **v)
{
	enum env_step step;
	const char *text;

	while (v && *v &&
		!(env_step_parse(&step, &text, *v) && step == ENV_STEP_ENVIRONMENT))
		v++;
	for (; v && *v; v++) {
		free(*v);
		*v = NULL;
	}
}

/* What a job got by itself, not what the environment or the service put over it: beneath its
 * environment, else behind its own, of which there are so many. 0, -ENOMEM */
static int get_before(char ***ret, size_t *ret_n_own, const struct job *j)
{
	struct job_spec spec;
	int r;

	if (j->env) {
		r = env_set_strv(ret, j->env);
		if (r >= 0)
			cut_environment(*ret);
		return r;
	}
	r = job_spec_get(j, &spec);
	if (r < 0)
		return r;
	if (job_strv(&spec, ENV)) {
		*ret = strv_copy(job_strv(&spec, ENV));
		r = *ret ? 0 : -ENOMEM;
		*ret_n_own = count_own(*ret);
	}
	job_spec_deinit(&spec);
	return r;
}

static void wanted_deinit(struct wanted *w)
{
	strv_free(w->before);
	strv_free(w->env);
	job_spec_deinit(&w->spec);
}

static int make_wanted(struct wanted *w, const struct job *j)
{
	int r = j && j->uid == w->in->uid ? get_before(&w->before, &w->n_own, j) : 0;

	return r < 0 ? r : fill_spec(w);
}

/* What the configuration cannot know, as the pools of run time. It is not tried again before
 * the next reload: 0, -ENOMEM */
static int look_for_problem(struct services *ss, struct instance *in,
	const struct job_spec *spec, const struct job *j)
{
	const struct job_maker maker = {
		.uid = in->uid, .is_admin = true, .is_section = true};
	_cleanup_free_ char *message = NULL;
	enum job_field field;
	int r;

	free(in->problem);
	in->problem = NULL;
	if (j && instance_is_current(in, j))
		return 0;
	r = job_check(ss->core, spec, &maker, &field, &message);
	if (r >= 0 || r == -ENOMEM)
		return r;
	if (asprintf(&in->problem, "%s: %s", job_field_info[field].key,
		    message ? message : rv_strerror(r)) < 0)
		in->problem = NULL;
	log_at(LOG_ERR, "service", "service '%s' cannot be started: %s",
		in->service->name, in->problem ? in->problem : rv_strerror(r));
	return in->problem ? 0 : -ENOMEM;
}

/* More instances than the file says: their numbers may be too long. 0, -RV_ELIMIT, -ENOMEM */
static int set_rules(const struct services *ss, struct instance *in)
{
	const struct config_named *section = in->service->section;
	struct ready_rule ready, live;
	int r = config_service_ready(&ready, ss->config, section, in->number, NULL);

	if (r >= 0) {
		r = config_service_live(&live, ss->config, section, in->number, NULL);
		if (r < 0)
			ready_rule_deinit(&ready);
	}
	if (r < 0)
		return r == -ENOMEM ? r : -RV_ELIMIT;
	ready_rule_deinit(&in->ready);
	ready_rule_deinit(&in->live);
	in->ready = ready;
	in->live = live;
	return 0;
}

static int set_hooks(struct services *ss, struct instance *in)
{
	struct service_hooks *hooks;
	int r = config_service_hooks(
		&hooks, ss->config, in->service->section, in->number, NULL, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : -RV_ELIMIT;
	service_hooks_unref(in->hooks);
	in->hooks = hooks;
	return 0;
}

/* Other environments have taken what there is of room: that keeps nothing else from coming. */
static int note_no_room(struct instance *in)
{
	if (in->problem)
		return 0;
	in->problem = strdup("there is no room for its environment: environments-max");
	log_at(LOG_ERR, "service", "service '%s' cannot be started: %s",
		in->service->name, in->problem ? in->problem : rv_strerror(-ENOMEM));
	return in->problem ? 0 : -ENOMEM;
}

static int set_spec(struct services *ss, struct instance *in)
{
	const union config_value *user = &in->service->section->v[CONFIG_SERVICE_USER];
	const uint32_t keep = (uint32_t)in->service->section->v[CONFIG_KEEP_RUNS].num;
	const struct job *j = instance_job(ss, in);
	_cleanup_(wanted_deinit) struct wanted w = {.ss = ss, .in = in};
	struct env_set *env = NULL;
	bool has_room = true;
	void *packed;
	size_t len;
	int r;

	/* taken as done: the few that may be there go with the next ones */
	if (j && in->n_forgotten == 0 && j->n_runs > keep)
		in->n_forgotten = j->n_runs - keep;
	r = set_rules(ss, in);
	if (r >= 0)
		r = set_hooks(ss, in);
	if (r < 0)
		return r;
	job_spec_init(&w.spec);
	in->uid = service_uid(in->service);
	in->gid = user->user.name ? user->user.gid : (uint32_t)getegid();
	r = make_wanted(&w, j);
	if (r >= 0 && w.env) {
		r = envs_intern(ss->core->envs, &env, w.env);
		has_room = r != -RV_ELIMIT;
	}
	if (r < 0 && has_room)
		return r;
	r = job_spec_pack(&packed, &len, &w.spec);
	if (r < 0) {
		envs_put(ss->core->envs, env);
		return r;
	}
	free(in->spec);
	in->spec = packed;
	in->spec_len = len;
	envs_put(ss->core->envs, in->env);
	in->env = env;
	r = look_for_problem(ss, in, &w.spec, j);
	return r < 0 || has_room ? r : note_no_room(in);
}

/* ---- all of them ---------------------------------------------------------------------------- */

int service_set_wanted(struct services *ss, struct service *s)
{
	size_t wanted = service_wanted(s);
	int r = service_grow(s, wanted);

	for (size_t i = 0; i < s->n && r >= 0; i++) {
		struct instance *in = s->v[i];

		if (i < wanted) {
			const union config_value *v = s->section->v;

			r = rate_set(&in->restart.limit,
				(unsigned)v[CONFIG_RESTART_BURST].num,
				RV_US(v[CONFIG_RESTART_INTERVAL].num));
			if (r >= 0)
				r = set_spec(ss, in);
			continue;
		}
		free(in->spec);
		in->spec = NULL;
		envs_put(ss->core->envs, TAKE_PTR(in->env));
	}
	service_look_again(ss, s);
	return r;
}

/* What was said of it at run time holds until its section says something else; that it was
 * stopped does longer. It follows from the file: should it not be written it follows again. */
static void drop_scale(struct services *ss, struct service *s)
{
	struct txn *t = txn_new();

	s->rec.scaled = false;
	if (t && service_put(t, s->name, &s->rec) >= 0)
		committer_post(ss->core->committer, t, COMMIT_MUST, NULL, NULL);
	else
		txn_free(t);
}

static void set_section(
	struct services *ss, struct service *s, const struct config_named *section)
{
	const struct config_named *was = s->section;
	unsigned n = (unsigned)section->v[CONFIG_INSTANCES].num;

	s->section = section;
	if (s->rec.scaled &&
		(s->rec.defined != n || (was && !config_named_equal(was, section,
							CONFIG_SECTION_SERVICE))))
		drop_scale(ss, s);
}

/* those that have no section any more */
static void drop_sections(struct services *ss, const struct config *cf)
{
	struct service *s;

	HASHMAP_FOREACH(s, ss->by_name)
		if (!config_find(cf, CONFIG_SECTION_SERVICE, s->name))
			s->section = NULL;
}

int services_apply(struct services *ss, const struct config *cf)
{
	const struct config_names *names = &cf->named[CONFIG_SECTION_SERVICE];
	struct service *s;
	int r = 0;

	ss->config = cf;
	drop_sections(ss, cf);
	for (size_t i = 0; i < names->n; i++) {
		s = services_get(ss, names->v[i].name);
		if (!s)
			return -ENOMEM;
		set_section(ss, s, &names->v[i]);
	}
	r = groups_apply(ss);
	if (r >= 0)
		r = services_link(ss);
	/* those without relations start in the order of the files */
	for (size_t i = 0; i < names->n && r >= 0; i++) {
		s = services_find(ss, names->v[i].name);
		r = service_set_wanted(ss, s);
	}
	HASHMAP_FOREACH(s, ss->by_name)
		if (r >= 0 && !s->section)
			r = service_set_wanted(ss, s);
	return r;
}

static bool is_restarting(const struct services *ss, const struct service *s)
{
	size_t wanted = s->rec.stopped ? 0 : MIN(service_wanted(s), s->n);

	for (size_t i = 0; i < wanted; i++) {
		const struct job *j = instance_job(ss, s->v[i]);

		if (j && j->run && !s->v[i]->problem &&
			!instance_is_current(s->v[i], j))
			return true;
	}
	return false;
}

int services_restarting(const struct services *ss, char ***names)
{
	_cleanup_free_ struct service **all = services_list(ss);
	int r = all ? 0 : -ENOMEM;

	for (struct service **s = all; s && *s && r >= 0; s++)
		if (is_restarting(ss, *s))
			r = strv_append(names, (*s)->name);
	return r;
}

int64_t services_n_wanted(const struct services *ss)
{
	struct service *s;
	int64_t n = 0;

	HASHMAP_FOREACH(s, ss->by_name)
		n += (int64_t)service_wanted(s);
	return n;
}
