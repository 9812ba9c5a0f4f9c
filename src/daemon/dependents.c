#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/parse.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/dependents_priv.h"
#include "daemon/jobs.h"
#include "daemon/retention.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"

enum {
	SKIPS_MAX = 1024, /* in one transaction */
	WHY_JOBS_MAX = 4, /* that a line names */
};

int dependents_new(struct dependents **ret, struct core *core)
{
	struct dependents *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->core = core;
	rv_event_init(&d->work);
	rv_lock_init(&d->changes);
	d->skips = calloc(SKIPS_MAX, sizeof(*d->skips));
	if (!d->skips)
		return dependents_free(d), -ENOMEM;
	*ret = d;
	return 0;
}

struct dependents *dependents_free(struct dependents *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n_skips; i++)
		free(d->skips[i].reason);
	free(d->skips);
	txn_free(d->txn);
	free(d->line);
	free(d);
	return NULL;
}

/* ---- judgement ---------------------------------------------------------------------- */

/* It has succeeded as soon as the service as a whole is ready, and never will once that is
 * gone from the configuration. */
static void look_up_service(
	const struct core *core, const struct job *j, struct dep_job *ret)
{
	enum service_health health = services_health(core->services, j);

	*ret = (struct dep_job){.state = JOB_RUNNING};
	if (health == SERVICE_NOT_READY)
		return;
	ret->state = JOB_FINISHED;
	ret->result =
		health == SERVICE_READY ? JOB_RESULT_SUCCEEDED : JOB_RESULT_CANCELLED;
}

bool dependents_look_up(uint64_t id, struct dep_job *ret, void *arg)
{
	const struct core *core = arg;
	const struct job *j = jobs_find(core->jobs, id);

	if (!j)
		return false;
	if (j->of_service) {
		look_up_service(core, j, ret);
		return true;
	}
	ret->state = (enum job_state)j->state;
	ret->result = (enum job_result)j->result;
	ret->shut_down = j->reason && STREQ(j->reason, JOB_REASON_SHUTDOWN);
	if (j->planned == JOB_PLANNED_RUN)
		ret->state = JOB_WAITING;
	if (j->planned == JOB_PLANNED_SKIP) {
		ret->state = JOB_FINISHED;
		ret->result = JOB_RESULT_SKIPPED;
	}
	return true;
}

struct deps_verdict dependents_judge(const struct core *core, const struct job *j)
{
	struct deps_verdict v;

	deps_judge(&v, j->spec, j->spec_len, dependents_look_up, (void *)core);
	return v;
}

/* each id of an element that is "3" or "3|5" */
static uint64_t next_id(const char **at)
{
	char *end;
	uint64_t id = strtoull(*at, &end, 10);

	*at = *end == '|' ? end + 1 : NULL;
	return id;
}

/* of which it is a job, into buf; NULL: of none */
static const char *service_of(const struct core *core, uint64_t id, char buf[65])
{
	const struct job *j = jobs_find(core->jobs, id);
	unsigned n;

	return j && j->of_service ? job_service(j, buf, &n) : NULL;
}

void dependents_describe(
	const struct core *core, const struct deps_verdict *v, char *buf, size_t size)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	const char *at = v->element;
	char service[65];
	struct dep_job j;
	int r = 0;

	while (at && r >= 0) {
		uint64_t id = next_id(&at);

		const char *name = service_of(core, id, service);

		if (name)
			r = buf_printf(&text, "%sservice '%s' is gone",
				buf_len(&text) ? ", " : "", name);
		else if (dependents_look_up(id, &j, (void *)core))
			r = buf_printf(&text, "%sjob %" PRIu64 " %s",
				buf_len(&text) ? ", " : "", id,
				dep_end_phrase(j.result));
	}
	if (r < 0 || buf_append_byte(&text, '\0') < 0)
		snprintf(buf, size, "what it waited for did not come");
	else
		str_shorten(buf, size, buf_head(&text));
}

static const char *word_of(const struct dep_job *j)
{
	return j->state == JOB_FINISHED ? job_result_name[j->result]
					: job_state_name[j->state];
}

/* "one of 3 (running), 5 (queued)"; "job 3 (running)", or "3 (running)" where jobs were
 * spoken of before */
static int why_element(
	struct buf *out, const struct core *core, const char *element, bool first)
{
	const char *at = element;
	char service[65];
	bool several = strchr(element, '|');
	bool job = first && !service_of(core, strtoull(element, NULL, 10), service);
	struct dep_job j;
	unsigned n = 0;
	int r;

	r = buf_append_str(out, several ? "one of " : job ? "job " : "");
	while (at && r >= 0) {
		uint64_t id = next_id(&at);

		if (!dependents_look_up(id, &j, (void *)core))
			continue;
		if (n++ >= WHY_JOBS_MAX)
			continue;
		if (service_of(core, id, service))
			r = buf_printf(out, "%sservice '%s' (not ready)",
				n > 1 ? ", " : "", service);
		else
			r = buf_printf(out, "%s%" PRIu64 " (%s)", n > 1 ? ", " : "", id,
				word_of(&j));
	}
	if (r >= 0 && n > WHY_JOBS_MAX)
		r = buf_printf(out, " and %u more", n - WHY_JOBS_MAX);
	return r;
}

/* of one list those that are open */
static int why_kind(struct buf *out, const struct core *core, const struct job *j,
	enum dep_kind kind)
{
	static const char *const what[] = {[DEP_AFTER] = "",
		[DEP_AFTER_ANY] = "the end of ",
		[DEP_AFTER_FAILURE] = "the failure of "};
	struct deps_walk w;
	enum dep_kind k;
	const char *element;
	unsigned n = 0;
	int r = 0;

	deps_walk_init(&w, j->spec, j->spec_len);
	while (r >= 0 && deps_walk_next(&w, &k, &element) > 0) {
		if (k != kind || dep_judge_element(k, element, dependents_look_up,
					 (void *)core) != DEP_OPEN)
			continue;
		if (n++ >= WHY_JOBS_MAX)
			continue;
		if (n == 1)
			r = buf_printf(out, "%s%s", buf_len(out) ? ", for " : "for ",
				what[kind]);
		else
			r = buf_append_str(out, " and ");
		if (r >= 0)
			r = why_element(out, core, element, n == 1);
	}
	if (r >= 0 && n > WHY_JOBS_MAX)
		r = buf_printf(out, " and %u more", n - WHY_JOBS_MAX);
	return r;
}

const char *dependents_why(
	const struct core *core, const struct job *j, char *buf, size_t size)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = 0;

	for (int k = 0; k < DEP_KIND_N && r >= 0; k++)
		r = why_kind(&text, core, j, (enum dep_kind)k);
	if (r >= 0)
		r = buf_append_byte(&text, '\0');
	if (r < 0 || buf_len(&text) == 1)
		snprintf(buf, size, "it is about to go on");
	else
		snprintf(buf, size, "it waits %s", buf_head(&text));
	return buf;
}

rv_lock *dependents_changes(struct dependents *d)
{
	return &d->changes;
}

/* ---- what is to be looked at -------------------------------------------------------- */

void dependents_look_at_all(struct dependents *d)
{
	d->look_at_all = true;
	rv_event_set(&d->work);
}

static int push(struct dependents *d, uint64_t id)
{
	if (d->first == d->n)
		d->first = d->n = 0;
	if (d->n == d->n_max && d->first > d->n / 2) {
		memmove(d->line, d->line + d->first,
			(d->n - d->first) * sizeof(*d->line));
		d->n -= d->first;
		d->first = 0;
	}
	if (d->n == d->n_max) {
		size_t n = d->n_max ? 2 * d->n_max : 64;
		uint64_t *v = reallocarray(d->line, n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		d->line = v;
		d->n_max = n;
	}
	d->line[d->n++] = id;
	return 0;
}

void dependents_look(struct dependents *d, const struct job *j)
{
	if (push(d, j->id) < 0)
		d->look_at_all = true;
	rv_event_set(&d->work);
}

/* ---- what becomes of them ----------------------------------------------------------- */

/* Not committed: that it may start follows from the records, also after a restart. */
static void become_ready(struct core *core, struct job *j)
{
	struct store_job rec;

	job_record(j, &rec);
	job_record_ready(j, core->clock, &rec);
	job_publish(core->jobs, j, &rec);
	scheduler_place(core->scheduler, j);
}

static int plan_skip(struct dependents *d, struct job *j, const struct deps_verdict *v)
{
	struct planned_skip *p = &d->skips[d->n_skips];
	char reason[JOB_REASON_MAX];
	int r;

	if (!d->txn && !(d->txn = txn_new()))
		return -ENOMEM;
	dependents_describe(d->core, v, reason, sizeof(reason));
	job_record(j, &p->rec);
	p->rec.state = JOB_FINISHED;
	p->rec.result = JOB_RESULT_SKIPPED;
	p->rec.started_usec = 0; /* of a run before: it has not run again */
	p->rec.finished_usec = clock_wall_usec(d->core->clock);
	p->rec.due_usec = 0;
	p->reason = strdup(reason);
	p->rec.reason = p->reason;
	r = p->reason ? 0 : -ENOMEM;
	/* those who wait for it are looked at before this is committed: one transaction */
	if (r >= 0 && j->dependents)
		r = push(d, j->id);
	if (r >= 0)
		r = callbacks_record_end(d->core, j, &p->rec, d->txn);
	if (r < 0) {
		free(p->reason);
		return r;
	}
	p->job = j;
	j->planned = JOB_PLANNED_SKIP;
	job_begin(d->core->jobs, j);
	d->n_skips++;
	return 0;
}

static int commit_skips(struct dependents *d)
{
	struct core *core = d->core;
	int r;

	if (!d->n_skips)
		return 0;
	FAILPOINT("reeved-before-skip-commit");
	r = committer_commit(core->committer, TAKE_PTR(d->txn), COMMIT_MUST);
	FAILPOINT("reeved-skip-committed");
	for (size_t i = 0; i < d->n_skips; i++) {
		struct planned_skip *p = &d->skips[i];

		/* one that a damaged store refuses is shown all the same: nobody else
		 * would ever end it */
		if (r < 0)
			callbacks_drop(core, p->job);
		if (r != -RV_ESHUTDOWN)
			job_publish(core->jobs, p->job, &p->rec);
		p->job->planned = JOB_PLANNED_NOTHING;
		job_end(core->jobs, p->job);
		free(p->reason);
	}
	d->n_skips = 0;
	retention_jobs_finished(core->retention);
	return r == -RV_ESHUTDOWN ? r : 0;
}

/* others get their turn; 0, -ECANCELED */
static int breathe(struct dependents *d)
{
	return ++d->n_looked % YIELD_EVERY ? 0 : rv_yield();
}

static int look_at_waiting(struct dependents *d, struct job *j)
{
	struct deps_verdict v;
	int r;

	/* one that is busy is looked at when that is over; one of a service waits for others */
	if (j->state != JOB_WAITING || j->busy || j->of_service)
		return 0;
	v = dependents_judge(d->core, j);
	if (v.state == DEP_OPEN)
		return 0;
	if (v.state == DEP_MET) {
		become_ready(d->core, j);
		return 0;
	}
	r = plan_skip(d, j, &v);
	return r >= 0 && d->n_skips == SKIPS_MAX ? commit_skips(d) : r;
}

static int look_at_dependents(struct dependents *d, uint64_t id)
{
	struct job *on = jobs_find(d->core->jobs, id);
	int r = 0;

	if (!on || !on->dependents)
		return 0;
	on->dependents->n_walks++;
	for (uint32_t i = 0; r >= 0 && on && i < on->dependents->n; i++) {
		struct job *j = jobs_find(d->core->jobs, on->dependents->ids[i]);

		if (j)
			r = look_at_waiting(d, j);
		if (r >= 0)
			r = breathe(d);
		on = jobs_find(d->core->jobs, id);
	}
	if (on)
		on->dependents->n_walks--;
	return r;
}

static int look_at_one(struct dependents *d, uint64_t id)
{
	struct job *j = jobs_find(d->core->jobs, id);
	int r;

	if (!j)
		return 0;
	if (j->state == JOB_FINISHED || j->planned == JOB_PLANNED_SKIP || j->of_service)
		return look_at_dependents(d, id);
	r = look_at_waiting(d, j);
	return r < 0 ? r : breathe(d);
}

static int look_at_each(struct dependents *d)
{
	struct jobs *js = d->core->jobs;
	int r = 0;

	d->look_at_all = false;
	for (struct job *j = jobs_unfinished_at_or_after(js, 1); j && r >= 0;) {
		uint64_t next = j->id + 1;

		r = look_at_waiting(d, j);
		if (r >= 0)
			r = breathe(d);
		j = jobs_unfinished_at_or_after(js, next);
	}
	return r;
}

static int work(struct dependents *d)
{
	int r = d->look_at_all ? look_at_each(d) : 0;

	while (r >= 0 && d->first < d->n)
		r = look_at_one(d, d->line[d->first++]);
	return r < 0 ? r : commit_skips(d);
}

int dependents_main(void *arg)
{
	struct dependents *d = arg;

	for (;;) {
		int r = rv_event_wait(&d->work);

		if (r < 0)
			return r;
		rv_event_clear(&d->work);
		r = work(d);
		if (r == -ECANCELED || r == -RV_ESHUTDOWN)
			return r;
		if (r >= 0)
			continue;
		log_at(LOG_ERR, "job",
			"jobs that wait for others: %s, again in a second",
			rv_strerror(r));
		r = commit_skips(d);
		if (r >= 0)
			r = rv_sleep(RV_SEC(1));
		if (r < 0)
			return r;
		dependents_look_at_all(d);
	}
}
