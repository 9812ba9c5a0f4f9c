#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/asks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/deadlines.h"
#include "daemon/envs.h"
#include "daemon/functions.h"
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

static int check_function(
	struct core *core, const struct job_spec *spec, uint32_t uid, char **message)
{
	const char *name = job_str(spec, FUNCTION), *text = job_str(spec, ARGUMENTS);
	const struct function *f = functions_find(core->functions, name);
	json_t *arguments;
	int r;

	if (!f)
		return refuse(message, -EINVAL, "no such function: '%s'", name);
	if (f->touches_files && core->system_mode && uid != 0)
		return refuse(message, -EINVAL,
			"the function '%s' is only for root in system mode", name);
	if (!f->check)
		return 0;
	arguments = text ? json_loads(text, 0, NULL) : json_object();
	if (!arguments)
		return refuse(message, -EINVAL, "arguments: not a JSON object");
	r = f->check(arguments, message);
	json_decref(arguments);
	return r;
}

static int check_limits(
	struct core *core, uint32_t uid, size_t n_expected, char **message)
{
	const struct config *cf = core->config;
	int64_t n = (int64_t)(jobs_unfinished(core->jobs) + n_expected);
	int64_t n_of = (int64_t)(jobs_unfinished_of(core->jobs, uid) + n_expected);

	if (n >= config_num(cf, JOBS_MAX))
		return refuse(message, -RV_ELIMIT,
			"there are jobs-max = %" PRId64 " unfinished jobs",
			config_num(cf, JOBS_MAX));
	if (n_of >= config_num(cf, JOBS_PER_USER_MAX))
		return refuse(message, -RV_ELIMIT,
			"its user has jobs-per-user-max = %" PRId64 " unfinished jobs",
			config_num(cf, JOBS_PER_USER_MAX));
	return 0;
}

static int check(struct core *core, const struct job_spec *spec, uint32_t uid,
	size_t n_expected, char **message)
{
	enum job_field field;
	int r = check_limits(core, uid, n_expected, message);

	if (r < 0)
		return r;
	if (STREQ(job_str(spec, OUTPUT), "inherit") && core->system_mode && uid != 0)
		return refuse(message, -EINVAL,
			"output = inherit is only for root in system mode");
	r = asks_check(core, spec, &field, message);
	if (r < 0 || !job_str(spec, FUNCTION))
		return r;
	return check_function(core, spec, uid, message);
}

static int make(struct job **ret, struct core *core, const struct job_spec *spec,
	uint32_t uid, uint32_t gid)
{
	struct store_job rec = {.state = JOB_QUEUED};
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
	if (j->state == JOB_QUEUED) {
		job_record_ready(j, core->clock, &rec);
		j->state = (uint8_t)rec.state;
		j->due_usec = rec.due_usec;
	}
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
