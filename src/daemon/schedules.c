#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strv.h"

#include "daemon/schedule_jobs.h"
#include "daemon/schedules_priv.h"

void schedules_look_again(void *arg)
{
	struct schedules *ss = arg;

	rv_event_set(&ss->look);
}

static void job_ended(const char *name, void *arg)
{
	schedules_look_again(arg);
}

/* the clock was set, or what a look wanted was not possible yet */
static void check_all(void *arg)
{
	struct schedules *ss = arg;
	struct schedule *s;

	HASHMAP_FOREACH(s, ss->by_name)
		s->check = true;
	schedules_look_again(ss);
}

int schedules_new(struct schedules **ret, struct core *core, rv_loop *loop)
{
	struct schedules *ss = calloc(1, sizeof(*ss));

	if (!ss || hashmap_new(&ss->by_name, HASHMAP_STRING) < 0) {
		free(ss);
		return -ENOMEM;
	}
	ss->core = core;
	ss->loop = loop;
	ss->config = core->config;
	ss->started_usec = clock_wall_usec(core->clock);
	ss->ahead_usec = ss->started_usec - clock_boottime(core->clock) / 1000;
	rv_lock_init(&ss->changing);
	rv_event_init(&ss->look);
	rv_timer_init(&ss->retry, loop, check_all, ss);
	clock_jumps_add(&core->clock_jumps, &ss->clock_watch, check_all, ss);
	schedule_jobs_on_end(core->schedule_jobs, job_ended, ss);
	*ret = ss;
	return 0;
}

void schedule_drop_calendars(struct schedule *s)
{
	if (s->calendars)
		config_calendars_deinit(s->calendars);
	free(s->calendars);
	s->calendars = NULL;
	s->next_known = false;
}

static void schedule_free(struct schedule *s)
{
	schedule_drop_calendars(s);
	schedule_record_deinit(&s->rec);
	schedule_progress_deinit(&s->progress);
	free(s);
}

struct schedules *schedules_free(struct schedules *ss)
{
	struct schedule *s;

	if (!ss)
		return NULL;
	if (ss->timer_armed)
		rv_handle_cancel(ss->loop, ss->timer);
	rv_timer_stop(&ss->retry);
	clock_jumps_remove(&ss->clock_watch);
	schedule_jobs_on_end(ss->core->schedule_jobs, NULL, NULL);
	HASHMAP_FOREACH(s, ss->by_name)
		schedule_free(s);
	hashmap_free(ss->by_name);
	strv_free(ss->unreadable);
	free(ss);
	return NULL;
}

struct schedule *schedules_get(struct schedules *ss, const char *name)
{
	struct schedule *s = schedules_find(ss, name);

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

bool schedules_is_unreadable(const struct schedules *ss, const char *name)
{
	STRV_FOREACH(n, ss->unreadable)
		if (STREQ(*n, name))
			return true;
	return false;
}

void schedules_drop_unreadable(struct schedules *ss, const char *name)
{
	char **to = ss->unreadable;

	STRV_FOREACH(n, ss->unreadable)
		if (STREQ(*n, name))
			free(*n);
		else
			*to++ = *n;
	if (to)
		*to = NULL;
}

void schedules_forget(struct schedules *ss, struct schedule *s)
{
	hashmap_remove(ss->by_name, s->name);
	ss->n_added -= s->rec.added;
	schedule_free(s);
}

int schedules_lock(struct schedules *ss)
{
	return rv_lock_acquire(&ss->changing);
}

void schedules_unlock(struct schedules *ss)
{
	rv_lock_release(&ss->changing);
}

/* ---- looking ------------------------------------------------------------------------------ */

struct schedule *schedules_find(const struct schedules *ss, const char *name)
{
	return hashmap_get(ss->by_name, name);
}

static int by_name(const void *a, const void *b)
{
	const struct schedule *x = *(struct schedule *const *)a;
	const struct schedule *y = *(struct schedule *const *)b;

	return strcmp(x->name, y->name);
}

struct schedule **schedules_list(const struct schedules *ss)
{
	struct schedule **v = calloc(hashmap_size(ss->by_name) + 1, sizeof(*v)), *s;
	size_t n = 0;

	if (!v)
		return NULL;
	HASHMAP_FOREACH(s, ss->by_name)
		v[n++] = s;
	qsort(v, n, sizeof(struct schedule *), by_name);
	return v;
}

const struct config_named *schedule_def(const struct schedule *s)
{
	return s->section ? s->section : &s->rec.def;
}

bool schedule_is_off(const struct schedule *s)
{
	return s->rec.paused || !schedule_def(s)->v[CONFIG_ENABLED].num;
}

const char *schedule_status(const struct schedule *s)
{
	if (!schedule_def(s)->v[CONFIG_ENABLED].num)
		return "disabled";
	if (s->rec.paused)
		return "paused";
	return s->calendars ? "active" : "broken";
}

uint32_t schedule_uid(const struct schedule *s)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];

	return user->user.name ? user->user.uid : (uint32_t)geteuid();
}

/* FNV-1a: the same jitter for a name at each daemon */
static uint64_t seed_of(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return h;
}

void schedule_rule_get(const struct schedule *s, struct schedule_rule *ret)
{
	const union config_value *v = schedule_def(s)->v;

	*ret = (struct schedule_rule){
		.calendars = s->calendars ? s->calendars->v : NULL,
		.n_calendars = s->calendars ? s->calendars->n : 0,
		.missed = (enum schedule_missed)v[CONFIG_MISSED].num,
		.missed_max = (unsigned)v[CONFIG_MISSED_MAX].num,
		.spread_usec = v[CONFIG_MISSED_SPREAD].num,
		.jitter_usec = v[CONFIG_JITTER].num,
		.seed = seed_of(s->name),
	};
}

int64_t schedule_next_of(struct schedule *s)
{
	const struct schedule_state *at = &s->progress.state;
	struct schedule_rule rule;

	if (s->next_known && s->next_of.begun_usec == at->begun_usec &&
		s->next_of.last_usec == at->last_usec &&
		s->next_of.interval_last_usec == at->interval_last_usec)
		return s->next_usec;
	schedule_rule_get(s, &rule);
	s->next_usec = schedule_next(&rule, at);
	s->next_of = *at;
	s->next_known = true;
	return s->next_usec;
}

size_t schedule_next_times(
	const struct schedules *ss, struct schedule *s, int64_t *usec, size_t n)
{
	struct schedule_state at = s->progress.state;
	int64_t now = clock_wall_usec(ss->core->clock);
	struct schedule_rule rule;
	size_t i = 0;

	schedule_rule_get(s, &rule);
	at.last_usec = MAX(at.last_usec, now);
	at.interval_last_usec = MAX(at.interval_last_usec, now);
	for (; i < n; i++) {
		/* the next that is not handled may have passed just now */
		bool is_known = i == 0 && schedule_next_of(s) > now;

		usec[i] = is_known ? s->next_usec : schedule_next(&rule, &at);
		if (usec[i] == INT64_MAX)
			break;
		at.last_usec = MAX(at.last_usec, usec[i]);
		at.interval_last_usec = MAX(at.interval_last_usec, usec[i]);
	}
	return i;
}
