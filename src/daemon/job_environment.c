#include "config.h"

#include "daemon/job_environment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/env_file.h"
#include "daemon/core.h"
#include "daemon/envs.h"
#include "daemon/login_env.h"
#include "job/command_expand.h"
#include "job/env_steps.h"
#include "reeve/executor.h"

enum { AT_ONCE_MAX = 256 }; /* entries that are put together on the loop */

int job_environment_of_login(char ***ret, const struct config *cf,
	const struct job_spec *spec, const char *user, const char *home)
{
	_cleanup_(job_spec_deinit) struct job_spec base;
	_cleanup_(strv_freep) char **list = NULL;
	int r;

	*ret = NULL;
	job_spec_init(&base);
	if (!job_str(spec, ENVIRONMENT) || job_str(spec, FUNCTION))
		return 0;
	r = login_env_put_all(&base, user, home);
	STRV_FOREACH(entry, job_strv(&base, ENV))
		if (r >= 0)
			r = strv_append(&list, *entry);
	if (r >= 0)
		r = environment_variables(&list, cf, job_str(spec, ENVIRONMENT));
	if (r >= 0)
		*ret = TAKE_PTR(list);
	return r;
}

/* ---- when a run starts ---------------------------------------------------------------------- */

/* in a worker */
struct making {
	char *const *list;
	enum config_mode mode;
	char **env;
	char *problem;
};

PRINTF(2, 3) static void explain(struct making *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&m->problem, fmt, ap) < 0)
		m->problem = NULL;
	va_end(ap);
}

static int read_file(char ***ret, const char *path, bool if_there, void *arg)
{
	struct making *m = arg;
	struct env_fault fault;
	int r = env_file_read(ret, path, if_there, m->mode, &fault);

	if (r < 0 && r != -ENOMEM && fault.line > 0)
		explain(m, "env-file %s:%u: %s", path, fault.line, fault.text);
	else if (r < 0 && r != -ENOMEM)
		explain(m, "env-file %s: %s", path, fault.text);
	return r;
}

static int check_virtualenv(const char *path, void *arg)
{
	struct env_fault fault;
	int r = virtualenv_check(path, &fault);

	if (r < 0 && r != -ENOMEM)
		explain(arg, "virtualenv %s: %s", path, fault.text);
	return r;
}

static int make_in_worker(void *arg)
{
	struct making *m = arg;
	const struct env_steps_io io = {read_file, check_virtualenv, m};
	int r = env_steps_run(&m->env, m->list, &io);

	if (r == -RV_ELIMIT && !m->problem)
		explain(m, "more than %d variables", ENV_VARIABLES_MAX);
	return r;
}

int run_request_environment(struct run_request *rr, const struct run *run)
{
	_cleanup_(strv_freep) char **list = NULL;
	struct making m = {
		.mode = run->core->system_mode ? CONFIG_MODE_SYSTEM : CONFIG_MODE_USER};
	int r = run->job->env ? env_set_strv(&list, run->job->env) : 0;

	if (r < 0)
		return r;
	if (!env_has_steps(list)) {
		rr->env = TAKE_PTR(list);
		return 0;
	}
	m.list = list;
	/* of many it takes a while, too */
	r = env_has_files(list) || strv_len(list) > AT_ONCE_MAX
		    ? rv_run_blocking(run->core->io, make_in_worker, &m)
		    : make_in_worker(&m);
	rr->problem = m.problem;
	if (r >= 0)
		rr->env = m.env;
	return r;
}

/* ---- variables in its command ----------------------------------------------------------------- */

struct lookup {
	char *const *env;
	char job_id[24], run_no[16];
};

static const char *look_up(const char *name, size_t n, void *arg)
{
	const struct lookup *l = arg;

	/* the spawner sets these, over whatever was there */
	if (n == 12 && memcmp(name, "REEVE_JOB_ID", n) == 0)
		return l->job_id;
	if (n == 9 && memcmp(name, "REEVE_RUN", n) == 0)
		return l->run_no;
	STRV_FOREACH(entry, l->env)
		if (strncmp(*entry, name, n) == 0 && (*entry)[n] == '=')
			return *entry + n + 1;
	return NULL;
}

int run_request_expand(struct run_request *rr, const struct run *run)
{
	struct lookup l = {.env = rr->env};
	char **argv;
	int r;

	if (!job_spec_has(&run->spec, JOB_FIELD_EXPAND) ||
		!job_strv(&run->spec, COMMAND))
		return 0;
	snprintf(l.job_id, sizeof(l.job_id), "%" PRIu64, run->job->id);
	snprintf(l.run_no, sizeof(l.run_no), "%" PRIu32, run->rec.token.run);
	r = command_expand(&argv, rr->argv, look_up, &l);
	if (r < 0)
		return r;
	strv_free(rr->argv);
	rr->argv = argv;
	return 0;
}
