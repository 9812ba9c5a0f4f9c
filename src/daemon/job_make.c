#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/envs.h"
#include "daemon/job_check.h"
#include "daemon/job_make.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"
#include "daemon/users.h"

PRINTF(3, 4) static int refuse(char **ret, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(ret, fmt, ap) < 0)
		*ret = NULL;
	va_end(ap);
	return *ret ? error : -ENOMEM;
}

static int check(struct core *core, const struct job_spec *spec, uint32_t uid,
	size_t n_expected, char **message)
{
	/* the administrators decide what makes jobs by itself */
	const struct job_maker maker = {.uid = uid, .is_admin = true};
	enum job_field field;
	const char *key;
	int64_t max;
	int r;

	r = job_check_limits(core, uid, n_expected + 1, &key, &max);
	if (r < 0)
		return refuse(message, r,
			"there are as many unfinished jobs as %s = %" PRId64 " allows",
			key, max);
	r = job_check(core, spec, &maker, &field, message);
	return r == -EACCES ? -EINVAL : r;
}

static int make(struct job **ret, struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid)
{
	struct job *j;
	int r;

	r = job_new(&j, spec);
	if (r < 0)
		return r;
	j->uid = uid;
	j->gid = gid;
	j->submitted_usec = clock_wall_usec(core->clock);
	r = scheduler_demand(core->scheduler, spec, &j->demand);
	if (r < 0) {
		job_free(j);
		return r;
	}
	job_choose_time(j, core->clock);
	*ret = j;
	return 0;
}

int job_make(struct job **ret, struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid, size_t n_expected, char **ret_message)
{
	int r;

	*ret_message = NULL;
	r = check(core, spec, uid, n_expected, ret_message);
	if (r >= 0)
		r = make(ret, core, spec, uid, gid);
	if (r != -RV_ELIMIT || *ret_message)
		return r;
	return refuse(ret_message, r,
		"there are demands-max = %" PRId64 " different things asked for",
		config_num(core->config, DEMANDS_MAX));
}

int job_make_own(struct job **ret, struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid)
{
	return make(ret, core, spec, uid, gid);
}

struct job *job_unmake(struct core *core, struct job *j)
{
	if (!j)
		return NULL;
	envs_put(core->envs, j->env);
	scheduler_demand_put(core->scheduler, j->demand);
	return job_free(j);
}

int job_make_record(struct job *j, uint64_t id, struct txn *t)
{
	struct store_op *op = txn_add(t, STORE_JOB_INSERT);

	if (!op)
		return -ENOMEM;
	j->id = id;
	job_record(j, &op->job);
	op->job.spec = j->spec;
	op->job.spec_len = j->spec_len;
	return 0;
}

int jobs_make_record(struct core *core, struct job *const *jobs, size_t n,
	uint64_t *ret_reserved, struct txn *t)
{
	uint64_t first;
	int r;

	*ret_reserved = 0;
	if (n == 0)
		return 0;
	r = jobs_take_ids(core->jobs, &first, ret_reserved, (uint32_t)n, t);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = job_make_record(jobs[i], first + i, t);
	return r < 0 ? r : 0;
}

void job_make_publish(struct core *core, struct job *j)
{
	if (jobs_add(core->jobs, j) < 0) {
		log_at(LOG_ERR, "job",
			"out of memory: job %" PRIu64 " is there after a restart",
			j->id);
		job_unmake(core, j);
		return;
	}
	if (core->users)
		users_note(core->users, j->uid);
	scheduler_place(core->scheduler, j);
	if (core->deadlines && deadlines_add(core->deadlines, j) < 0)
		log_at(LOG_ERR, "job",
			"out of memory: the deadline of job %" PRIu64
			" counts after a restart only",
			j->id);
}
