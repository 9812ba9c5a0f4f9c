/* Who names whom; see dependents.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/invariant.h"
#include "daemon/core.h"
#include "daemon/dependents_priv.h"
#include "daemon/jobs.h"
#include "reeve/task.h"

enum { TURN_BYTES = 32 * 1024 }; /* of specs, linked in one turn */

/* its record is all that says what it waits for, and it may still come to that */
static bool needs(const struct job *j, enum job_state state)
{
	return j->has_deps && (state == JOB_HELD || state == JOB_WAITING ||
				      state == JOB_DELAYED || state == JOB_QUEUED);
}

bool job_waits_for(const struct job *j, uint64_t id)
{
	const char *at = NULL;
	struct deps_walk w;
	uint64_t one;

	deps_walk_init(&w, j->spec, j->spec_len);
	while (deps_walk_next_id(&w, &at, &one) > 0)
		if (one == id)
			return true;
	return false;
}

/* ---- counts ------------------------------------------------------------------------- */

size_t dependents_n_kept(const struct dependents *d)
{
	return d->n_kept;
}

static void count_needing(struct core *core, struct job *on, int delta)
{
	struct job_edges *e = on->dependents;
	bool before, after;

	INVARIANT(e && (delta > 0 || e->n_needing > 0));
	before = e->n_needing > 0;
	e->n_needing += (uint32_t)delta;
	after = e->n_needing > 0;
	if (on->state == JOB_FINISHED && before != after)
		core->dependents->n_kept += (size_t)(after - before);
}

/* for each that it names */
static void count_all(struct core *core, const struct job *j, int delta)
{
	const char *at = NULL;
	struct deps_walk w;
	uint64_t id;

	deps_walk_init(&w, j->spec, j->spec_len);
	while (deps_walk_next_id(&w, &at, &id) > 0) {
		struct job *on = jobs_find(core->jobs, id);

		if (on)
			count_needing(core, on, delta);
	}
}

void dependents_changed(struct core *core, struct job *j, enum job_state before)
{
	enum job_state now = (enum job_state)j->state;

	if (needs(j, before) != needs(j, now))
		count_all(core, j, needs(j, now) ? 1 : -1);
	if (!j->dependents || (before == JOB_FINISHED) == (now == JOB_FINISHED))
		return;
	if (j->dependents->n_needing)
		core->dependents->n_kept += now == JOB_FINISHED ? 1 : (size_t)-1;
	/* of one that was skipped here they were looked at when that was decided */
	if (now == JOB_FINISHED && j->planned != JOB_PLANNED_SKIP)
		dependents_look(core->dependents, j);
}

const char *job_needed_by(
	const struct core *core, const struct job *j, char *buf, size_t size)
{
	const struct job_edges *e = j->dependents;

	buf[0] = '\0';
	for (uint32_t i = 0; e && i < e->n; i++) {
		const struct job *by = jobs_find(core->jobs, e->ids[i]);

		if (!by || !needs(by, (enum job_state)by->state) ||
			!job_waits_for(by, j->id))
			continue;
		if (e->n_needing > 1)
			snprintf(buf, size, "job %" PRIu64 " and %u more need it",
				by->id, e->n_needing - 1);
		else
			snprintf(buf, size, "job %" PRIu64 " needs it", by->id);
		break;
	}
	if (!buf[0] && e && e->n_promised)
		snprintf(buf, size, "a job that is being submitted needs it");
	return buf;
}

/* ---- edges -------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Those that name it no more go. */
static void sweep(const struct core *core, const struct job *on)
{
	struct job_edges *e = on->dependents;
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->n; i++) {
		const struct job *j = jobs_find(core->jobs, e->ids[i]);

		if (j && job_waits_for(j, on->id))
			e->ids[n++] = e->ids[i];
	}
	qsort(e->ids, n, sizeof(e->ids[0]), by_id);
	e->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (e->n == 0 || e->ids[e->n - 1] != e->ids[i])
			e->ids[e->n++] = e->ids[i];
}

static bool has_room(const struct job_edges *e)
{
	return e && e->n + e->n_promised < e->n_max;
}

static int make_room(struct job *on)
{
	struct job_edges *e = on->dependents;
	uint32_t n_max = e ? 2 * e->n_max : 1;

	if (n_max > INT32_MAX)
		return -RV_ELIMIT;
	e = realloc(e, sizeof(*e) + n_max * sizeof(e->ids[0]));
	if (!e)
		return -ENOMEM;
	if (!on->dependents)
		*e = (struct job_edges){.n = 0};
	e->n_max = n_max;
	on->dependents = e;
	return 0;
}

int dependents_promise(struct core *core, struct job *on)
{
	struct job_edges *e = on->dependents;
	int r = 0;

	/* Not while tasks go through them. Where little went, the next sweep is to come
	 * only after as many more. */
	if (e && !has_room(e) && e->n_walks == 0) {
		sweep(core, on);
		if (e->n + e->n_promised >= e->n_max - e->n_max / 4)
			r = make_room(on);
	}
	if (r >= 0 && !has_room(on->dependents))
		r = make_room(on);
	if (r >= 0)
		on->dependents->n_promised++;
	return r;
}

void dependents_end_promise(struct job *on)
{
	INVARIANT(on->dependents && on->dependents->n_promised > 0);
	on->dependents->n_promised--;
}

/* a promise made room for it, and ends later */
static void add_edge(struct job *on, uint64_t id)
{
	struct job_edges *e = on->dependents;

	INVARIANT(e && e->n_promised > 0 && e->n < e->n_max);
	e->ids[e->n++] = id;
}

void dependents_link(struct core *core, struct job *j)
{
	bool needing = needs(j, (enum job_state)j->state);
	const char *at = NULL;
	struct deps_walk w;
	uint64_t id;

	deps_walk_init(&w, j->spec, j->spec_len);
	while (deps_walk_next_id(&w, &at, &id) > 0) {
		struct job *on = jobs_find(core->jobs, id);

		if (!on)
			continue;
		add_edge(on, j->id);
		if (needing)
			count_needing(core, on, 1);
	}
}

void dependents_link_all(struct core *core, struct job *const *jobs, size_t n)
{
	size_t turn = 0;

	for (size_t i = 0; i < n; i++) {
		if (!jobs[i]->has_deps)
			continue;
		dependents_link(core, jobs[i]);
		turn += jobs[i]->spec_len;
		if (turn < TURN_BYTES)
			continue;
		turn = 0;
		(void)!rv_yield(); /* they are in the table: it must be done */
	}
}

void dependents_replace_spec(
	struct core *core, struct job *j, void *spec, size_t spec_len)
{
	const char *at = NULL;
	struct deps_walk w;
	uint64_t id;

	if (needs(j, (enum job_state)j->state))
		count_all(core, j, -1);
	deps_walk_init(&w, spec, spec_len);
	while (deps_walk_next_id(&w, &at, &id) > 0) {
		struct job *on = jobs_find(core->jobs, id);

		if (on && !job_waits_for(j, id))
			add_edge(on, j->id);
	}
	free(j->spec);
	j->spec = spec;
	j->spec_len = (uint32_t)spec_len;
	j->has_deps = deps_are_given(spec, spec_len);
	if (needs(j, (enum job_state)j->state))
		count_all(core, j, 1);
}

/* one job's, after a start */
static int load_job(struct core *core, struct job *j)
{
	bool needing = needs(j, (enum job_state)j->state);
	const char *at = NULL;
	struct deps_walk w;
	uint64_t id;

	deps_walk_init(&w, j->spec, j->spec_len);
	while (deps_walk_next_id(&w, &at, &id) > 0) {
		struct job *on = jobs_find(core->jobs, id);
		int r = on ? dependents_promise(core, on) : 0;

		if (r < 0)
			return r;
		if (!on)
			continue;
		add_edge(on, j->id);
		if (needing)
			count_needing(core, on, 1);
		dependents_end_promise(on);
	}
	return 0;
}

int dependents_load(struct dependents *d)
{
	struct core *core = d->core;

	for (struct job *j = jobs_at_or_after(core->jobs, 1); j;
		j = jobs_at_or_after(core->jobs, j->id + 1)) {
		int r = j->has_deps ? load_job(core, j) : 0;

		if (r < 0)
			return r;
	}
	dependents_look_at_all(d);
	return 0;
}
