/* Verbs for what goes on: cancel, kill, pause and resume. */
#include "config.h"

#include <errno.h>

#include "base/error.h"
#include "daemon/control_apply.h"
#include "daemon/control_job.h"
#include "daemon/core.h"
#include "daemon/run.h"
#include "daemon/supervisor.h"

static void finish_cancelled(struct apply *a, struct store_job *rec)
{
	rec->state = JOB_FINISHED;
	rec->result = JOB_RESULT_CANCELLED;
	rec->started_usec = 0; /* of a run before: what follows was no run */
	rec->finished_usec = clock_wall_usec(a->core->clock);
	rec->due_usec = 0;
	rec->reason = NULL;
}

static int plan_cancel(struct apply *a, struct job *j, struct planned *p)
{
	struct store_job *rec = &p->rec;

	if (j->state == JOB_FINISHED)
		return PLAN_DONE; /* an end in between is no error */
	if (!j->run) {
		finish_cancelled(a, rec);
		return PLAN_RECORD;
	}
	if (j->run->stop == RUN_STOP_CANCEL)
		return PLAN_DONE;
	run_request_stop(j->run, RUN_STOP_CANCEL);
	rec->flags |= STORE_JOB_CANCEL;
	rec->reason = NULL; /* the job's own may be gone before this is written */
	return PLAN_NOTE;
}

static const struct apply_verb verb_cancel = {.plan = plan_cancel};

int control_job_cancel(struct control_conn *conn, struct vl_call *call)
{
	return control_apply(conn, call, &verb_cancel, NULL);
}

int control_cancel_ids(struct control_conn *conn, const uint64_t *ids, size_t n)
{
	return control_apply_to_ids(conn, &verb_cancel, NULL, ids, n);
}

static int plan_kill(struct apply *a, struct job *j, struct planned *p)
{
	const int *sig = a->arg;

	if (j->state == JOB_FINISHED)
		return PLAN_DONE;
	if (!j->run || !j->run->started || j->is_function)
		return -RV_ESTATE;
	return run_signal(j->run, *sig);
}

int control_job_kill(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {.plan = plan_kill};
	const char *text =
		json_string_value(json_object_get(vl_call_params(call), "signal"));
	int sig = signal_parse(text ? text : "TERM");

	if (sig < 0)
		return vl_call_invalid(call, "signal", "no such signal");
	return control_apply(conn, call, &verb, &sig);
}

static int plan_pause(struct apply *a, struct job *j, struct planned *p)
{
	/* its resume may be on the way still */
	if (j->state == JOB_PAUSED && j->run && !j->run->pause_wanted)
		run_request_pause(j->run, true);
	if (j->state == JOB_PAUSED)
		return PLAN_DONE;
	if (j->state != JOB_RUNNING || j->is_function)
		return -RV_ESTATE;
	if (j->run->spawner_gone)
		return -EOPNOTSUPP; /* its whole tree can be stopped only by its spawner */
	run_request_pause(j->run, true);
	return PLAN_DONE;
}

int control_job_pause(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {.plan = plan_pause};

	return control_apply(conn, call, &verb, NULL);
}

static int plan_resume(struct apply *a, struct job *j, struct planned *p)
{
	if (j->state == JOB_RUNNING && j->run->pause_wanted)
		run_request_pause(j->run, false);
	if (j->state == JOB_RUNNING)
		return PLAN_DONE;
	if (j->state != JOB_PAUSED)
		return -RV_ESTATE;
	run_request_pause(j->run, false);
	return PLAN_DONE;
}

int control_job_resume(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {.plan = plan_resume};

	return control_apply(conn, call, &verb, NULL);
}
