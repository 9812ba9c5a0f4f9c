/* Services are started, stopped, restarted; services.h. */
#include "config.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/jobs.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "daemon/service_deps.h"
#include "daemon/service_groups.h"
#include "daemon/service_settle.h"
#include "daemon/service_up.h"
#include "job/asks.h"

/* What is said of it from now on, and what follows for its jobs, is on disk when this returns;
 * or nothing of it is. g: its group, where that has another record; NULL */
static int bring_about_with_group(struct services *ss, struct service *s,
	const struct service_record *now, const struct service_group *g)
{
	struct service_record was = s->rec;
	bool more = true, said = false;
	int r;

	s->rec = *now;
	r = service_set_wanted(ss, s);
	while (more && r >= 0) {
		struct settle *st = settle_new(ss);

		r = st ? 0 : -ENOMEM;
		if (r >= 0 && !said)
			r = settle_put_record(st, s);
		if (r >= 0 && !said && g)
			r = group_put(ss, st->txn, g);
		if (r >= 0)
			r = settle_service(st, s);
		more = r >= 0 && st->more;
		if (r >= 0)
			r = settle_commit(st);
		said |= r >= 0;
		settle_free(st);
	}
	if (!said) {
		s->rec = was;
		(void)service_set_wanted(ss, s);
	}
	service_look_again(ss, s);
	return said ? 0 : r;
}

static int bring_about(
	struct services *ss, struct service *s, const struct service_record *now)
{
	return bring_about_with_group(ss, s, now, NULL);
}

/* The group that it is in was given up, and is not any more, with all of its services. */
static int take_up_group(
	struct services *ss, struct service *s, const struct service_record *now)
{
	struct service_group *g = s->group;
	char *given_up = group_take_given_up(g);
	int r;

	(void)group_forget_restarts(g);
	r = bring_about_with_group(ss, s, now, g);

	if (r < 0 && !g->given_up) /* nor was it given up anew meanwhile */
		g->given_up = given_up;
	else
		free(given_up);
	for (size_t i = 0; i < g->n; i++)
		service_look_again(ss, g->v[i]);
	return r;
}

static bool is_waiting(const struct job *j)
{
	return !j || j->state == JOB_FINISHED || j->state == JOB_DELAYED;
}

/* all: also those that run. How many are to be started */
static size_t mark_again(struct services *ss, struct service *s, bool all)
{
	size_t n = 0;

	for (size_t i = 0; i < service_wanted(s); i++) {
		struct instance *in = s->v[i];

		instance_forget_up(in);
		in->again = all || is_waiting(instance_job(ss, in));
		n += in->again;
	}
	return n;
}

static void unmark(struct service *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->v[i]->again = false;
		s->v[i]->due = s->rec.restart_usec != 0;
	}
}

static int start(struct services *ss, struct service *s, bool all, bool *ret_changed)
{
	struct service_record now = s->rec;
	int r = service_set_wanted(ss, s); /* what was in its way may be gone */
	bool given_up;

	if (r < 0)
		return r;
	given_up = s->group && s->group->given_up;
	*ret_changed = mark_again(ss, s, all) > 0 || now.stopped || given_up;
	if (!*ret_changed)
		return 0;
	now.stopped = false;
	now.acknowledged_usec = 0;
	service_record_end_roll(&now);
	r = given_up ? take_up_group(ss, s, &now) : bring_about(ss, s, &now);
	if (r < 0)
		unmark(s);
	return r;
}

/* Before it those that it requires, where they are down: one that comes again by itself is
 * waited for. */
static int start_with_required(
	struct services *ss, struct service *s, bool all, bool *ret_changed)
{
	size_t n = 0;
	_cleanup_free_ struct service **v = service_with_required(ss, s, &n);
	int r = v ? 0 : -ENOMEM;

	*ret_changed = false;
	for (size_t i = 0; i < n && r >= 0; i++) {
		bool changed = false;

		if (v[i] != s && (!v[i]->cond.down || !v[i]->section))
			continue;
		r = start(ss, v[i], all && v[i] == s, &changed);
		*ret_changed |= changed;
	}
	return r;
}

static int find_and_start(struct services *ss, const char *name, bool all,
	bool unless_down, bool *ret_changed)
{
	int r = services_lock(ss);
	struct service *s = r >= 0 ? services_find(ss, name) : NULL;

	*ret_changed = false;
	if (r < 0)
		return r;
	r = s && s->section ? 0 : -ENOENT;
	if (r >= 0 && !(unless_down && s->cond.down))
		r = start_with_required(ss, s, all, ret_changed);
	services_unlock(ss);
	return r;
}

int services_start(struct services *ss, const char *name, bool *ret_changed)
{
	return find_and_start(ss, name, false, false, ret_changed);
}

int services_restart(struct services *ss, const char *name, bool *ret_changed)
{
	return find_and_start(ss, name, true, false, ret_changed);
}

int services_restart_unless_down(
	struct services *ss, const char *name, bool *ret_changed)
{
	return find_and_start(ss, name, true, true, ret_changed);
}

/* What is on record of a restart of these, of one group: who they are, and that they are not rolled
 * any more. */
static int put_group_restart(
	struct settle *st, const struct service_group *g, struct service **v, size_t n)
{
	int r = group_put(st->ss, st->txn, g);

	st->noted = true;
	for (size_t i = 0; i < n && r >= 0; i++) {
		if (!v[i]->rec.rolling)
			continue;
		service_record_end_roll(&v[i]->rec);
		r = settle_put_record(st, v[i]);
	}
	return r;
}

/* It is on disk when this returns, or nothing of it is. Instances that wait for their next start
 * do so no longer: what of that cannot be written comes when it is due. */
static int record_group_restart(struct services *ss, const struct service_group *g,
	struct service **v, size_t n)
{
	_cleanup_free_ struct service_record *was = calloc(n + 1, sizeof(*was));
	bool more = true, said = false;
	int r = was ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && was; i++)
		was[i] = v[i]->rec;
	while (more && r >= 0) {
		struct settle *st = settle_new(ss);

		r = st ? 0 : -ENOMEM;
		if (r >= 0 && !said)
			r = put_group_restart(st, g, v, n);
		for (size_t i = 0; i < n && r >= 0; i++)
			r = settle_start_delayed(st, v[i]);
		more = r >= 0 && st->more;
		if (r >= 0)
			r = settle_commit(st);
		said |= r >= 0;
		settle_free(st);
	}
	for (size_t i = 0; i < n && was && !said; i++)
		v[i]->rec = was[i];
	return said ? 0 : r;
}

static int restart_group(
	struct services *ss, struct service_group *g, char ***ret_names)
{
	_cleanup_free_ struct service **v = calloc(g->n + 1, sizeof(*v));
	_cleanup_(strv_freep) char **added = NULL;
	size_t n = 0;
	int r = v ? 0 : -ENOMEM;

	for (size_t i = 0; i < g->n && r >= 0; i++) {
		if (!g->v[i]->section || g->v[i]->cond.down)
			continue;
		v[n++] = g->v[i];
		r = strv_append(ret_names, g->v[i]->name);
	}
	if (r >= 0 && n > 0)
		r = group_restart_these(g, v, n, &added);
	for (size_t i = 0; i < n && r >= 0; i++)
		for (size_t k = 0; k < v[i]->n; k++)
			instance_forget_up(v[i]->v[k]);
	if (r >= 0 && n > 0)
		r = record_group_restart(ss, g, v, n);
	if (r < 0)
		group_restart_not(g, added);
	for (size_t i = 0; i < n; i++)
		service_look_again(ss, v[i]);
	return r;
}

int services_restart_group(struct services *ss, const char *name, char ***ret_names)
{
	int r = services_lock(ss);
	struct service_group *g = r >= 0 ? hashmap_get(ss->groups, name) : NULL;

	*ret_names = NULL;
	if (r < 0)
		return r;
	r = g && g->section ? restart_group(ss, g, ret_names) : -ENOENT;
	services_unlock(ss);
	if (r < 0)
		*ret_names = strv_free(*ret_names);
	return r;
}

int services_stop(struct services *ss, const char *name, bool *ret_changed)
{
	int r = services_lock(ss);
	struct service *s = r >= 0 ? services_find(ss, name) : NULL;
	struct service_record now;

	if (r < 0)
		return r;
	r = s && s->section ? 0 : -ENOENT;
	*ret_changed = r >= 0 && !s->rec.stopped;
	if (*ret_changed) {
		now = s->rec;
		now.stopped = true;
		service_record_end_roll(&now);
		r = bring_about(ss, s, &now);
	}
	services_unlock(ss);
	return r;
}

/* True: there was something. */
static bool forget_of_group(struct service_group *g)
{
	bool some = group_forget_restarts(g) || (g->given_up && !g->acknowledged);

	g->acknowledged = g->given_up != NULL;
	return some;
}

/* Those that run too often count no more. */
static int forget_restarts(struct services *ss, struct service *s, bool *ret_changed)
{
	bool was_known = !s->group || s->group->acknowledged;
	struct settle *st = settle_new(ss);
	int r = st ? 0 : -ENOMEM;

	if (r >= 0 && s->group && forget_of_group(s->group)) {
		*ret_changed = st->noted = true;
		r = group_put(ss, st->txn, s->group);
	}
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		*ret_changed |= s->v[i]->restart.limit.n_at > 0;
		r = settle_forget_restarts(st, s->v[i], ret_changed);
		if (r >= 0 && st->n_changes == SETTLE_MAX) {
			r = settle_commit(st);
			settle_free(st);
			st = r >= 0 ? settle_new(ss) : NULL;
			r = r >= 0 && !st ? -ENOMEM : r;
		}
	}
	if (r >= 0)
		r = settle_commit(st);
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		restart_forget(&s->v[i]->restart);
		s->v[i]->counts_recorded = false;
	}
	if (r < 0 && !was_known)
		s->group->acknowledged = false;
	settle_free(st);
	return r;
}

static int reset(struct services *ss, struct service *s, bool *ret_changed)
{
	struct service_record now = s->rec;
	int64_t given_up_usec = service_given_up_usec(ss, s);
	int r = 0;

	*ret_changed = now.scaled || given_up_usec;
	now.scaled = false;
	if (given_up_usec)
		now.acknowledged_usec = given_up_usec;
	if (*ret_changed)
		r = bring_about(ss, s, &now);
	return r < 0 ? r : forget_restarts(ss, s, ret_changed);
}

int services_reset(struct services *ss, const char *name, bool *ret_changed)
{
	int r = services_lock(ss);
	struct service *s = r >= 0 ? services_find(ss, name) : NULL;

	*ret_changed = false;
	if (r < 0)
		return r;
	r = s && s->section ? reset(ss, s, ret_changed) : -ENOENT;
	services_unlock(ss);
	return r;
}

static int scale(struct services *ss, struct service *s, unsigned n, bool *ret_changed)
{
	int64_t max = config_num(ss->config, SERVICE_INSTANCES_MAX);
	int64_t others = services_n_wanted(ss) - (int64_t)service_wanted(s);
	struct service_record now = s->rec;

	*ret_changed = n != service_wanted(s);
	if (!*ret_changed)
		return 0;
	if (n > service_wanted(s) && others + n > max)
		return -RV_ELIMIT;
	now.defined = (unsigned)s->section->v[CONFIG_INSTANCES].num;
	now.scaled = n != now.defined;
	now.instances = n;
	return bring_about(ss, s, &now);
}

int services_scale(struct services *ss, const char *name, unsigned n, bool *ret_changed)
{
	int r = services_lock(ss);
	struct service *s = r >= 0 ? services_find(ss, name) : NULL;

	*ret_changed = false;
	if (r < 0)
		return r;
	r = s && s->section ? scale(ss, s, n, ret_changed) : -ENOENT;
	services_unlock(ss);
	return r;
}

/* ---- until it is so -------------------------------------------------------------------------- */

int services_wait(struct services *ss, const char *name)
{
	for (;;) {
		struct service *s = services_find(ss, name);
		bool some = false;
		int r;

		for (size_t i = 0; s && i < s->n && !some; i++)
			some = instance_moves(s->v[i], instance_job(ss, s->v[i]));
		if (!some)
			return 0;
		r = rv_event_wait(&ss->moved);
		if (r < 0)
			return r;
	}
}
