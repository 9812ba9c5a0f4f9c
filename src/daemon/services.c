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
#include "config/config_hooks.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/service_deps.h"
#include "daemon/service_groups.h"
#include "daemon/service_log.h"
#include "daemon/service_times.h"
#include "daemon/service_up.h"
#include "daemon/services_priv.h"

#define KIND "service"

static void try_again(void *arg)
{
	struct services *ss = arg;

	rv_event_set(&ss->look);
}

static void clock_jumped(void *arg)
{
	services_clock_jumped(arg);
}

int services_new(struct services **ret, struct core *core, rv_loop *loop)
{
	struct services *ss = calloc(1, sizeof(*ss));

	if (!ss || hashmap_new(&ss->by_name, HASHMAP_STRING) < 0 ||
		hashmap_new(&ss->groups, HASHMAP_STRING) < 0 ||
		service_log_new(&ss->log, loop) < 0) {
		if (ss) {
			hashmap_free(ss->by_name);
			hashmap_free(ss->groups);
		}
		free(ss);
		return -ENOMEM;
	}
	ss->core = core;
	ss->loop = loop;
	ss->config = core->config;
	list_init(&ss->dirty);
	list_init(&ss->noting);
	rv_lock_init(&ss->changing);
	rv_event_init(&ss->look);
	rv_event_init(&ss->moved);
	rv_timer_init(&ss->retry, loop, try_again, ss);
	ss->aged_at = RV_FOREVER;
	clock_jumps_add(&core->clock_jumps, &ss->clock_watch, clock_jumped, ss);
	*ret = ss;
	return 0;
}

void instance_free(struct services *ss, struct instance *in)
{
	if (!in)
		return;
	rate_deinit(&in->restart.limit);
	ready_rule_deinit(&in->ready);
	ready_rule_deinit(&in->live);
	envs_put(ss->core->envs, in->env);
	free(in->spec);
	service_hooks_unref(in->hooks);
	free(in->problem);
	free(in->not_up);
	free(in);
}

static void service_free(struct services *ss, struct service *s)
{
	list_remove(&s->dirty);
	service_unlink(s);
	group_forget_service(s);
	service_times_free(s);
	for (size_t i = 0; i < s->n; i++)
		instance_free(ss, s->v[i]);
	free(s->v);
	free(s);
}

struct services *services_free(struct services *ss)
{
	struct service *s;

	if (!ss)
		return NULL;
	clock_jumps_remove(&ss->clock_watch);
	rv_timer_stop(&ss->retry);
	if (ss->age_timer_armed)
		rv_handle_cancel(ss->loop, ss->age_timer);
	HASHMAP_FOREACH(s, ss->by_name) {
		s->n_edges = s->n_back = 0; /* the others go, too */
		s->group = NULL;
		service_free(ss, s);
	}
	hashmap_free(ss->by_name);
	groups_free(ss);
	service_log_free(ss->log);
	free(ss);
	return NULL;
}

struct service *services_get(struct services *ss, const char *name)
{
	struct service *s = services_find(ss, name);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (s)
		snprintf(s->name, sizeof(s->name), "%s", name);
	if (!s || hashmap_put(ss->by_name, s->name, s) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

int service_grow(struct service *s, size_t n)
{
	struct instance **v;

	if (n <= s->n)
		return 0;
	v = reallocarray(s->v, n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->v = v;
	while (s->n < n) {
		struct instance *in = calloc(1, sizeof(*in));

		if (!in)
			return -ENOMEM;
		in->service = s;
		in->number = (unsigned)s->n;
		s->v[s->n++] = in;
	}
	return 0;
}

bool service_shrink(struct services *ss, struct service *s)
{
	while (s->n > service_wanted(s) && !s->v[s->n - 1]->job)
		instance_free(ss, s->v[--s->n]);
	if (s->section || s->n > 0 || !service_record_is_empty(&s->rec))
		return false;
	hashmap_remove(ss->by_name, s->name);
	service_free(ss, s);
	return true;
}

int services_lock(struct services *ss)
{
	return rv_lock_acquire(&ss->changing);
}

void services_unlock(struct services *ss)
{
	rv_lock_release(&ss->changing);
}

/* ---- what is on disk ----------------------------------------------------------------------- */

int service_put(struct txn *t, const char *name, const struct service_record *rec)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	char *text = NULL;

	if (!service_record_is_empty(rec)) {
		if (service_record_format(&b, rec) >= 0)
			text = buf_steal_str(&b, NULL);
		if (!text)
			return -ENOMEM;
	}
	return txn_define(t, KIND, name, text);
}

int services_load(struct services *ss, const char *name, const char *text)
{
	struct service *s = services_get(ss, name);
	int r = s ? service_record_parse(&s->rec, text) : -ENOMEM;

	if (r >= 0 || r == -ENOMEM)
		return r;
	log_at(LOG_ERR, "store",
		"service '%s': its record cannot be read: %s, ignoring", name,
		rv_strerror(r));
	return 0;
}

/* Of two for one place the newer is it. */
static int take_job(struct services *ss, const struct job *j)
{
	char name[65];
	unsigned n;
	struct service *s;
	int r;

	if (!job_service(j, name, &n))
		return 0;
	s = services_get(ss, name);
	r = s ? service_grow(s, (size_t)n + 1) : -ENOMEM;
	if (r < 0)
		return r;
	if (s->v[n]->job)
		log_at(LOG_ERR, "service",
			"jobs %" PRIu64 " and %" PRIu64
			" are both instance %u of service '%s'; the later one counts",
			s->v[n]->job, j->id, n, name);
	s->v[n]->job = j->id;
	return 0;
}

int services_loaded(struct services *ss)
{
	struct jobs *js = ss->core->jobs;
	struct service *s;
	int r = 0;

	for (struct job *j = jobs_at_or_after(js, 1); j && r >= 0;
		j = jobs_at_or_after(js, j->id + 1))
		if (j->of_service)
			r = take_job(ss, j);
	HASHMAP_FOREACH(s, ss->by_name)
		if (s->rec.restart_usec)
			service_is_due(ss, s);
	return r;
}

/* ---- looking ------------------------------------------------------------------------------ */

struct service *services_find(const struct services *ss, const char *name)
{
	return hashmap_get(ss->by_name, name);
}

bool services_is_there(const struct services *ss, const char *name)
{
	const struct service *s = ss ? services_find(ss, name) : NULL;

	return s && s->section;
}

struct job *services_job(const struct services *ss, const char *name)
{
	const struct service *s = services_find(ss, name);

	return s && s->n > 0 ? instance_job(ss, s->v[0]) : NULL;
}

static bool is_ready(const struct services *ss, const struct service *s)
{
	size_t wanted = service_wanted(s);

	for (size_t i = 0; i < wanted; i++) {
		const struct job *j = i < s->n ? instance_job(ss, s->v[i]) : NULL;

		if (!j || !j->run || !run_is_ready(j->run))
			return false;
	}
	return wanted > 0;
}

enum service_health services_health(const struct services *ss, const struct job *j)
{
	const struct service *s;
	char name[65];
	unsigned n;

	s = ss && job_service(j, name, &n) ? services_find(ss, name) : NULL;
	if (!s || !s->section)
		return SERVICE_GONE;
	return is_ready(ss, s) ? SERVICE_READY : SERVICE_NOT_READY;
}

static int by_name(const void *a, const void *b)
{
	const struct service *x = *(struct service *const *)a;
	const struct service *y = *(struct service *const *)b;

	return strcmp(x->name, y->name);
}

struct service **services_list(const struct services *ss)
{
	struct service **v = calloc(hashmap_size(ss->by_name) + 1, sizeof(*v)), *s;
	size_t n = 0;

	if (!v)
		return NULL;
	HASHMAP_FOREACH(s, ss->by_name)
		if (s->section)
			v[n++] = s;
	qsort(v, n, sizeof(struct service *), by_name);
	return v;
}

size_t service_wanted(const struct service *s)
{
	if (!s->section)
		return 0;
	return s->rec.scaled ? s->rec.instances
			     : (size_t)s->section->v[CONFIG_INSTANCES].num;
}

uint32_t service_uid(const struct service *s)
{
	const union config_value *user =
		s->section ? &s->section->v[CONFIG_SERVICE_USER] : NULL;

	return user && user->user.name ? user->user.uid : (uint32_t)geteuid();
}

struct job *instance_job(const struct services *ss, const struct instance *in)
{
	return in->job ? jobs_find(ss->core->jobs, in->job) : NULL;
}

struct instance *services_instance_of(const struct services *ss, const struct job *j)
{
	char name[65];
	unsigned n;
	struct service *s = job_service(j, name, &n) ? services_find(ss, name) : NULL;

	return s && n < s->n && s->v[n]->job == j->id ? s->v[n] : NULL;
}

enum instance_target instance_target(const struct instance *in, const struct job *j)
{
	if (in->number >= service_wanted(in->service) || !in->spec)
		return INSTANCE_GONE;
	if (j && j->uid != in->uid)
		return INSTANCE_GONE; /* and another in its place */
	if (in->service->rec.stopped || in->service->cond.kept_down)
		return INSTANCE_DOWN;
	return in->service->restarts ? INSTANCE_WAITS : INSTANCE_UP;
}

bool instance_is_current(const struct instance *in, const struct job *j)
{
	return in->spec && j->env == in->env && j->spec_len == in->spec_len &&
	       memcmp(j->spec, in->spec, in->spec_len) == 0;
}

/* ---- news ---------------------------------------------------------------------------------- */

/* Whoever waits for it is looked at: by the jobs of it that they name. */
static void tell_who_waits(struct services *ss, struct service *s)
{
	bool ready = is_ready(ss, s);

	if (s->section && ready == s->was_ready)
		return;
	s->was_ready = ready;
	for (size_t i = 0; i < s->n; i++) {
		const struct job *j = instance_job(ss, s->v[i]);

		if (j && j->dependents)
			dependents_look(ss->core->dependents, j);
	}
}

void service_mark(struct services *ss, struct service *s)
{
	if (!list_is_linked(&s->dirty))
		list_append(&ss->dirty, &s->dirty);
	rv_event_set(&ss->look);
}

void service_look_again(struct services *ss, struct service *s)
{
	tell_who_waits(ss, s);
	service_mark(ss, s);
	services_note(ss, s);
}

void services_tell_moved(struct services *ss)
{
	rv_event_set(&ss->moved);
	rv_event_clear(&ss->moved);
}

void services_job_changed(struct services *ss, const struct job *j)
{
	struct instance *in = ss ? services_instance_of(ss, j) : NULL;

	if (!in)
		return;
	instance_note_up(in, j);
	service_look_again(ss, in->service);
	services_tell_moved(ss);
}

void services_look_at_all(struct services *ss)
{
	const struct config_names *names;
	struct service *s;

	if (!ss)
		return;
	/* those without relations start in the order of the files */
	names = &ss->config->named[CONFIG_SECTION_SERVICE];
	for (size_t i = 0; i < names->n; i++) {
		s = services_find(ss, names->v[i].name);
		if (s)
			service_look_again(ss, s);
	}
	HASHMAP_FOREACH(s, ss->by_name)
		if (!s->section)
			service_look_again(ss, s);
}
