#include "config.h"

#include "daemon/service_up.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/service_deps.h"
#include "daemon/service_groups.h"

/* ---- what is known --------------------------------------------------------------------------- */

void instance_forget_up(struct instance *in)
{
	in->up = INSTANCE_UP_UNKNOWN;
	free(in->not_up);
	in->not_up = NULL;
}

/* A run that is to go says nothing of the next one. */
static bool is_up(const struct instance *in, const struct job *j)
{
	return j && j->run && j->run->stop == RUN_STOP_NONE &&
	       j->run->rec.ready_usec > 0 && !in->again && !in->service->restarts &&
	       instance_is_current(in, j);
}

void instance_note_up(struct instance *in, const struct job *j)
{
	if (in->up == INSTANCE_UP_UNKNOWN && is_up(in, j))
		in->up = INSTANCE_UP_WAS;
}

void instance_note_end(struct instance *in, const struct run *run, const char *how,
	const struct service_end *end)
{
	if (in->up != INSTANCE_UP_UNKNOWN)
		return;
	in->up = run_was_ready(run) ? INSTANCE_UP_WAS : INSTANCE_UP_FAILED;
	if (in->up == INSTANCE_UP_WAS)
		return;
	if (end->reason[0]) {
		in->not_up = strdup(end->reason);
	} else if (run->end.kind == RUN_END_START_FAILED) {
		in->not_up = strdup(how);
	} else if (asprintf(&in->not_up, "%s before it was ready", how) < 0) {
		in->not_up = NULL;
	}
}

/* ---- in words -------------------------------------------------------------------------------- */

void job_describe_end(const struct job *j, char *buf, size_t size)
{
	if (j->reason)
		str_shorten(buf, size, j->reason);
	else if (j->signal > 0)
		snprintf(buf, size, "it has ended by %s", signal_name(j->signal));
	else if (j->exit_code >= 0)
		snprintf(buf, size, "it has ended with status %" PRId32, j->exit_code);
	else
		snprintf(buf, size, "it has ended");
}

void service_describe_burst(char *buf, size_t size, unsigned n, int64_t interval_usec)
{
	char interval[DURATION_TEXT_MAX];

	duration_format(interval, sizeof(interval), interval_usec);
	snprintf(buf, size, "%u restart%s in %s %s too many", n, n == 1 ? "" : "s",
		interval, n == 1 ? "was" : "were");
}

void service_describe_kept_down(
	const struct services *ss, const struct service *s, char *buf, size_t size)
{
	const struct service *by = service_kept_down_by(s);

	if (by)
		snprintf(buf, size, "it requires service '%s' (%s)", by->name,
			service_word(ss, by));
	else if (s->group && s->group->given_up)
		snprintf(buf, size, "its group '%s' was given up", s->group->name);
	else
		snprintf(buf, size, "it is kept down");
}

static void describe(const struct services *ss, const struct instance *in,
	const struct job *j, char *buf, size_t size)
{
	const struct service *s = in->service;

	if (in->up == INSTANCE_UP_FAILED)
		str_shorten(buf, size, in->not_up ? in->not_up : "it was not ready");
	else if (in->problem)
		snprintf(buf, size, "it cannot be started: %s", in->problem);
	else if (s->rec.stopped)
		snprintf(buf, size, "it was stopped");
	else if (s->cond.kept_down)
		service_describe_kept_down(ss, s, buf, size);
	else if (instance_target(in, j) == INSTANCE_GONE)
		snprintf(buf, size, "jobs wait for what it was as another user");
	else if (j && j->state == JOB_WAITING)
		services_why(ss, j, buf, size);
	else if (j && (j->state == JOB_FINISHED || j->state == JOB_DELAYED))
		job_describe_end(j, buf, size);
	else
		snprintf(buf, size, "it is not on its way");
}

/* ---- until it is so -------------------------------------------------------------------------- */

/* It may still come up, without anybody doing something about it. */
static bool is_coming_up(const struct instance *in, const struct job *j)
{
	enum instance_target target = instance_target(in, j);

	if (in->up != INSTANCE_UP_UNKNOWN || in->problem || target == INSTANCE_DOWN)
		return false;
	if (target == INSTANCE_WAITS || !j)
		return true;
	if (target ==
		INSTANCE_GONE) /* and another in its place, unless others wait for it */
		return j->run || !j->dependents;
	return instance_moves(in, j) || j->state == JOB_QUEUED || j->run;
}

static bool has_failed(const struct instance *in)
{
	return in->up != INSTANCE_UP_WAS;
}

/* those that there are to be, as they are now; how many still come up */
static size_t look(const struct services *ss, struct service *s)
{
	size_t n = 0;

	for (size_t i = 0; i < service_wanted(s); i++) {
		const struct job *j = instance_job(ss, s->v[i]);

		instance_note_up(s->v[i], j);
		n += is_coming_up(s->v[i], j);
	}
	return n;
}

static int list_failures(const struct services *ss, const struct service *s,
	struct service_failure **ret, size_t *ret_n)
{
	size_t n = 0;

	*ret = calloc(service_wanted(s) + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < service_wanted(s); i++) {
		struct service_failure *f = &(*ret)[n];

		if (!has_failed(s->v[i]))
			continue;
		f->instance = s->v[i]->number;
		describe(
			ss, s->v[i], instance_job(ss, s->v[i]), f->why, sizeof(f->why));
		n++;
	}
	*ret_n = n;
	return 0;
}

int services_wait_up(struct services *ss, const char *name,
	struct service_failure **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	for (;;) {
		struct service *s = services_find(ss, name);
		int r;

		if (!s || !s->section)
			return -ENOENT;
		if (look(ss, s) == 0)
			return list_failures(ss, s, ret, ret_n);
		r = rv_event_wait(&ss->moved);
		if (r < 0)
			return r;
	}
}
