#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "daemon/core.h"
#include "daemon/functions.h"
#include "daemon/jobs.h"
#include "daemon/run_steps.h"
#include "reeve/executor.h"
#include "reeve/scope.h"

struct call_task {
	const struct function *f;
	struct function_call call;
	struct run *run;
	int result;
	bool done;
};

static int call_in_worker(void *arg)
{
	struct call_task *t = arg;

	return t->f->call(&t->call);
}

/* the function itself: a child of the supervising task, which waits for it beside the
 * run-time limit and the requests to stop */
static int call_main(void *arg)
{
	struct call_task *t = arg;

	t->result = t->f->blocking
			    ? rv_run_blocking(t->run->core->blocking, call_in_worker, t)
			    : t->f->call(&t->call);
	t->done = true;
	rv_event_set(&t->run->wake);
	return 0;
}

static void act_on_stop(struct call_task *t, rv_task *task)
{
	struct run *run = t->run;

	if (run->stop == RUN_STOP_NONE &&
		run->deadline <= clock_monotonic(run->core->clock))
		run->stop = RUN_STOP_TIMEOUT;
	if (run->stop == RUN_STOP_NONE || run->stop_sent)
		return;
	run->stop_sent = true;
	atomic_store(&t->call.cancelled, true);
	rv_task_cancel(task);
}

/* 0, or -ECANCELED when the daemon goes: the function cannot go on without it */
static int wait_for_end(struct call_task *t, rv_task *task)
{
	struct run *run = t->run;

	while (!t->done) {
		rv_scope scope;
		int r;

		rv_event_clear(&run->wake);
		act_on_stop(t, task);
		r = rv_scope_enter(&scope, 0,
			run->stop == RUN_STOP_NONE ? run->deadline : RV_FOREVER);
		if (r >= 0)
			r = rv_scope_exit(&scope, rv_event_wait(&run->wake));
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
	return 0;
}

static int load_arguments(json_t **ret, const struct job_spec *s)
{
	const char *text = job_str(s, ARGUMENTS);

	*ret = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : json_object();
	return *ret ? 0 : -EINVAL;
}

static void keep_result(struct run *run, struct call_task *t)
{
	run->end =
		(struct run_end){.kind = RUN_END_FUNCTION, .error = MIN(t->result, 0)};
	if (t->call.value && t->result >= 0)
		run->value = json_dumps(t->call.value, JSON_COMPACT);
	run->error_text = TAKE_PTR(t->call.message);
	run->ended = true;
}

int run_function(struct run *run)
{
	struct job *j = run->job;
	const char *name = job_str(&run->spec, FUNCTION);
	struct call_task t = {.run = run};
	struct store_job rec;
	json_t *arguments;
	rv_group g;
	rv_task *task;
	int r;

	if (run->ended) /* found after a restart: it died with that daemon */
		return 0;
	run->end = (struct run_end){.kind = RUN_END_FUNCTION};
	run->ended = true;
	t.f = functions_find(run->core->functions, name);
	run->end.error = t.f ? load_arguments(&arguments, &run->spec) : -ENOENT;
	if (run->end.error < 0)
		return 0;
	run->ended = false;
	t.call.arguments = arguments;
	t.call.uid = j->uid;
	t.call.gid = j->gid;
	if (job_num(&run->spec, TIMEOUT) != INT64_MAX)
		run->deadline = time_after(clock_monotonic(run->core->clock),
			job_num(&run->spec, TIMEOUT));
	run->started = true;
	job_record(j, &rec);
	rec.state = JOB_RUNNING;
	job_publish(run->core->jobs, j, &rec);

	r = rv_group_enter(&g, RV_GROUP_SUPERVISE);
	task = r >= 0 ? rv_group_spawn(&g, call_main, &t) : NULL;
	t.result = -ENOMEM; /* unless it runs */
	if (task)
		r = wait_for_end(&t, task);
	if (r == -ECANCELED) {
		atomic_store(&t.call.cancelled, true);
		run->stop = RUN_STOP_SHUTDOWN;
	}
	(void)!rv_group_exit(&g, r);
	keep_result(run, &t);
	json_decref(arguments);
	json_decref(t.call.value);
	return 0;
}
