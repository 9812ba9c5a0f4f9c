#include "config.h"

#include "daemon/callbacks_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/invariant.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/core.h"
#include "daemon/envs.h"
#include "daemon/job_make.h"
#include "daemon/jobs.h"
#include "daemon/pools.h"
#include "daemon/scheduler.h"
#include "job/callback.h"

/* of one end: those of the job, and of each of its pools */
enum { MADE_MAX = CALLBACK_EMPTY + JOB_POOLS_MAX };

/* an end that is being recorded */
struct plan {
	uint64_t id; /* of the job that ends */
	struct demand *
		ending; /* a reference: its pools count this end; NULL: none needs to */
	struct job *made[MADE_MAX];
	size_t n_made;
	uint64_t reserved; /* ids, by its transaction */
};

int callbacks_new(struct callbacks **ret, struct core *core)
{
	struct callbacks *cb = calloc(1, sizeof(*cb));

	if (!cb)
		return -ENOMEM;
	cb->core = core;
	if (hashmap_new(&cb->plans, HASHMAP_U64) < 0 ||
		hashmap_new(&cb->by_job, HASHMAP_U64) < 0)
		return callbacks_free(cb), -ENOMEM;
	*ret = cb;
	return 0;
}

/* They come into the table, or are given up. */
static void plan_end(struct callbacks *cb, struct plan *p, bool done)
{
	struct core *core = cb->core;

	if (p->ending)
		demand_note_ending(p->ending, -1);
	scheduler_demand_put(core->scheduler, p->ending);
	cb->n_planned -= p->n_made;
	for (size_t i = 0; i < p->n_made; i++)
		if (done)
			job_make_publish(core, p->made[i]);
		else
			job_unmake(core, p->made[i]);
	free(p);
}

struct callbacks *callbacks_free(struct callbacks *cb)
{
	struct plan *p;

	if (!cb)
		return NULL;
	if (cb->plans)
		HASHMAP_FOREACH(p, cb->plans)
			plan_end(cb, p, false);
	hashmap_free(cb->plans);
	callbacks_table_free(cb->by_job);
	free(cb);
	return NULL;
}

size_t callbacks_room(const struct core *core)
{
	int64_t n = (int64_t)jobs_callbacks(core->jobs);

	if (core->callbacks)
		n += (int64_t)core->callbacks->n_planned;
	return (size_t)MAX(config_num(core->config, CALLBACKS_MAX) - n, INT64_C(0));
}

/* ---- an end ------------------------------------------------------------------------------ */

/* what one end calls for, while it is put together */
struct maker {
	struct callbacks *cb;
	struct plan *plan;
	const struct job *job;
	const struct pool
		*emptied[JOB_POOLS_MAX]; /* so far: a job may name one twice */
	size_t n_emptied;
	bool dropped;
};

/* the first, and how many when there is room again: they may come by the thousand */
static void leave_out(
	struct callbacks *cb, const char *what, const char *whose, const char *why)
{
	if (cb->n_dropped++ == 0)
		log_at(LOG_WARNING, "job",
			"the on-%s of %s is left out: %s; so may others be", what,
			whose, why);
}

static void drop(struct maker *m, const char *what, const char *why)
{
	char whose[32];

	m->dropped = true;
	snprintf(whose, sizeof(whose), "job %" PRIu64, m->job->id);
	leave_out(m->cb, what, whose, why);
}

/* One was made. Where the limit is reached each that ends makes room for one: that is not
 * worth a word, or the log would have two for each of them. */
static void note_room(struct callbacks *cb)
{
	size_t much = (size_t)config_num(cb->core->config, CALLBACKS_MAX) / 4;

	if (cb->n_dropped == 0 || callbacks_room(cb->core) < much)
		return;
	log_at(LOG_NOTICE, "job",
		"there is room for callbacks again; left out: %" PRIu64, cb->n_dropped);
	cb->n_dropped = 0;
}

static void made(struct maker *m, struct job *j)
{
	m->plan->made[m->plan->n_made++] = j;
	m->cb->n_planned++;
	note_room(m->cb);
}

/* beside so many that are in no plan. NULL: one more may be made; or why not, in buf */
static const char *why_full(
	const struct core *core, size_t n_expected, char *buf, size_t size)
{
	if (callbacks_room(core) > n_expected)
		return NULL;
	snprintf(buf, size, "there are callbacks-max = %" PRId64 " unfinished ones",
		config_num(core->config, CALLBACKS_MAX));
	return buf;
}

static bool has_room(struct maker *m, const char *what)
{
	char buf[64];
	const char *why = why_full(m->cb->core, 0, buf, sizeof(buf));

	if (why)
		drop(m, what, why);
	return !why;
}

static void make(struct maker *m, enum callback what, const struct job_spec *of,
	const struct store_job *rec)
{
	struct core *core = m->cb->core;
	struct callback_facts facts = {.id = m->job->id,
		.run = rec->n_runs,
		.result = (enum job_result)rec->result,
		.reason = rec->reason,
		.exit_code = rec->exit_code,
		.signal = rec->signal,
		.submitted_usec = rec->submitted_usec,
		.started_usec = rec->started_usec,
		.ended_usec = rec->finished_usec};
	struct job_spec spec;
	struct job *j = NULL;
	int r;

	if (!has_room(m, callback_name[what]))
		return;
	r = callback_make(&spec, what, of, m->job->env, &facts,
		config_num(core->config, CALLBACK_TIMEOUT));
	if (r >= 0) {
		r = job_make_own(&j, core, &spec, m->job->uid, m->job->gid);
		job_spec_deinit(&spec);
	}
	if (r < 0) {
		drop(m, callback_name[what], "out of memory");
		return;
	}
	j->env = env_set_ref(m->job->env);
	made(m, j);
}

/* true once for each pool that this end empties, and that wants to be told */
static bool is_emptied(struct maker *m, const struct pool *p)
{
	if (!p || !p->on_empty || !pool_is_emptied(p))
		return false;
	for (size_t i = 0; i < m->n_emptied; i++)
		if (m->emptied[i] == p)
			return false;
	INVARIANT(m->n_emptied < JOB_POOLS_MAX);
	m->emptied[m->n_emptied++] = p;
	return true;
}

static int make_empty(const char *name, void *arg)
{
	struct maker *m = arg;
	struct core *core = m->cb->core;
	struct pool_settings s;
	struct callback_user user;
	const union config_value *who = &s.v[CONFIG_ON_EMPTY_USER];
	struct job_spec spec;
	struct job *j = NULL;
	int r;

	if (!is_emptied(m, scheduler_pool(core->scheduler, name)) ||
		!has_room(m, callback_name[CALLBACK_EMPTY]))
		return 0;
	pools_settings(core->pools, name, &s);
	user = (struct callback_user){
		.name = who->user.name ? who->user.name : getenv("USER"),
		.home = who->user.name ? who->user.home : getenv("HOME")};
	r = callback_make_empty(&spec, name, s.v[CONFIG_ON_EMPTY].text,
		&core->config->defaults, &user,
		config_num(core->config, CALLBACK_TIMEOUT));
	if (r >= 0) {
		r = job_make_own(&j, core, &spec,
			who->user.name ? who->user.uid : (uint32_t)geteuid(),
			who->user.name ? who->user.gid : (uint32_t)getegid());
		job_spec_deinit(&spec);
	}
	if (r < 0)
		drop(m, callback_name[CALLBACK_EMPTY], "out of memory");
	else
		made(m, j);
	return 0;
}

static bool says(const struct job *j, enum job_field f)
{
	const char *text;
	size_t n;

	return job_spec_peek_str(&text, &n, j->spec, j->spec_len, f) > 0;
}

static int look_for_on_empty(const char *name, void *arg)
{
	const struct pool *p = scheduler_pool(arg, name);

	return p && p->on_empty;
}

/* the hash keeps it until the end is settled. NULL: out of memory */
static struct plan *plan_new(struct callbacks *cb, const struct job *j, bool empties)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->id = j->id;
	if (hashmap_put_u64(cb->plans, p->id, p) < 0) {
		free(p);
		return NULL;
	}
	if (empties) {
		p->ending = demand_ref(j->demand);
		demand_note_ending(p->ending, 1);
	}
	return p;
}

/* Ids, and their inserts. What finds no memory for that is given up. */
static void record(struct maker *m, struct txn *t)
{
	struct core *core = m->cb->core;
	struct plan *p = m->plan;
	uint64_t first;
	size_t n = 0;

	if (p->n_made == 0)
		return;
	if (jobs_take_ids(core->jobs, &first, &p->reserved, (uint32_t)p->n_made, t) >=
		0)
		while (n < p->n_made && job_make_record(p->made[n], first + n, t) >= 0)
			n++;
	if (n < p->n_made)
		drop(m, "finish", "out of memory");
	m->cb->n_planned -= p->n_made - n;
	while (p->n_made > n)
		job_unmake(core, p->made[--p->n_made]);
}

static void plan(
	struct maker *m, struct store_job *rec, struct txn *t, bool calls, bool empties)
{
	bool shutdown = rec->result == JOB_RESULT_LOST && rec->reason &&
			STREQ(rec->reason, JOB_REASON_SHUTDOWN);
	struct job_spec spec;
	unsigned what;

	m->plan = plan_new(m->cb, m->job, empties);
	if (!m->plan || (calls && job_spec_get(m->job, &spec) < 0)) {
		drop(m, "finish", "out of memory");
		return;
	}
	if (calls) {
		what = callbacks_of_end(&spec, (enum job_result)rec->result, shutdown);
		for (int c = 0; c < CALLBACK_EMPTY; c++)
			if (what >> c & 1)
				make(m, (enum callback)c, &spec, rec);
		job_spec_deinit(&spec);
	}
	if (empties && !shutdown)
		job_pools_each(m->job->demand->pools, make_empty, m);
	record(m, t);
}

/* True: something was left out. */
static bool make_all(struct maker *m, struct store_job *rec, struct txn *t)
{
	const struct job *j = m->job;
	bool calls = says(j, JOB_FIELD_ON_SUCCESS) || says(j, JOB_FIELD_ON_FAILURE) ||
		     says(j, JOB_FIELD_ON_FINISH);
	bool empties = j->state != JOB_HELD && j->demand &&
		       job_pools_each(j->demand->pools, look_for_on_empty,
			       m->cb->core->scheduler);

	if (calls || empties)
		plan(m, rec, t, calls, empties);
	return m->dropped;
}

int callbacks_record_end(
	struct core *core, struct job *j, struct store_job *rec, struct txn *t)
{
	struct maker m = {.cb = core->callbacks, .job = j};
	int r = job_record_put(t, rec);

	if (r < 0 || !m.cb || rec->state != JOB_FINISHED || j->is_callback)
		return r;
	callbacks_drop(core, j); /* of an attempt that came to nothing */
	if (make_all(&m, rec, t)) {
		rec->flags |= STORE_JOB_CALLBACK_DROPPED;
		/* once more; without memory only that is not known after a restart */
		(void)job_record_put(t, rec);
	}
	return 0;
}

struct job *callbacks_make_refused(struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid, const char *reason, size_t n_expected)
{
	struct callback_facts facts = {.reason = reason, .exit_code = -1};
	struct callbacks *cb = core->callbacks;
	char whose[80], buf[64];
	struct job_spec own;
	const char *why;
	struct job *j = NULL;

	if (!cb || !job_spec_has(spec, JOB_FIELD_ON_FAILURE))
		return NULL;
	why = why_full(core, n_expected, buf, sizeof(buf));
	if (!why && callback_make(&own, CALLBACK_FAILURE, spec, false, &facts,
			    config_num(core->config, CALLBACK_TIMEOUT)) >= 0) {
		(void)job_make_own(&j, core, &own, uid, gid);
		job_spec_deinit(&own);
	}
	if (j) {
		note_room(cb);
		return j;
	}
	snprintf(whose, sizeof(whose), "schedule '%s'", job_str(spec, SCHEDULE));
	leave_out(cb, callback_name[CALLBACK_FAILURE], whose,
		why ? why : "out of memory");
	return NULL;
}

void callbacks_publish(struct core *core, struct job *j)
{
	struct plan *p = core->callbacks
				 ? hashmap_remove_u64(core->callbacks->plans, j->id)
				 : NULL;

	if (!p)
		return;
	jobs_ids_are_reserved(core->jobs, p->reserved);
	plan_end(core->callbacks, p, true);
}

void callbacks_drop(struct core *core, struct job *j)
{
	struct plan *p = core->callbacks
				 ? hashmap_remove_u64(core->callbacks->plans, j->id)
				 : NULL;

	if (p)
		plan_end(core->callbacks, p, false);
}
