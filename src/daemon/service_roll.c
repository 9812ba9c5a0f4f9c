#include "config.h"

#include "daemon/service_roll.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/service_deps.h"
#include "daemon/service_up.h"

/* ---- its end --------------------------------------------------------------------------------- */

static int put(struct settle *st, struct service *s)
{
	service_look_again(st->ss, s);
	return settle_put_record(st, s);
}

/* those that were to come after it */
static int end_behind(struct settle *st, const struct service *first)
{
	const struct service *stopped = first;
	struct service *s;
	bool some = true;
	int r = 0;

	/* a line of them: each names the one before it */
	while (some && r >= 0) {
		some = false;
		HASHMAP_FOREACH(s, st->ss->by_name) {
			if (!s->rec.rolling ||
				!STREQ(s->rec.roll_behind, stopped->name))
				continue;
			s->rec.rolling = false;
			snprintf(s->rec.roll_failed, sizeof(s->rec.roll_failed),
				"it stopped before it, at service '%s'", first->name);
			r = put(st, s);
			stopped = s;
			some = true;
			break;
		}
	}
	return r;
}

static int end_failed(struct settle *st, struct service *s, const char *why)
{
	int r;

	s->rec.rolling = false;
	if (s->rec.roll_next == 0)
		snprintf(s->rec.roll_failed, sizeof(s->rec.roll_failed),
			"it did not begin: %s", why);
	else
		snprintf(s->rec.roll_failed, sizeof(s->rec.roll_failed),
			"it stopped at instance %u: %s", s->rec.roll_next - 1, why);
	log_at(LOG_WARNING, "service",
		"rolling restart of service '%s': %s, leaving the others as they are",
		s->name, s->rec.roll_failed);
	r = put(st, s);
	return r < 0 ? r : end_behind(st, s);
}

static int end_well(struct settle *st, struct service *s)
{
	struct service *next;

	s->rec.rolling = false;
	log_at(LOG_INFO, "service", "rolling restart of service '%s' is done", s->name);
	HASHMAP_FOREACH(next, st->ss->by_name)
		if (next->rec.rolling && STREQ(next->rec.roll_behind, s->name))
			service_mark(st->ss, next);
	return put(st, s);
}

/* ---- a step ---------------------------------------------------------------------------------- */

/* an end that is not the one that it was asked for */
static bool has_failed(
	const struct instance *in, const struct job *j, char *why, size_t size)
{
	if (in->problem) {
		str_shorten(why, size, in->problem);
		return true;
	}
	/* it may be on its way again: after a short delay, or with its group */
	if (!j || j->busy ||
		(!in->has_ended && j->state != JOB_DELAYED && !instance_is_over(in, j)))
		return false;
	job_describe_end(j, why, size);
	return true;
}

/* It was ready, and somebody has it started again. */
static bool was_replaced(const struct instance *in)
{
	return in->up == INSTANCE_UP_WAS && !in->has_ended;
}

/* Two of them are not away at once, whoever else restarts it: a reload, restart-at. One whose
 * turn is still to come, and that does not get ready by itself, is no reason to wait: its turn
 * may mend it. */
static bool is_another_on_its_way(
	const struct services *ss, const struct service *s, const struct instance *in)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct job *j = instance_job(ss, s->v[i]);
		bool ends = j && j->run && j->run->stop != RUN_STOP_NONE;

		if (s->v[i] != in &&
			(ends || ((i < in->number || was_replaced(s->v[i])) &&
					 instance_is_in_transition(s->v[i], j))))
			return true;
	}
	return false;
}

/* The next one is asked to end, or started; where it is on its way already, that is enough. */
static int ask(struct settle *st, struct service *s)
{
	struct instance *in = s->v[s->rec.roll_next];
	struct job *j = instance_job(st->ss, in);
	int r = 0;

	if ((j && jobs_is_unsettled(st->ss->core->jobs, j)) ||
		is_another_on_its_way(st->ss, s, in))
		return 0; /* looked at again when that is over */
	s->rec.roll_next++;
	in->again = in->has_ended = false;
	if (j && j->run && j->run->stop == RUN_STOP_NONE)
		r = settle_stop_run(st, j);
	else if (j && (j->state == JOB_FINISHED || j->state == JOB_DELAYED))
		r = settle_start_job(st, in, j);
	/* Should this not be written, it is known in memory alone that it was asked, and the next
	 * daemon asks it once more. */
	return r < 0 ? r : put(st, s);
}

int settle_roll(struct settle *st, struct service *s)
{
	const struct service *before =
		s->rec.rolling && *s->rec.roll_behind
			? services_find(st->ss, s->rec.roll_behind)
			: NULL;
	unsigned next = s->rec.roll_next;
	size_t wanted = service_wanted(s);
	const struct instance *in = NULL; /* the one before the next */
	const struct job *j = NULL;
	char why[128];

	if (!s->rec.rolling || (before && before->section && before->rec.rolling))
		return 0;
	s->rec.roll_behind[0] = '\0'; /* it may be rolled again, without this one */
	if (s->rec.stopped || wanted == 0)
		return end_well(st, s); /* nothing is left to restart */
	if (next > 0 && next <= wanted) {
		in = s->v[next - 1];
		j = instance_job(st->ss, in);
		if (has_failed(in, j, why, sizeof(why)))
			return end_failed(st, s, why);
	}
	if (s->cond.kept_down) {
		service_describe_kept_down(st->ss, s, why, sizeof(why));
		return end_failed(st, s, why);
	}
	if (s->restarts || st->more || st->n_changes == SETTLE_MAX)
		return 0;
	if (in && (!j || j->busy || !j->run || !run_is_ready(j->run)))
		return 0;
	return next >= wanted ? end_well(st, s) : ask(st, s);
}

/* ---- asked for ------------------------------------------------------------------------------- */

/* the first that is not there, or is rolled already: -ENOENT, -EBUSY */
static int find_all(struct services *ss, char *const *names, size_t n,
	struct service **v, const char **ret_name)
{
	for (size_t i = 0; i < n; i++) {
		v[i] = services_find(ss, names[i]);
		*ret_name = names[i];
		if (!v[i] || !v[i]->section)
			return -ENOENT;
		if (v[i]->rec.rolling)
			return -EBUSY;
	}
	return 0;
}

static void begin(struct service *s, const struct service *before)
{
	s->rec.rolling = true;
	s->rec.roll_next = 0;
	s->rec.roll_failed[0] = '\0';
	snprintf(s->rec.roll_behind, sizeof(s->rec.roll_behind), "%s",
		before ? before->name : "");
}

/* Somebody stopped it, or what it requires. */
static bool stays_stopped(const struct service *s)
{
	return s->rec.stopped || service_wanted(s) == 0 || service_kept_down_by(s);
}

/* All of it is on disk, or nothing happens. One whose group was given up cannot be rolled, and
 * that is told; one whose group restarts waits for that. */
static int roll(struct services *ss, struct service **v, size_t n, bool *ret_changed)
{
	struct service_record *was = calloc(n + 1, sizeof(*was));
	struct settle *st = was ? settle_new(ss) : NULL;
	const struct service *before = NULL;
	int r = st ? 0 : -ENOMEM;

	*ret_changed = false;
	for (size_t i = 0; i < n; i++) {
		if (was)
			was[i] = v[i]->rec;
		if (r < 0 || stays_stopped(v[i]))
			continue;
		begin(v[i], before);
		before = v[i];
		*ret_changed = true;
		r = settle_put_record(st, v[i]);
	}
	if (r >= 0)
		r = settle_commit(st);
	for (size_t i = 0; i < n && was; i++) {
		if (r < 0)
			v[i]->rec = was[i];
		service_look_again(ss, v[i]);
	}
	settle_free(st);
	free(was);
	return r;
}

int services_roll(struct services *ss, char *const *names, size_t n, bool *ret_changed,
	const char **ret_name)
{
	_cleanup_free_ struct service **v = calloc(n + 1, sizeof(*v));
	int r = v ? services_lock(ss) : -ENOMEM;

	*ret_changed = false;
	*ret_name = "";
	if (r < 0)
		return r;
	r = find_all(ss, names, n, v, ret_name);
	if (r >= 0)
		r = services_sort(ss, v, &n);
	if (r >= 0)
		r = roll(ss, v, n, ret_changed);
	services_unlock(ss);
	return r;
}

int services_wait_roll(struct services *ss, char *const *names, size_t n,
	const struct service **ret_failed)
{
	*ret_failed = NULL;
	for (;;) {
		bool some = false;
		int r;

		for (size_t i = 0; i < n; i++) {
			const struct service *s = services_find(ss, names[i]);

			some |= s && s->section && s->rec.rolling;
		}
		if (!some)
			break;
		r = rv_event_wait(&ss->moved);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n; i++) {
		const struct service *s = services_find(ss, names[i]);

		/* the one at which it stopped, rather than one that came behind that */
		if (s && s->section && *s->rec.roll_failed &&
			(!*ret_failed || !*s->rec.roll_behind))
			*ret_failed = s;
	}
	return 0;
}

const char *service_roll_text(const struct service *s, char *buf, size_t size)
{
	if (s->rec.rolling && *s->rec.roll_behind)
		snprintf(buf, size, "it comes after service '%s'", s->rec.roll_behind);
	else if (s->rec.rolling && s->rec.roll_next > 0)
		snprintf(buf, size, "instance %u of %zu is on its way",
			s->rec.roll_next - 1, service_wanted(s));
	else if (s->rec.rolling)
		snprintf(buf, size, "it begins");
	else if (*s->rec.roll_failed)
		snprintf(buf, size, "%s", s->rec.roll_failed);
	else
		return NULL;
	return buf;
}
