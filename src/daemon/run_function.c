#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/functions.h"
#include "daemon/jobs.h"
#include "daemon/run_steps.h"
#include "reeve/executor.h"
#include "reeve/scope.h"

/*
 * One call, shared by the run and the thread of a blocking function: that thread may go on
 * after everybody gave up waiting for it.
 */
struct invocation {
	atomic_int refs;
	atomic_bool begun, over; /* in the thread */
	const struct function *f;
	json_t *arguments;
	struct function_call call;
	int result; /* of a blocking one */
};

struct call_task {
	struct invocation *in;
	struct run *run;
	rv_time give_up_at; /* once it was asked to stop */
	bool given_up;
	int result;
	bool done;
};

static struct invocation *invocation_new(
	const struct function *f, json_t *arguments, const struct job *j)
{
	struct invocation *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	atomic_init(&in->refs, 1);
	in->f = f;
	in->arguments = arguments;
	in->call.arguments = arguments;
	in->call.uid = j->uid;
	in->call.gid = j->gid;
	return in;
}

static void invocation_unref(void *arg)
{
	struct invocation *in = arg;

	if (atomic_fetch_sub(&in->refs, 1) > 1)
		return;
	json_decref(in->arguments);
	json_decref(in->call.value);
	free(in->call.message);
	free(in);
}

static int call_in_worker(void *arg)
{
	struct invocation *in = arg;

	atomic_store(&in->begun, true);
	in->result = in->f->call(&in->call);
	atomic_store(&in->over, true);
	return 0;
}

/* executor-queue-max: what has no place among the waiting ones waits here, for it was
 * taken on and must not fail by it */
static int call_blocking(struct call_task *t)
{
	struct core *core = t->run->core;
	struct invocation *in = t->in;
	int r;

	for (;;) {
		atomic_fetch_add(&in->refs, 1); /* the executor's */
		r = functions_block(core->functions, core->blocking, call_in_worker, in,
			invocation_unref);
		if (r != -EAGAIN)
			return r < 0 ? r : in->result;
		r = functions_wait_for_room(core->functions);
		if (r < 0)
			return r;
	}
}

/* the function itself: a child of the supervising task, which waits for it beside the
 * run-time limit and the requests to stop */
static int call_main(void *arg)
{
	struct call_task *t = arg;

	t->result =
		t->in->f->blocking ? call_blocking(t) : t->in->f->call(&t->in->call);
	t->done = true;
	rv_event_set(&t->run->wake);
	return 0;
}

/* What blocks is asked to end, and has kill-grace to notice; then, since no thread can be
 * stopped from outside, it is left alone and the job ends without it. */
static void act_on_stop(struct call_task *t, rv_task *task)
{
	struct run *run = t->run;
	rv_time now = clock_monotonic(run->core->clock);

	if (run->stop == RUN_STOP_NONE && run->deadline <= now)
		run->stop = RUN_STOP_TIMEOUT;
	if (run->stop == RUN_STOP_NONE)
		return;
	if (!run->stop_sent) {
		run->stop_sent = true;
		atomic_store(&t->in->call.cancelled, true);
		t->give_up_at =
			atomic_load(&t->in->begun)
				? time_after(now, job_num(&run->spec, KILL_GRACE))
				: now;
	}
	if (!t->given_up && (run->hasten || t->give_up_at <= now)) {
		t->given_up = true;
		rv_task_cancel(task);
	}
}

/* 0, or -ECANCELED when the daemon goes: the function cannot go on without it */
static int wait_for_end(struct call_task *t, rv_task *task)
{
	struct run *run = t->run;

	while (!t->done) {
		rv_time until = RV_FOREVER;
		rv_scope scope;
		int r;

		rv_event_clear(&run->wake);
		act_on_stop(t, task);
		if (run->stop == RUN_STOP_NONE)
			until = run->deadline;
		else if (!t->given_up)
			until = t->give_up_at;
		r = rv_scope_enter(&scope, 0, until);
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
	struct invocation *in = t->in;

	run->end =
		(struct run_end){.kind = RUN_END_FUNCTION, .error = MIN(t->result, 0)};
	run->ended = true;
	if (t->result == -ECANCELED) {
		/* what the call holds may still be its thread's */
		if (atomic_load(&in->begun) && !atomic_load(&in->over))
			log_at(LOG_WARNING, "job",
				"job %" PRIu64
				": '%s' does not end, leaving its thread to it",
				run->job->id, in->f->name);
		return;
	}
	if (in->call.value && t->result >= 0)
		run->value = json_dumps(in->call.value, JSON_COMPACT);
	run->error_text = TAKE_PTR(in->call.message);
}

/* what the job calls, or why it cannot */
static int prepare(struct invocation **ret, struct run *run)
{
	const struct function *f;
	json_t *arguments;
	int r;

	f = functions_find(run->core->functions, job_str(&run->spec, FUNCTION));
	r = f ? load_arguments(&arguments, &run->spec) : -ENOENT;
	if (r < 0)
		return r;
	*ret = invocation_new(f, arguments, run->job);
	if (*ret)
		return 0;
	json_decref(arguments);
	return -ENOMEM;
}

int run_function(struct run *run)
{
	struct job *j = run->job;
	struct call_task t = {.run = run};
	struct store_job rec;
	rv_group g;
	rv_task *task;
	int r;

	if (run->ended) /* found after a restart: it died with that daemon */
		return 0;
	run->end = (struct run_end){.kind = RUN_END_FUNCTION};
	run->end.error = prepare(&t.in, run);
	run->ended = run->end.error < 0;
	if (run->ended)
		return 0;
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
		atomic_store(&t.in->call.cancelled, true);
		run->stop = RUN_STOP_SHUTDOWN;
	}
	(void)!rv_group_exit(&g, r);
	keep_result(run, &t);
	invocation_unref(t.in);
	return 0;
}
