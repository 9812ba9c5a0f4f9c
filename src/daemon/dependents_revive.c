/* Skipped jobs that wait again, because one is run again; see dependents.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/dependents_priv.h"
#include "daemon/jobs.h"

void job_record_again(const struct job *j, struct store_job *ret)
{
	job_record(j, ret);
	ret->state = j->has_deps ? JOB_WAITING : JOB_QUEUED;
	ret->place = 0;
	ret->result = JOB_RESULT_NONE;
	ret->n_failed = 0;
	ret->finished_usec = 0;
	ret->exit_code = -1;
	ret->signal = 0;
	ret->reason = NULL;
	ret->flags &= ~(uint32_t)STORE_JOB_CALLBACK_DROPPED;
}

static int add(struct revival *rv, struct job *j)
{
	if (rv->n == rv->n_max) {
		size_t n = rv->n_max ? 2 * rv->n_max : 16;
		struct job **v = reallocarray(rv->jobs, n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		rv->jobs = v;
		rv->n_max = n;
	}
	rv->jobs[rv->n++] = j;
	return 0;
}

static int revive(struct core *core, struct job *j, struct txn *t, struct revival *rv)
{
	struct store_job rec;
	int r = jobs_renew_demand(core->jobs, j);

	if (r >= 0)
		r = jobs_expect(core->jobs, j->uid, 1);
	if (r >= 0 && (r = add(rv, j)) < 0)
		jobs_expect_no_more(core->jobs, j->uid, 1);
	if (r < 0) {
		jobs_drop_demand(core->jobs, j);
		return r;
	}
	j->planned = JOB_PLANNED_RUN;
	job_begin(core->jobs, j);
	job_record_again(j, &rec);
	return job_record_put(t, &rec);
}

/* those that name it, were skipped, and may hope again */
static int revive_dependents(struct core *core, const struct job *on, struct txn *t,
	struct revival *rv, size_t n_max)
{
	int r = 0;

	/* it is busy, so that it stays; there may be more of them after each turn */
	for (uint32_t i = 0; i < on->dependents->n; i++) {
		struct job *j;

		if ((i + 1) % YIELD_EVERY == 0)
			r = rv_yield();
		if (r < 0)
			return r;
		j = jobs_find(core->jobs, on->dependents->ids[i]);
		if (!j || j->busy || j->state != JOB_FINISHED ||
			j->result != JOB_RESULT_SKIPPED ||
			dependents_judge(core, j).state == DEP_IMPOSSIBLE)
			continue;
		r = rv->n < n_max ? revive(core, j, t, rv) : -RV_ELIMIT;
		if (r < 0)
			return r;
	}
	return 0;
}

static int revive_all(struct core *core, struct job *on, struct txn *t,
	struct revival *rv, size_t n_max)
{
	int r;

	if (!on->dependents)
		return 0;
	on->dependents->n_walks++;
	r = revive_dependents(core, on, t, rv, n_max);
	on->dependents->n_walks--;
	return r;
}

int dependents_revive(struct core *core, struct job *j, struct txn *t,
	struct revival *ret, size_t n_max)
{
	size_t next = ret->n;
	int r;

	j->planned = JOB_PLANNED_RUN;
	r = revive_all(core, j, t, ret, n_max);
	while (r >= 0 && next < ret->n) {
		if ((next + 1) % YIELD_EVERY == 0)
			r = rv_yield();
		if (r >= 0)
			r = revive_all(core, ret->jobs[next++], t, ret, n_max);
	}
	return r;
}

void dependents_ran_again(struct core *core, struct job *j, bool done)
{
	j->planned = JOB_PLANNED_NOTHING;
	/* it has ended after all */
	if (!done && j->dependents)
		dependents_look(core->dependents, j);
}

void dependents_revived(struct core *core, struct revival *rv, bool done)
{
	for (size_t i = 0; i < rv->n; i++) {
		struct job *j = rv->jobs[i];
		struct store_job rec;

		if (done) {
			job_record_again(j, &rec);
			job_publish(core->jobs, j, &rec);
		} else {
			jobs_drop_demand(core->jobs, j);
		}
		jobs_expect_no_more(core->jobs, j->uid, 1);
		dependents_ran_again(core, j, done);
		job_end(core->jobs, j);
		/* what is recorded must be shown: no time to be cancelled */
		if ((i + 1) % YIELD_EVERY == 0)
			(void)!rv_yield();
	}
	free(rv->jobs);
	*rv = (struct revival){.n = 0};
}
