#include "config.h"

#include "daemon/control_apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/jobs.h"
#include "daemon/retention.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "daemon/supervisor.h"
#include "reeve/task.h"

/* ---- refusals ----------------------------------------------------------------------- */

int apply_refuse(struct apply *a, uint64_t id, const char *name, const char *fmt, ...)
{
	char error[64], text[JOB_REASON_MAX];
	va_list ap;

	if (a->n_refused++ >= APPLY_REFUSALS_MAX)
		return PLAN_REFUSED;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(error, sizeof(error), "io.reeve.Job.%s", name);
	json_writer_object(&a->refusals, NULL);
	json_writer_int(&a->refusals, "id", (int64_t)id);
	json_writer_string(&a->refusals, "error", error);
	json_writer_string(&a->refusals, "message", text);
	json_writer_object_end(&a->refusals);
	return PLAN_REFUSED;
}

static void refuse_error(struct apply *a, uint64_t id, int error, enum job_state state)
{
	if (error == -RV_ESTATE)
		apply_refuse(a, id, "WrongState", "it is %s", job_state_name[state]);
	else
		apply_refuse(a, id, "Unavailable", "%s", rv_strerror(error));
}

/* ---- the end of a chunk ------------------------------------------------------------- */

static void put_parts(struct apply *a, struct planned *p)
{
	envs_put(a->core->envs, TAKE_PTR(p->env));
	p->demand = scheduler_demand_put(a->core->scheduler, p->demand);
	free(TAKE_PTR(p->spec));
	if (p->is_expected)
		jobs_expect_no_more(a->core->jobs, p->job->uid, 1);
	p->is_expected = false;
}

/* the job has what was planned for it; what it had is put back with the plan */
static void swap_parts(struct apply *a, struct planned *p)
{
	struct job *j = p->job;
	struct env_set *env = j->env;

	if (p->env) {
		j->env = p->env;
		p->env = env;
	}
	if (p->demand)
		job_swap_demand(j, &p->demand);
	if (p->spec)
		jobs_respec(a->core->jobs, j, TAKE_PTR(p->spec), p->spec_len);
}

static void publish(struct apply *a, struct planned *p)
{
	struct job *j = p->job;
	bool respec = p->spec != NULL;

	swap_parts(a, p);
	if (p->rec.due_usec && p->rec.due_usec != j->due_usec)
		job_set_due(j, a->core->clock, p->rec.due_usec);
	job_publish(a->core->jobs, j, &p->rec);
	if (respec && deadlines_add(a->core->deadlines, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: the deadline of job %" PRIu64
			" counts after a restart only",
			j->id);
	a->n++;
}

/* Its end cannot be shown yet: it is recorded after this. But the run may be left to the
 * next daemon, which finds what it is. */
static void end_running(struct apply *a, struct planned *p, int error)
{
	struct job *j = jobs_find(a->core->jobs, p->id);

	if (j && j->run)
		j->run->spec_changing = false;
	if (error < 0) {
		refuse_error(a, p->id, error, JOB_RUNNING);
	} else if (j) {
		if (j->run &&
			run_change_spec(j->run, p->fields, p->spec, p->spec_len) < 0)
			log_at(LOG_ERR, "job",
				"out of memory: the change of job %" PRIu64
				" counts from its next run on",
				j->id);
		jobs_respec(a->core->jobs, j, TAKE_PTR(p->spec), p->spec_len);
		a->n++;
	}
}

static void end_planned(struct apply *a, struct planned *p, int error)
{
	switch (p->plan) {
	case PLAN_NOTE:
		a->n++; /* it has its effect even where the disk is full */
		break;
	case PLAN_RUNNING: end_running(a, p, error); break;
	default:
		if (error < 0)
			refuse_error(a, p->id, error, p->job->state);
		else
			publish(a, p);
		if (p->job->planned)
			dependents_ran_again(a->core, p->job, error >= 0);
		break;
	}
	put_parts(a, p);
	if (p->plan == PLAN_RECORD)
		job_end(a->core->jobs, p->job);
}

/* what was planned is shown, or refused where it was not recorded; no job is busy then */
static void show_chunk(struct apply *a, int error)
{
	bool wake = false;

	for (size_t i = 0; i < a->n_planned; i++) {
		end_planned(a, &a->planned[i], error);
		wake |= a->planned[i].plan == PLAN_RUNNING;
	}
	if (a->verb->chunk_ended)
		a->verb->chunk_ended(a, error >= 0);
	if (a->n_planned)
		retention_jobs_finished(a->core->retention);
	if (wake)
		jobs_wake_waiters(a->core->jobs);
	a->n_planned = 0;
}

int apply_end_chunk(struct apply *a)
{
	int r = 0;

	a->n_looked = 0;
	if (a->n_planned)
		r = committer_commit(a->core->committer, TAKE_PTR(a->txn), 0);
	show_chunk(a, r);
	return r == -ENOMEM ? r : 0;
}

static void abort_chunk(struct apply *a)
{
	for (size_t i = 0; i < a->n_planned; i++) {
		struct planned *p = &a->planned[i];
		struct job *j = p->plan == PLAN_RUNNING
					? jobs_find(a->core->jobs, p->id)
					: NULL;

		if (j && j->run)
			j->run->spec_changing = false;
		if (p->plan == PLAN_RECORD && p->job->planned)
			dependents_ran_again(a->core, p->job, false);
		put_parts(a, p);
		if (p->plan == PLAN_RECORD)
			job_end(a->core->jobs, p->job);
	}
	if (a->verb->chunk_ended)
		a->verb->chunk_ended(a, false);
	a->n_planned = 0;
	txn_free(a->txn);
}

/* ---- one job ------------------------------------------------------------------------ */

/* what there is nothing to record of */
static void take_done(struct apply *a, uint64_t id, int plan, enum job_state state)
{
	if (plan == PLAN_UNCHANGED)
		a->n_unchanged++;
	else if (plan == PLAN_DONE && state != JOB_FINISHED)
		a->n++;
	else if (plan == PLAN_DONE && a->n_finished < APPLY_FINISHED_MAX)
		a->finished[a->n_finished++] = id;
}

static int refuse_service(struct apply *a, const struct job *j)
{
	char name[65];
	unsigned instance;

	return apply_refuse(a, j->id, "WrongState",
		"it is of the service '%s': see reeve service",
		job_service(j, name, &instance));
}

static int plan_job(struct apply *a, struct job *j)
{
	struct planned *p = &a->planned[a->n_planned];
	enum job_state state = j->state;
	int r;

	if (!a->txn && !(a->txn = txn_new()))
		return -ENOMEM;
	*p = (struct planned){.job = j, .id = j->id};
	job_record(j, &p->rec);
	r = j->of_service ? refuse_service(a, j) : a->verb->plan(a, j, p);
	if (r != PLAN_RECORD && r != PLAN_NOTE && r != PLAN_RUNNING) {
		put_parts(a, p);
		if (r < 0)
			refuse_error(a, j->id, r, state);
		else
			take_done(a, j->id, r, state);
		return 0;
	}
	p->plan = (enum plan)r;
	p->rec.spec = p->spec;
	p->rec.spec_len = p->spec_len;
	if (callbacks_record_end(a->core, j, &p->rec, a->txn) < 0) {
		put_parts(a, p);
		return -ENOMEM;
	}
	if (p->plan == PLAN_RECORD)
		job_begin(a->core->jobs, j);
	else if (p->plan == PLAN_RUNNING)
		j->run->spec_changing = true;
	a->n_planned++;
	r = a->verb->follow ? a->verb->follow(a, j) : 0;
	if (r == -RV_ELIMIT) {
		/* some of it is in the transaction: none of the chunk happens */
		a->txn = txn_free(a->txn);
		show_chunk(a, r);
		return 0;
	}
	if (r < 0)
		return r;
	return a->n_planned == APPLY_CHUNK ? apply_end_chunk(a) : 0;
}

static int await_recall(struct apply *a, struct job **j)
{
	int r;

	if (!(*j)->run || !(*j)->run->ahead)
		return 0;
	r = apply_end_chunk(a); /* what was planned must not wait for this */
	return r < 0 ? r : supervisor_recall(a->core, (*j)->id, j);
}

/* What is planned from a spec is lost when another change of it comes in between. */
static int await_spec(struct apply *a, struct job **j)
{
	uint64_t id = (*j)->id;
	int r = 0;

	if (!a->verb->changes_spec || !(*j)->run || !(*j)->run->spec_changing)
		return 0;
	r = apply_end_chunk(a);
	while (r >= 0 && (*j = jobs_find(a->core->jobs, id)) && (*j)->run &&
		(*j)->run->spec_changing)
		r = jobs_wait_change(a->core->jobs);
	return r;
}

/* Until it is known what the job does; *j is NULL then if it is gone, or refused. */
static int await_settled(struct apply *a, struct job **j)
{
	uint64_t id = (*j)->id;
	int r;

	for (;;) {
		r = a->verb->recalls ? await_recall(a, j) : 0;
		if (r >= 0 && *j)
			r = await_spec(a, j);
		if (r < 0)
			return r;
		if (!*j || !jobs_is_unsettled(a->core->jobs, *j))
			return 0;
		/* another change of it is under way, maybe one of this very chunk */
		r = apply_end_chunk(a);
		if (r < 0)
			return r;
		r = jobs_wait_idle(a->core->jobs, id, j);
		if (r == -ECANCELED)
			return r;
		if (r < 0) /* it ended, which cannot be recorded now */
			refuse_error(a, id, r, JOB_FINISHED);
		if (r <= 0) {
			*j = NULL;
			return 0;
		}
	}
}

/* Those with which there is nothing to do fill no chunk, and may be a million. What was
 * planned is committed before: it says what jobs are now. */
static int give_turn(struct apply *a)
{
	if (a->n_planned)
		return apply_end_chunk(a);
	a->n_looked = 0;
	return rv_yield();
}

int apply_to_one(struct apply *a, uint64_t id)
{
	int r = a->n_looked == APPLY_CHUNK ? give_turn(a) : 0;
	struct job *j;

	if (r < 0)
		return r;
	a->n_looked++;
	j = jobs_find(a->core->jobs, id);
	r = j ? await_settled(a, &j) : 0;
	return r == 0 && j ? plan_job(a, j) : r;
}

/* ---- all of them -------------------------------------------------------------------- */

static int apply_to_all(struct apply *a, const struct selection *sel)
{
	int r = 0;

	a->n_selected = sel->n_ids;
	if (a->verb->to_all)
		r = a->verb->to_all(a, sel);
	for (size_t i = 0; i < sel->n_ids && !a->verb->to_all && r >= 0; i++)
		r = apply_to_one(a, sel->ids[i]);
	return r < 0 ? r : apply_end_chunk(a);
}

static int reply(struct apply *a)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r;

	json_writer_array_end(&a->refusals);
	r = json_writer_end(&a->refusals);
	if (r >= 0)
		r = buf_printf(&text, "{\"n\":%" PRId64, a->n);
	if (r >= 0 && a->verb->tells_unchanged)
		r = buf_printf(&text, ",\"unchanged\":%" PRId64, a->n_unchanged);
	if (r >= 0)
		r = buf_append_str(&text, ",\"refused\":");
	if (r >= 0)
		r = buf_append(
			&text, buf_head(&a->refusals_text), buf_len(&a->refusals_text));
	for (unsigned i = 0; i < a->n_finished && r >= 0; i++)
		r = buf_printf(&text, "%s%" PRIu64, i ? "," : ",\"finished\":[",
			a->finished[i]);
	if (r >= 0)
		r = buf_append_str(&text, a->n_finished ? "]}" : "}");
	return r < 0 ? r
		     : vl_call_reply_text(
			       a->call, buf_head(&text), buf_len(&text), false);
}

static struct apply *apply_new(
	struct control_conn *conn, const struct apply_verb *verb, void *arg)
{
	struct apply *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->conn = conn;
	a->core = control_core(conn->control);
	a->verb = verb;
	a->arg = arg;
	json_writer_init(&a->refusals, &a->refusals_text);
	json_writer_array(&a->refusals, NULL);
	return a;
}

static struct apply *apply_free(struct apply *a)
{
	if (!a)
		return NULL;
	abort_chunk(a);
	buf_deinit(&a->refusals_text);
	free(a);
	return NULL;
}
DEFINE_CLEANUP(struct apply *, apply_free)

int control_apply(struct control_conn *conn, struct vl_call *call,
	const struct apply_verb *verb, void *arg)
{
	_cleanup_(apply_freep) struct apply *a = apply_new(conn, verb, arg);
	struct selection sel;
	int r;

	if (!a)
		return -ENOMEM;
	a->call = call;
	r = select_decode(&sel, conn, call,
		json_object_get(vl_call_params(call), "select"),
		SELECT_AD_HOC | SELECT_ACTS);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	r = select_resolve(&sel, conn);
	if (r >= 0)
		r = apply_to_all(a, &sel);
	if (r >= 0)
		r = reply(a);
	selection_deinit(&sel);
	return r;
}

int control_apply_to_ids(struct control_conn *conn, const struct apply_verb *verb,
	void *arg, const uint64_t *ids, size_t n)
{
	_cleanup_(apply_freep) struct apply *a = apply_new(conn, verb, arg);
	struct selection sel = {.n_ids = n};

	if (!a)
		return -ENOMEM;
	sel.ids = (uint64_t *)ids; /* only read */
	return apply_to_all(a, &sel);
}
