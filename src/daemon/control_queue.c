/* Verbs for what waits: hold, release, force and move. */
#include "config.h"

#include <errno.h>
#include <stdint.h>

#include "base/error.h"
#include "base/macro.h"
#include "daemon/control_apply.h"
#include "daemon/control_job.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"

static int plan_hold(struct apply *a, struct job *j, struct planned *p)
{
	struct store_job *rec = &p->rec;

	if (j->state == JOB_HELD)
		return PLAN_DONE;
	if (!job_may_go[j->state][JOB_HELD] || job_state_is_active(j->state) ||
		j->state == JOB_FINISHED)
		return -RV_ESTATE;
	rec->state = JOB_HELD;
	rec->due_usec = 0;
	rec->reason = NULL;
	return PLAN_RECORD;
}

int control_job_hold(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {.plan = plan_hold, .recalls = true};

	return control_apply(conn, call, &verb, NULL);
}

static int plan_release(struct apply *a, struct job *j, struct planned *p)
{
	struct store_job *rec = &p->rec;

	if (j->state == JOB_QUEUED || j->state == JOB_DELAYED ||
		j->state == JOB_WAITING)
		return PLAN_DONE;
	if (j->state != JOB_HELD)
		return -RV_ESTATE;
	rec->reason = NULL;
	if (j->has_deps)
		rec->state = JOB_WAITING; /* for what there is left to wait for */
	else
		job_record_ready(j, a->core->clock, rec);
	return PLAN_RECORD;
}

int control_job_release(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {.plan = plan_release};

	return control_apply(conn, call, &verb, NULL);
}

/* ---- out of turn -------------------------------------------------------------------- */

/* The limits of pools, and the order of all, are the administrators'. */
static bool may_overrule(const struct control_conn *conn)
{
	return conn->is_admin || !control_core(conn->control)->system_mode;
}

/* It asks for what it asked for, but without waiting for it. */
static int plan_forced_spec(struct apply *a, struct job *j, struct planned *p)
{
	struct job_spec spec;
	int r = job_spec_get(j, &spec);

	if (r < 0)
		return r;
	r = job_spec_put(&spec, JOB_FIELD_FORCE, (union job_value){.num = 1});
	if (r >= 0)
		r = scheduler_demand(a->core->scheduler, &spec, &p->demand);
	if (r >= 0)
		r = job_spec_pack(&p->spec, &p->spec_len, &spec);
	job_spec_deinit(&spec);
	return r;
}

static int plan_force(struct apply *a, struct job *j, struct planned *p)
{
	int r;

	if (j->state == JOB_FINISHED)
		return -RV_ESTATE;
	if (job_state_is_active((enum job_state)j->state) ||
		(j->state == JOB_QUEUED && j->demand->forced))
		return PLAN_DONE;
	r = plan_forced_spec(a, j, p);
	if (r < 0)
		return r;
	p->rec.state = JOB_QUEUED;
	p->rec.due_usec = 0;
	p->rec.reason = NULL;
	return PLAN_RECORD;
}

int control_job_force(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {
		.plan = plan_force, .recalls = true, .changes_spec = true};

	if (!may_overrule(conn))
		return vl_call_denied(call);
	return control_apply(conn, call, &verb, NULL);
}

struct move {
	bool last;     /* behind all others, not before them */
	int64_t place; /* of the next one, once place_chosen */
	bool place_chosen;
};

/* Several keep their order among themselves. */
static int plan_move(struct apply *a, struct job *j, struct planned *p)
{
	struct move *m = a->arg;

	if (j->state == JOB_FINISHED || job_state_is_active((enum job_state)j->state))
		return -RV_ESTATE;
	if (!m->place_chosen)
		m->place = m->last ? jobs_place_last(a->core->jobs) + 1
				   : jobs_place_first(a->core->jobs) -
					     (int64_t)a->n_selected;
	m->place_chosen = true;
	if (m->place < INT32_MIN || m->place > INT32_MAX)
		return -RV_ELIMIT;
	p->rec.place = m->place++;
	return PLAN_RECORD;
}

int control_job_move(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {.plan = plan_move, .recalls = true};
	struct move m = {.last = STREQ(json_string_value(json_object_get(
					       vl_call_params(call), "where")),
				 "last")};

	if (!may_overrule(conn))
		return vl_call_denied(call);
	return control_apply(conn, call, &verb, &m);
}
