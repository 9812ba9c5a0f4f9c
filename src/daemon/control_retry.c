/* Retry: what is finished runs again, and with it those that were skipped because of it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/configuration.h"
#include "daemon/callbacks.h"
#include "daemon/control_apply.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/job_check.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"
#include "job/env_filter.h"
#include "varlink/bytes_field.h"

struct retry {
	char **env; /* the caller's of today; NULL: as it was */
	/* who was skipped because of those, and waits again; all of them so far, by id */
	struct hashmap *waits_again;
	/* of the chunk under way */
	struct revival revival;
	size_t n_callbacks;
};

/* unfinished jobs that there may still be, of all and of one user */
static size_t room_for_jobs(const struct apply *a, uint32_t uid)
{
	const struct config *cf = a->core->config;
	int64_t all =
		config_num(cf, JOBS_MAX) - (int64_t)jobs_unfinished(a->core->jobs);
	int64_t own = config_num(cf, JOBS_PER_USER_MAX) -
		      (int64_t)jobs_unfinished_of(a->core->jobs, uid);

	return (size_t)MAX(MIN(all, own), INT64_C(0));
}

/* The limit that counts for this one. 0, -RV_ELIMIT */
static int check_room(const struct apply *a, const struct job *j)
{
	const struct retry *rt = a->arg;
	bool has_room = j->is_callback ? callbacks_room(a->core) > rt->n_callbacks
				       : room_for_jobs(a, j->uid) > 0;

	return has_room ? 0 : -RV_ELIMIT;
}

/* ---- one job ------------------------------------------------------------------------ */

/* today's environment through the job's own filters, and the one of the configuration that it
 * names as that is today, in the transaction that refers to it */
static int plan_env(struct apply *a, struct job *j, struct planned *p)
{
	const struct job_maker maker = {a->conn->peer.uid, a->conn->is_admin};
	const struct retry *rt = a->arg;
	_cleanup_(strv_freep) char **v = NULL;
	_cleanup_free_ char *message = NULL;
	struct job_spec spec;
	int r;

	r = job_spec_get(j, &spec);
	if (r < 0)
		return r;
	r = env_filter(&v, rt->env, job_strv(&spec, ENV_PASS),
		job_strv(&spec, ENV_DROP), !a->core->system_mode);
	if (r >= 0)
		r = job_check_environment(a->core, &spec, &maker, &message);
	if (r >= 0 && job_str(&spec, ENVIRONMENT))
		r = environment_variables(
			&v, a->core->config, job_str(&spec, ENVIRONMENT));
	job_spec_deinit(&spec);
	if (message)
		return apply_refuse(a, j->id, "Invalid", "environment: %s", message);
	if (r >= 0)
		r = envs_get(a->core->envs, &p->env, v, a->txn);
	if (r < 0)
		return r;
	p->rec.env_id = p->env->id;
	return PLAN_RECORD;
}

/* one that is finished asks for nothing: now it does again */
static int plan_demand(struct apply *a, struct job *j, struct planned *p)
{
	struct job_spec spec;
	int r = job_spec_get(j, &spec);

	if (r < 0)
		return r;
	r = scheduler_demand(a->core->scheduler, &spec, &p->demand);
	/* who runs it again wants it to run, though its deadline has passed */
	if (r >= 0 && j->has_deadline && j->n_runs == 0) {
		job_spec_unset(&spec, JOB_FIELD_DEADLINE);
		r = job_spec_pack(&p->spec, &p->spec_len, &spec);
	}
	job_spec_deinit(&spec);
	return r;
}

/* One that was skipped, and would be that again, is told what is in its way. 0,
 * PLAN_REFUSED */
static int refuse_skipped(struct apply *a, const struct job *j)
{
	struct deps_verdict v;
	char why[JOB_REASON_MAX - 64];

	if (!j->has_deps)
		return 0;
	v = dependents_judge(a->core, j);
	if (v.state != DEP_IMPOSSIBLE)
		return 0;
	dependents_describe(a->core, &v, why, sizeof(why));
	return apply_refuse(a, j->id, "WrongState", "it would be skipped: %s", why);
}

static int plan_retry(struct apply *a, struct job *j, struct planned *p)
{
	const struct retry *rt = a->arg;
	int r;

	if (j->state != JOB_FINISHED)
		return -RV_ESTATE;
	r = check_room(a, j);
	if (r == 0)
		r = refuse_skipped(a, j);
	if (r == 0)
		r = plan_demand(a, j, p);
	if (r == 0 && !j->is_callback)
		r = jobs_expect(a->core->jobs, j->uid, 1);
	if (r != 0)
		return r;
	p->is_expected = !j->is_callback;
	job_record_again(j, &p->rec);
	return rt->env ? plan_env(a, j, p) : PLAN_RECORD;
}

/* ---- those that were skipped -------------------------------------------------------- */

/* Those that were skipped because of it wait again, in the same transaction. */
static int revive_skipped(struct apply *a, struct job *j)
{
	struct retry *rt = a->arg;
	size_t n = rt->revival.n;
	int r = 0;

	rt->n_callbacks += j->is_callback;
	if (!j->dependents)
		return 0;
	if (!rt->waits_again)
		r = hashmap_new(&rt->waits_again, HASHMAP_U64);
	if (r >= 0)
		r = dependents_revive(
			a->core, j, a->txn, &rt->revival, n + room_for_jobs(a, j->uid));
	for (; n < rt->revival.n && r >= 0; n++) {
		r = hashmap_put_u64(rt->waits_again, rt->revival.jobs[n]->id, a);
		if (r == -EEXIST)
			r = 0; /* for the second time already */
	}
	return r;
}

static void end_revival(struct apply *a, bool recorded)
{
	struct retry *rt = a->arg;

	for (size_t i = 0; i < rt->revival.n && !recorded && rt->waits_again; i++)
		hashmap_remove_u64(rt->waits_again, rt->revival.jobs[i]->id);
	dependents_revived(a->core, &rt->revival, recorded);
	rt->n_callbacks = 0;
}

/* One that was skipped, once it is known what becomes of the chunk in which it may wait
 * again. */
static int retry_skipped(struct apply *a, uint64_t id)
{
	const struct job *j = jobs_find(a->core->jobs, id);
	const struct retry *rt = a->arg;
	int r = 0;

	if (j && j->busy && j->planned == JOB_PLANNED_RUN)
		r = apply_end_chunk(a);
	if (r < 0)
		return r;
	if (!rt->waits_again || !hashmap_get_u64(rt->waits_again, id))
		return apply_to_one(a, id);
	a->n++;
	return 0;
}

/* Those first that were not skipped: because of them others wait again, and are done. */
static int skipped_last(struct apply *a, const struct selection *sel)
{
	_cleanup_free_ bool *later = calloc(sel->n_ids + 1, sizeof(*later));
	int r = later ? 0 : -ENOMEM;

	for (size_t i = 0; i < sel->n_ids && r >= 0; i++) {
		const struct job *j = jobs_find(a->core->jobs, sel->ids[i]);

		later[i] = j && j->state == JOB_FINISHED &&
			   j->result == JOB_RESULT_SKIPPED;
		if (!later[i])
			r = apply_to_one(a, sel->ids[i]);
	}
	for (size_t i = 0; i < sel->n_ids && r >= 0; i++)
		if (later[i])
			r = retry_skipped(a, sel->ids[i]);
	return r;
}

/* ---- the call ----------------------------------------------------------------------- */

int control_job_retry(struct control_conn *conn, struct vl_call *call)
{
	static const struct apply_verb verb = {
		.plan = plan_retry,
		.follow = revive_skipped,
		.chunk_ended = end_revival,
		.to_all = skipped_last,
		.changes_spec = true,
	};
	_cleanup_(strv_freep) char **env = NULL;
	struct retry rt = {.env = NULL};
	struct vl_fault fault;
	int r;

	r = vl_get_bytes_array(vl_call_params(call), "env", &env, &fault);
	if (r == -EINVAL)
		return vl_call_invalid(call, fault.path, fault.reason);
	if (r < 0)
		return r;
	if (control_check_env(call, env) < 0)
		return 0;
	rt.env = env;
	r = control_apply(conn, call, &verb, &rt);
	hashmap_free(rt.waits_again);
	return r;
}
