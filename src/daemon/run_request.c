#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/core.h"
#include "daemon/inputs.h"
#include "daemon/job_environment.h"
#include "daemon/journal.h"
#include "daemon/outputs.h"
#include "daemon/readiness.h"
#include "daemon/run_steps.h"
#include "daemon/scheduler.h"
#include "reeve/executor.h"

static int make_argv(struct run_request *rr, const struct job_spec *s)
{
	if (job_strv(s, COMMAND)) {
		rr->argv = strv_copy(job_strv(s, COMMAND));
		return rr->argv ? 0 : -ENOMEM;
	}
	if (strv_append(&rr->argv, job_str(s, SHELL)) < 0 ||
		strv_append(&rr->argv, "-c") < 0 ||
		strv_append(&rr->argv, job_str(s, SHELL_COMMAND)) < 0)
		return -ENOMEM;
	return 0;
}

/* What sd_watchdog_enabled(3) looks at. The process id is the spawner's to put in. */
static int put_watchdog(struct run_request *rr, int64_t usec)
{
	char text[24];
	int r;

	if (usec == 0)
		return 0;
	snprintf(text, sizeof(text), "%" PRId64, usec);
	r = strv_env_set(&rr->env, "WATCHDOG_USEC", text);
	return r < 0 ? r : strv_env_set(&rr->env, SPAWN_PID_ENV, "");
}

static int make_env(struct run_request *rr, const struct run *run)
{
	const char *notify;
	int r = readiness_address(run, &notify);

	if (r >= 0)
		r = run_request_environment(rr, run);
	STRV_FOREACH(e, job_strv(&run->spec, ENV)) {
		_cleanup_free_ char *name = strdup(*e);
		char *eq = name ? strchr(name, '=') : NULL;

		if (!eq)
			return -ENOMEM; /* names were checked at submit */
		*eq = '\0';
		if (r >= 0)
			r = strv_env_set(&rr->env, name, eq + 1);
		if (r < 0)
			break;
	}
	if (r >= 0 && notify)
		r = strv_env_set(&rr->env, "NOTIFY_SOCKET", notify);
	if (r >= 0)
		r = put_watchdog(rr, readiness_watchdog_usec(run));
	return r;
}

static int add_limit(int resource, rlim_t soft, rlim_t hard, void *arg)
{
	struct run_request *rr = arg;

	if (rr->req.n_rlimits == SPAWN_RLIMITS_MAX)
		return -RV_ELIMIT;
	rr->rlimits[rr->req.n_rlimits++] = (struct spawn_rlimit){
		.resource = (uint32_t)resource, .soft = soft, .hard = hard};
	return 0;
}

/* Where a stream goes. file: is what a run takes that has files of ours. */
static int choose_output(struct run_request *rr, struct run *run)
{
	struct spawn_request *q = &rr->req;
	const char *output = job_str(&run->spec, OUTPUT);

	q->stderr_kind = SPAWN_STDIO_STDOUT;
	if (strncmp(output, "file:", 5) == 0) {
		q->stdout_kind = SPAWN_STDIO_PATH;
		q->stdout_path = output + 5;
		return 0;
	}
	if (STREQ(output, "null")) {
		q->stdout_kind = SPAWN_STDIO_NULL;
		return 0;
	}
	q->stdout_kind = SPAWN_STDIO_FD;
	if (run->out)
		rr->stdout_fd = outputs_open_for_run(run->out);
	else if (STREQ(output, "journal"))
		rr->stdout_fd = journal_stream_open(run->job);
	else
		rr->stdout_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (rr->stdout_fd < 0)
		return STREQ(output, "inherit") ? -errno : rr->stdout_fd;
	q->stdout_fd = rr->stdout_fd;
	q->stamped = run->out && job_num(&run->spec, TIMESTAMPS);
	if (run->err) {
		q->stderr_kind = SPAWN_STDIO_FD;
		rr->stderr_fd = outputs_open_for_run(run->err);
		if (rr->stderr_fd < 0)
			return rr->stderr_fd;
		q->stderr_fd = rr->stderr_fd;
	}
	return 0;
}

static int choose_input(struct run_request *rr, struct run *run)
{
	const char *in = job_str(&run->spec, STDIN);
	int r;

	if (run->in) {
		rr->req.stdin_kind = SPAWN_STDIO_PIPE;
		return 0;
	}
	if (STREQ(in, "null")) {
		rr->req.stdin_kind = SPAWN_STDIO_NULL;
		return 0;
	}
	rr->req.stdin_kind = SPAWN_STDIO_PATH;
	rr->req.stdin_path = in;
	if (strncmp(in, "input:", 6) != 0)
		return 0;
	r = inputs_path(run->core->inputs, &rr->stdin_path, in + 6, run->job->uid);
	rr->req.stdin_path = rr->stdin_path;
	return r;
}

/* in a worker: name services may ask the network */
struct owner {
	uid_t uid;
	gid_t gid;
	uint32_t *groups;
	size_t n_groups;
};

static int look_up_groups(void *arg)
{
	struct owner *o = arg;
	char text[4096];
	struct passwd pw, *found = NULL;
	gid_t list[SPAWN_GROUPS_MAX];
	int n = SPAWN_GROUPS_MAX;

	if (getpwuid_r(o->uid, &pw, text, sizeof(text), &found) != 0 || !found)
		n = 0; /* a uid without a name has no supplementary groups */
	else if (getgrouplist(pw.pw_name, o->gid, list, &n) < 0)
		return -RV_ELIMIT;
	o->groups = calloc((size_t)n + 1, sizeof(*o->groups));
	if (!o->groups)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		o->groups[i] = list[i];
	o->n_groups = (size_t)n;
	return 0;
}

static int choose_owner(struct run_request *rr, const struct run *run)
{
	struct owner o = {.uid = run->job->uid, .gid = run->job->gid};
	int r;

	rr->req.uid = SPAWN_ID_KEEP;
	rr->req.gid = SPAWN_ID_KEEP;
	if (!run->core->system_mode || o.uid == 0)
		return 0;
	r = rv_run_blocking(run->core->io, look_up_groups, &o);
	if (r < 0)
		return r;
	rr->groups = o.groups;
	rr->req.uid = o.uid;
	rr->req.gid = o.gid;
	rr->req.groups = o.groups;
	rr->req.n_groups = o.n_groups;
	rr->req.set_groups = true;
	return 0;
}

int run_request_init(struct run_request *rr, struct run *run, enum spawn_step *ret_step)
{
	const struct job_spec *s = &run->spec;
	struct spawn_request *q = &rr->req;
	int r;

	*rr = (struct run_request){.stdout_fd = -1, .stderr_fd = -1};
	q->stdout_fd = q->stderr_fd = -1;
	q->token = run_spawn_token(run);
	q->rlimits = rr->rlimits;
	q->cwd = job_str(s, CWD);
	q->umask = job_spec_has(s, JOB_FIELD_UMASK) ? (uint32_t)job_num(s, UMASK) : 022;
	q->nice = job_spec_has(s, JOB_FIELD_NICE) ? (int)job_num(s, NICE)
						  : SPAWN_NICE_KEEP;
	q->start_timeout = usec_to_time(job_num(s, START_TIMEOUT));
	q->kill_grace = usec_to_time(job_num(s, KILL_GRACE));
	q->kill_signal = (int)job_num(s, KILL_SIGNAL);
	q->leftovers = (enum spawn_leftovers)job_num(s, LEFTOVERS);

	/* the gate numbers slots, of which a service has none */
	q->gate = STREQ(run_pool(run)->name, SERVICE_POOL) ? 0 : run_pool(run)->gate;
	q->gate_slots = pool_gate_slots(run_pool(run));
	q->aside = q->gate && !run->job->demand->gated;
	q->ahead = run->ahead;
	q->ready_fd = readiness_fd(run);

	*ret_step = SPAWN_STEP_REQUEST;
	r = make_argv(rr, s);
	if (r < 0)
		return r;
	*ret_step = SPAWN_STEP_ENVIRONMENT;
	r = make_env(rr, run);
	if (r >= 0)
		r = run_request_expand(rr, run);
	if (r < 0)
		return r;
	q->argv = rr->argv;
	q->env = rr->env;
	*ret_step = SPAWN_STEP_RLIMIT;
	if (job_str(s, RLIMITS))
		r = rlimits_each(job_str(s, RLIMITS), add_limit, rr);
	if (r < 0)
		return r;
	*ret_step = SPAWN_STEP_STDIN;
	r = choose_input(rr, run);
	if (r < 0)
		return r;
	*ret_step = SPAWN_STEP_STDOUT;
	r = choose_output(rr, run);
	if (r < 0)
		return r;
	*ret_step = SPAWN_STEP_GROUPS;
	return choose_owner(rr, run);
}

void run_request_deinit(struct run_request *rr)
{
	strv_free(rr->argv);
	strv_free(rr->env);
	free(rr->stdin_path);
	free(rr->groups);
	free(rr->problem);
	rr->stdout_fd = close_safe(rr->stdout_fd);
	rr->stderr_fd = close_safe(rr->stderr_fd);
}
