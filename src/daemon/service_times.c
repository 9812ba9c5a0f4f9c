#include "config.h"

#include "daemon/service_times.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "config/config_schedule.h"
#include "daemon/run.h"
#include "daemon/services_priv.h"
#include "sched/schedule.h"

struct service_times {
	struct services *ss;
	struct service *service;
	struct config_calendars calendars;
	int64_t after_usec; /* up to here times have passed, or were before it was read */
	int64_t next_usec; /* the first after that; INT64_MAX: none any more */
	rv_handle timer;
	bool armed;
};

void service_times_free(struct service *s)
{
	struct service_times *t = s->times;

	if (!t)
		return;
	if (t->armed)
		rv_handle_cancel(t->ss->loop, t->timer);
	config_calendars_deinit(&t->calendars);
	free(t);
	s->times = NULL;
}

int64_t service_next_restart_usec(const struct service *s)
{
	return s->times && s->times->next_usec != INT64_MAX ? s->times->next_usec : 0;
}

static void passed(void *arg);

/* the timer stands at the first time after that one */
static void arm(struct service_times *t, int64_t after_usec)
{
	if (t->armed)
		rv_handle_cancel(t->ss->loop, t->timer);
	t->armed = false;
	t->after_usec = after_usec;
	t->next_usec = INT64_MAX;
	for (size_t i = 0; i < t->calendars.n; i++) {
		int64_t at;

		if (calendar_next(&at, t->calendars.v[i], after_usec, after_usec) >= 0)
			t->next_usec = MIN(t->next_usec, at);
	}
	if (t->next_usec == INT64_MAX)
		return;
	t->timer = rv_call_at_wall(t->ss->loop, t->next_usec, passed, t);
	t->armed = t->timer.p != NULL;
	if (!t->armed)
		log_at(LOG_ERR, "service",
			"out of memory: restart-at of service '%s' does not hold until "
			"the next reload",
			t->service->name);
}

/* One that was started when the clock is to be far from now was so before the clock was set. */
static bool is_older(const struct services *ss, const struct job *j, int64_t at_usec)
{
	int64_t started_usec;

	if (!j || !j->run || !j->run->started)
		return false;
	started_usec = j->run->rec.started_usec;
	return started_usec < at_usec ||
	       started_usec - clock_wall_usec(ss->core->clock) > SCHEDULE_BACK_MAX;
}

static void mark(struct service_times *t, int64_t at_usec)
{
	struct service *s = t->service;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += is_older(t->ss, instance_job(t->ss, s->v[i]), at_usec);
	if (n == 0)
		return;
	log_at(LOG_INFO, "service", "service '%s' is restarted, by restart-at",
		s->name);
	s->due_usec = at_usec;
	service_look_again(t->ss, s);
}

static void passed(void *arg)
{
	struct service_times *t = arg;
	int64_t now = clock_wall_usec(t->ss->core->clock), at = t->next_usec;

	t->armed = false;
	if (now - at <= SCHEDULE_LATE_MAX)
		mark(t, at);
	else
		log_at(LOG_NOTICE, "service",
			"service '%s': a restart-at was missed, as the clock was set "
			"or "
			"the machine slept",
			t->service->name);
	arm(t, MAX(now, at));
}

/* A clock that is set back makes no time come twice; one that had been wrong does not put off
 * the next one by as much. */
void services_clock_jumped(struct services *ss)
{
	int64_t now = clock_wall_usec(ss->core->clock);
	struct service *s;

	HASHMAP_FOREACH(s, ss->by_name)
		if (s->times && s->times->after_usec - now > SCHEDULE_BACK_MAX)
			arm(s->times, now);
}

/* ---- those whose turn it is ------------------------------------------------------------------ */

void instance_look_due(
	const struct services *ss, struct instance *in, const struct job *j)
{
	if (!in->due || (j && j->run && !j->run->started))
		return; /* it is being started: looked at again when it is */
	in->due = false;
	in->again |= is_older(ss, j, in->service->rec.restart_usec);
}

void service_is_due(struct services *ss, struct service *s)
{
	s->due_usec = 0;
	for (size_t i = 0; i < s->n; i++)
		s->v[i]->due = true;
	service_mark(ss, s);
}

int settle_times(struct settle *st, struct service *s)
{
	if (s->due_usec) {
		s->rec.restart_usec = s->due_usec;
		st->due[st->n_due++] = s;
		return settle_put_record(st, s);
	}
	if (s->rec.restart_usec == 0)
		return 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i]->due || s->v[i]->again)
			return 0;
	s->rec.restart_usec = 0;
	return settle_put_record(st, s);
}

/* ---- the times of all ------------------------------------------------------------------------ */

static int read_times(
	struct services *ss, struct service *s, struct config_zones *zones)
{
	char *const *texts = s->section ? s->section->v[CONFIG_RESTART_AT].strv : NULL;
	struct service_times *t;
	_cleanup_free_ char *err = NULL;
	int r;

	service_times_free(s);
	if (!texts || !texts[0])
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->ss = ss;
	t->service = s;
	s->times = t;
	r = config_calendars_read(&t->calendars, texts, NULL, zones, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		log_at(LOG_ERR, "service",
			"service '%s': restart-at cannot be read: %s, ignoring it",
			s->name, err ? err : rv_strerror(r));
	else
		arm(t, clock_wall_usec(ss->core->clock));
	return 0;
}

int services_apply_times(struct services *ss, struct config_zones *zones)
{
	struct config_zones own = {.local = NULL};
	struct service *s;
	int r = 0;

	HASHMAP_FOREACH(s, ss->by_name)
		if (r >= 0)
			r = read_times(ss, s, zones ? zones : &own);
	config_zones_deinit(&own);
	return r;
}
