#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "base/strv.h"
#include "config/configuration.h"
#include "daemon/app.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/jobs.h"
#include "daemon/retention.h"
#include "daemon/scheduler.h"
#include "daemon/spawner_link.h"
#include "daemon/supervisor.h"
#include "job/env_filter.h"
#include "varlink/bytes_field.h"
#include "varlink/json_write.h"

enum {
	CHUNK = 500,        /* jobs in one transaction */
	REFUSALS_MAX = 500, /* told one by one; more are only counted */
	FINISHED_MAX = 500, /* the same */
};

struct act;

enum plan {
	PLAN_DONE =
		0, /* nothing to record: a request was made, or there is nothing to do */
	PLAN_RECORD = 1, /* the record was changed: commit it, then publish */
	PLAN_NOTE = 2,   /* the same, but its effect does not wait for it */
			 /* negative: refused */
};

struct planned {
	struct job *job;
	struct store_job rec;
	/* new ones, ours until they are the job's; NULL: as they are */
	struct env_set *env;
	struct demand *demand;
	void *spec; /* packed */
	size_t spec_len;
	bool drops_deadline;
	bool only_note;
};

/* Decides what a verb means for one job; changes p->rec, may ask the job's run. */
typedef int (*plan_fn)(struct act *a, struct job *j, struct planned *p);

struct act {
	struct control_conn *conn;
	struct vl_call *call;
	struct core *core;
	plan_fn plan;
	int signal;                   /* kill */
	char refusal[JOB_REASON_MAX]; /* set by plan when it says more than its error */
	char **env; /* retry: the caller's of today; NULL: as it was */
	size_t n_selected;
	int64_t place; /* move: of the next one, once place_chosen */
	bool place_chosen;
	bool last; /* move: behind all others, not before them */
	int64_t n;
	struct json_writer refusals;
	struct buf refusals_text;
	unsigned n_refused;
	uint64_t finished[FINISHED_MAX]; /* ids of jobs that were over before */
	unsigned n_finished;
	/* retry: who was skipped because of those, and waits again; all of them so far, by id */
	struct hashmap *waits_again;
	/* the chunk under way */
	struct revival revival;
	struct planned planned[CHUNK];
	size_t n_planned;
	struct txn *txn;
};

static void refuse(struct act *a, uint64_t id, int error, enum job_state state)
{
	char text[JOB_REASON_MAX];

	if (a->n_refused++ >= REFUSALS_MAX)
		return;
	if (a->refusal[0])
		snprintf(text, sizeof(text), "%s", a->refusal);
	else if (error == -RV_ESTATE)
		snprintf(text, sizeof(text), "it is %s", job_state_name[state]);
	else
		snprintf(text, sizeof(text), "%s", rv_strerror(error));
	json_writer_object(&a->refusals, NULL);
	json_writer_int(&a->refusals, "id", (int64_t)id);
	json_writer_string(&a->refusals, "error",
		error == -RV_ESTATE ? "io.reeve.Job.WrongState"
				    : "io.reeve.Job.Unavailable");
	json_writer_string(&a->refusals, "message", text);
	json_writer_object_end(&a->refusals);
}

/* the job has what was planned for it; what it had is put back with the plan */
static void swap_parts(struct planned *p)
{
	struct env_set *env = p->job->env;

	if (p->env) {
		p->job->env = p->env;
		p->env = env;
	}
	if (p->demand)
		job_swap_demand(p->job, &p->demand);
	if (p->spec) {
		void *spec = p->job->spec;

		p->job->spec = p->spec;
		p->job->spec_len = (uint32_t)p->spec_len;
		p->job->has_deadline &= !p->drops_deadline;
		p->spec = spec;
	}
}

static void put_parts(struct act *a, struct planned *p)
{
	envs_put(a->core->envs, TAKE_PTR(p->env));
	p->demand = scheduler_demand_put(a->core->scheduler, p->demand);
	free(TAKE_PTR(p->spec));
}

/* commit what was planned, then show it; jobs are not busy afterwards */
static int end_chunk(struct act *a)
{
	int r = 0;

	if (a->n_planned)
		r = committer_commit(a->core->committer, TAKE_PTR(a->txn), 0);
	for (size_t i = 0; i < a->n_planned; i++) {
		struct planned *p = &a->planned[i];

		if (p->only_note) {
			a->n++; /* it has its effect even where the disk is full */
			continue;
		}
		if (r >= 0) {
			swap_parts(p);
			job_publish(a->core->jobs, p->job, &p->rec);
			a->n++;
		} else {
			refuse(a, p->job->id, r, p->job->state);
		}
		if (p->job->planned)
			dependents_ran_again(a->core, p->job, r >= 0);
		put_parts(a, p);
		job_end(a->core->jobs, p->job);
	}
	dependents_revived(a->core, &a->revival, r >= 0);
	if (a->n_planned)
		retention_jobs_finished(a->core->retention);
	a->n_planned = 0;
	return r == -ENOMEM ? r : 0;
}

static int plan_hold(struct act *a, struct job *j, struct planned *p);
static int plan_force(struct act *a, struct job *j, struct planned *p);
static int plan_retry(struct act *a, struct job *j, struct planned *p);

/* unfinished jobs that there may still be, of all and of one user */
static size_t room_for_jobs(const struct act *a, uint32_t uid)
{
	const struct config *cf = a->core->config;
	int64_t planned = (int64_t)(a->n_planned + a->revival.n);
	int64_t all = config_num(cf, JOBS_MAX) - planned -
		      (int64_t)jobs_unfinished(a->core->jobs);
	int64_t own = config_num(cf, JOBS_PER_USER_MAX) - planned -
		      (int64_t)jobs_unfinished_of(a->core->jobs, uid);

	return (size_t)MAX(MIN(all, own), INT64_C(0));
}

/* Those that were skipped because of it wait again, in the same transaction. */
static int revive_skipped(struct act *a, struct job *j)
{
	size_t n = a->revival.n;
	int r = a->waits_again ? 0 : hashmap_new(&a->waits_again, HASHMAP_U64);

	if (r >= 0)
		r = dependents_revive(
			a->core, j, a->txn, &a->revival, n + room_for_jobs(a, j->uid));
	for (; n < a->revival.n && r >= 0; n++)
		r = hashmap_put_u64(a->waits_again, a->revival.jobs[n]->id, a);
	return r == -EEXIST ? 0 : r;
}

static int plan_job(struct act *a, struct job *j)
{
	struct planned *p = &a->planned[a->n_planned];
	enum job_state state = j->state;
	int r;

	if (!a->txn && !(a->txn = txn_new()))
		return -ENOMEM;
	job_record(j, &p->rec);
	p->env = NULL;
	p->demand = NULL;
	p->spec = NULL;
	p->drops_deadline = false;
	a->refusal[0] = '\0';
	r = a->plan(a, j, p);
	if (r < 0) {
		put_parts(a, p);
		refuse(a, j->id, r, state);
		a->refusal[0] = '\0';
		return 0;
	}
	if (r == PLAN_DONE) {
		if (state != JOB_FINISHED)
			a->n++;
		else if (a->n_finished < FINISHED_MAX)
			a->finished[a->n_finished++] = j->id;
		return 0;
	}
	p->rec.spec = p->spec;
	p->rec.spec_len = p->spec_len;
	if (callbacks_record_end(a->core, j, &p->rec, a->txn) < 0) {
		put_parts(a, p);
		return -ENOMEM;
	}
	p->job = j;
	p->only_note = r == PLAN_NOTE;
	if (!p->only_note)
		job_begin(a->core->jobs, j);
	a->n_planned++;
	if (a->plan == plan_retry && j->dependents)
		r = revive_skipped(a, j);
	if (r < 0)
		return r;
	return a->n_planned == CHUNK ? end_chunk(a) : 0;
}

/* One that was only started ahead has not begun: it is taken back, unless it begins. */
static int await_recall(struct act *a, struct job **j)
{
	uint64_t id = (*j)->id;
	int r;

	if (!(*j)->run || !(*j)->run->ahead)
		return 0;
	r = end_chunk(a); /* what was planned must not wait for this */
	if (r < 0)
		return r;
	while ((*j = jobs_find(a->core->jobs, id)) && (*j)->run && (*j)->run->ahead &&
		spawner_link_is_ready(a->core->spawner)) {
		run_request_recall((*j)->run);
		r = jobs_wait_change(a->core->jobs);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Until it is known what the job does; *j is NULL then if it is gone, or refused. */
static int await_settled(struct act *a, struct job **j)
{
	uint64_t id = (*j)->id;
	int r;

	for (;;) {
		if ((a->plan == plan_hold || a->plan == plan_force) &&
			(r = await_recall(a, j)) < 0)
			return r;
		if (!*j || !jobs_is_unsettled(a->core->jobs, *j))
			return 0;
		/* another change of it is under way, maybe one of this very chunk */
		r = end_chunk(a);
		if (r < 0)
			return r;
		r = jobs_wait_idle(a->core->jobs, id, j);
		if (r == -ECANCELED)
			return r;
		if (r < 0) /* it ended, which cannot be recorded now */
			refuse(a, id, r, JOB_FINISHED);
		if (r <= 0) {
			*j = NULL;
			return 0;
		}
	}
}

static int act_on_one(struct act *a, uint64_t id)
{
	struct job *j = jobs_find(a->core->jobs, id);
	int r = j ? await_settled(a, &j) : 0;

	return r == 0 && j ? plan_job(a, j) : r;
}

static int act_on(struct act *a, const struct selection *sel)
{
	for (size_t i = 0; i < sel->n_ids; i++) {
		int r = act_on_one(a, sel->ids[i]);

		if (r < 0)
			return r;
	}
	return end_chunk(a);
}

/* Those first that were not skipped: because of them others wait again, and are done. */
static int act_on_skipped_last(struct act *a, const struct selection *sel)
{
	_cleanup_free_ bool *later = calloc(sel->n_ids + 1, sizeof(*later));
	int r = later ? 0 : -ENOMEM;

	for (size_t i = 0; i < sel->n_ids && r >= 0; i++) {
		const struct job *j = jobs_find(a->core->jobs, sel->ids[i]);

		later[i] = j && j->state == JOB_FINISHED &&
			   j->result == JOB_RESULT_SKIPPED;
		if (!later[i])
			r = act_on_one(a, sel->ids[i]);
	}
	for (size_t i = 0; i < sel->n_ids && r >= 0; i++) {
		if (later[i] && a->waits_again &&
			hashmap_get_u64(a->waits_again, sel->ids[i]))
			a->n++;
		else if (later[i])
			r = act_on_one(a, sel->ids[i]);
	}
	return r < 0 ? r : end_chunk(a);
}

static void abort_chunk(struct act *a)
{
	for (size_t i = 0; i < a->n_planned; i++) {
		if (a->planned[i].only_note)
			continue;
		if (a->planned[i].job->planned)
			dependents_ran_again(a->core, a->planned[i].job, false);
		put_parts(a, &a->planned[i]);
		job_end(a->core->jobs, a->planned[i].job);
	}
	dependents_revived(a->core, &a->revival, false);
	hashmap_free(a->waits_again);
	txn_free(a->txn);
}

static int reply(struct act *a)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r;

	json_writer_array_end(&a->refusals);
	r = json_writer_end(&a->refusals);
	if (r >= 0)
		r = buf_printf(&text, "{\"n\":%" PRId64 ",\"refused\":", a->n);
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

static int run_act(struct act *a)
{
	const json_t *params = vl_call_params(a->call);
	struct selection sel;
	int r;

	r = select_decode(
		&sel, a->conn, a->call, json_object_get(params, "select"), SELECT_ACTS);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	json_writer_init(&a->refusals, &a->refusals_text);
	json_writer_array(&a->refusals, NULL);
	r = select_resolve(&sel, a->conn);
	a->n_selected = sel.n_ids;
	if (r >= 0)
		r = a->plan == plan_retry ? act_on_skipped_last(a, &sel)
					  : act_on(a, &sel);
	abort_chunk(a);
	if (r >= 0)
		r = reply(a);
	selection_deinit(&sel);
	buf_deinit(&a->refusals_text);
	return r;
}

static int act(struct control_conn *conn, struct vl_call *call, plan_fn plan,
	int signal, char **env)
{
	_cleanup_free_ struct act *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->conn = conn;
	a->call = call;
	a->core = control_core(conn->control);
	a->plan = plan;
	a->signal = signal;
	a->env = env;
	return run_act(a);
}

/* ---- what each verb means ---------------------------------------------------------------- */

static void finish_cancelled(struct act *a, struct store_job *rec)
{
	rec->state = JOB_FINISHED;
	rec->result = JOB_RESULT_CANCELLED;
	rec->finished_usec = clock_wall_usec(a->core->clock);
	rec->due_usec = 0;
	rec->reason = NULL;
}

static int plan_cancel(struct act *a, struct job *j, struct planned *p)
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

static int plan_kill(struct act *a, struct job *j, struct planned *p)
{
	if (j->state == JOB_FINISHED)
		return PLAN_DONE;
	if (!j->run || !j->run->started || j->is_function)
		return -RV_ESTATE;
	return run_signal(j->run, a->signal);
}

static int plan_pause(struct act *a, struct job *j, struct planned *p)
{
	if (j->state == JOB_PAUSED)
		return PLAN_DONE;
	if (j->state != JOB_RUNNING || j->is_function)
		return -RV_ESTATE;
	if (j->run->spawner_gone)
		return -EOPNOTSUPP; /* its whole tree can be stopped only by its spawner */
	run_request_pause(j->run, true);
	return PLAN_DONE;
}

static int plan_resume(struct act *a, struct job *j, struct planned *p)
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

static int plan_hold(struct act *a, struct job *j, struct planned *p)
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

static int plan_release(struct act *a, struct job *j, struct planned *p)
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

/* today's environment through the job's own filters, in the transaction that refers to it */
static int plan_env(struct act *a, struct job *j, struct planned *p)
{
	_cleanup_(strv_freep) char **v = NULL;
	struct job_spec spec;
	int r;

	r = job_spec_get(j, &spec);
	if (r < 0)
		return r;
	r = env_filter(&v, a->env, job_strv(&spec, ENV_PASS), job_strv(&spec, ENV_DROP),
		!a->core->system_mode);
	job_spec_deinit(&spec);
	if (r >= 0)
		r = envs_get(a->core->envs, &p->env, v, a->txn);
	if (r < 0)
		return r;
	p->rec.env_id = p->env->id;
	return PLAN_RECORD;
}

/* one that is finished asks for nothing: now it does again */
static int plan_demand(struct act *a, struct job *j, struct planned *p)
{
	struct job_spec spec;
	int r = job_spec_get(j, &spec);

	if (r < 0)
		return r;
	r = scheduler_demand(a->core->scheduler, &spec, &p->demand);
	/* who runs it again wants it to run, though its deadline has passed */
	if (r >= 0 && j->has_deadline && j->n_runs == 0) {
		job_spec_unset(&spec, JOB_FIELD_DEADLINE);
		p->drops_deadline = true;
		r = job_spec_pack(&p->spec, &p->spec_len, &spec);
	}
	job_spec_deinit(&spec);
	return r;
}

/* One that was skipped, and would be that again, is told what is in its way. */
static int refuse_skipped(struct act *a, const struct job *j)
{
	struct deps_verdict v;
	char why[JOB_REASON_MAX - 64];

	if (!j->has_deps)
		return 0;
	v = dependents_judge(a->core, j);
	if (v.state != DEP_IMPOSSIBLE)
		return 0;
	dependents_describe(a->core, &v, why, sizeof(why));
	snprintf(a->refusal, sizeof(a->refusal), "it would be skipped: %s", why);
	return -RV_ESTATE;
}

static int plan_retry(struct act *a, struct job *j, struct planned *p)
{
	int r;

	if (j->state != JOB_FINISHED)
		return -RV_ESTATE;
	if (room_for_jobs(a, j->uid) == 0)
		return -RV_ELIMIT;
	r = refuse_skipped(a, j);
	if (r >= 0)
		r = plan_demand(a, j, p);
	if (r < 0)
		return r;
	job_record_again(j, &p->rec);
	return a->env ? plan_env(a, j, p) : PLAN_RECORD;
}

/* It asks for what it asked for, but without waiting for it. */
static int plan_forced_spec(struct act *a, struct job *j, struct planned *p)
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

static int plan_force(struct act *a, struct job *j, struct planned *p)
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

/* Several keep their order among themselves. */
static int plan_move(struct act *a, struct job *j, struct planned *p)
{
	if (j->state == JOB_FINISHED || job_state_is_active((enum job_state)j->state))
		return -RV_ESTATE;
	if (!a->place_chosen)
		a->place = a->last ? jobs_place_last(a->core->jobs) + 1
				   : jobs_place_first(a->core->jobs) -
					     (int64_t)a->n_selected;
	a->place_chosen = true;
	if (a->place < INT32_MIN || a->place > INT32_MAX)
		return -RV_ELIMIT;
	p->rec.place = a->place++;
	return PLAN_RECORD;
}

/* ---- the handlers ------------------------------------------------------------------------ */

int control_job_cancel(struct control_conn *conn, struct vl_call *call)
{
	return act(conn, call, plan_cancel, 0, NULL);
}

int control_cancel_ids(struct control_conn *conn, const uint64_t *ids, size_t n)
{
	_cleanup_free_ struct act *a = calloc(1, sizeof(*a));
	struct selection sel = {.n_ids = n};
	int r;

	if (!a)
		return -ENOMEM;
	sel.ids = (uint64_t *)ids; /* only read */
	a->conn = conn;
	a->core = control_core(conn->control);
	a->plan = plan_cancel;
	json_writer_init(&a->refusals, &a->refusals_text);
	json_writer_array(&a->refusals, NULL);
	r = act_on(a, &sel);
	abort_chunk(a);
	buf_deinit(&a->refusals_text);
	return r;
}

int control_job_kill(struct control_conn *conn, struct vl_call *call)
{
	const char *text =
		json_string_value(json_object_get(vl_call_params(call), "signal"));
	int sig = signal_parse(text ? text : "TERM");

	if (sig < 0)
		return vl_call_invalid(call, "signal", "no such signal");
	return act(conn, call, plan_kill, sig, NULL);
}

int control_job_pause(struct control_conn *conn, struct vl_call *call)
{
	return act(conn, call, plan_pause, 0, NULL);
}

int control_job_resume(struct control_conn *conn, struct vl_call *call)
{
	return act(conn, call, plan_resume, 0, NULL);
}

int control_job_hold(struct control_conn *conn, struct vl_call *call)
{
	return act(conn, call, plan_hold, 0, NULL);
}

int control_job_release(struct control_conn *conn, struct vl_call *call)
{
	return act(conn, call, plan_release, 0, NULL);
}

int control_job_retry(struct control_conn *conn, struct vl_call *call)
{
	_cleanup_(strv_freep) char **env = NULL;
	struct vl_fault fault;
	int r;

	r = vl_get_bytes_array(vl_call_params(call), "env", &env, &fault);
	if (r == -EINVAL)
		return vl_call_invalid(call, fault.path, fault.reason);
	if (r < 0)
		return r;
	if (control_check_env(call, env) < 0)
		return 0;
	return act(conn, call, plan_retry, 0, env);
}

/* The limits of pools, and the order of all, are the administrators'. */
static bool may_overrule(const struct control_conn *conn)
{
	return conn->is_admin || !control_core(conn->control)->system_mode;
}

int control_job_force(struct control_conn *conn, struct vl_call *call)
{
	if (!may_overrule(conn))
		return vl_call_denied(call);
	return act(conn, call, plan_force, 0, NULL);
}

int control_job_move(struct control_conn *conn, struct vl_call *call)
{
	_cleanup_free_ struct act *a = calloc(1, sizeof(*a));
	const char *where =
		json_string_value(json_object_get(vl_call_params(call), "where"));

	if (!may_overrule(conn))
		return vl_call_denied(call);
	if (!a)
		return -ENOMEM;
	a->conn = conn;
	a->call = call;
	a->core = control_core(conn->control);
	a->plan = plan_move;
	a->last = STREQ(where, "last");
	return run_act(a);
}
