/* The runner: a main task, and an orderly end. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "reeve/ctx.h"
#include "reeve/executor.h"
#include "reeve/gen.h"
#include "reeve/runner.h"
#include "reeve/scope.h"
#include "reeve/signal.h"
#include "runtime/loop_priv.h"

#define SHUTDOWN_GRACE_DEFAULT RV_SEC(10)

struct rv_runner {
	rv_loop *loop;
	rv_time shutdown_grace;

	bool handle_sigint, closed;
	struct rv_task *main; /* while it runs */
	rv_ctx *ctx;          /* what the main tasks so far have set */
	bool interrupted;
};

int rv_runner_new(rv_runner **ret, const rv_run_opts *o)
{
	rv_loop_opts lo = {0};
	rv_runner *r;
	int rc;

	if (current.loop)
		return -RV_ERUNNING;
	if (o) {
		lo.debug = o->debug;
		lo.stack_size = o->stack_size;
		lo.exec_threads = o->exec_threads;
		lo.clock = o->clock;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	rc = rv_loop_new(&r->loop, &lo);
	if (rc < 0) {
		free(r);
		return rc;
	}
	r->shutdown_grace =
		o && o->shutdown_grace ? o->shutdown_grace : SHUTDOWN_GRACE_DEFAULT;
	r->handle_sigint = !o || o->handle_sigint;
	*ret = r;
	return 0;
}

rv_loop *rv_runner_loop(rv_runner *r)
{
	return r->loop;
}

static void on_sigint(void *arg)
{
	rv_runner *r = arg;

	r->interrupted = true;
	if (r->main)
		(void)rv_task_cancel_why(r->main, "interrupted");
}

/* Only where nobody else wants the signal: the program, before, or in the last run. */
static void sigint_begin(rv_runner *r)
{
	struct sigaction sa;

	if (r->handle_sigint && sigaction(SIGINT, NULL, &sa) == 0 &&
		sa.sa_handler == SIG_DFL)
		(void)signal_on_runner(r->loop, SIGINT, on_sigint, r);
}

/* to_end: also where the loop is told to stop */
static int run_main(rv_runner *r, rv_task_opts *o, rv_fn fn, void *arg, bool to_end)
{
	struct rv_task *t;
	int rc;

	o->ctx = r->ctx;
	rc = rv_spawn_ex(&t, o, fn, arg);

	if (rc < 0)
		return rc;
	t->is_main = true;
	r->main = t;
	do
		rc = loop_run(r->loop);
	while (to_end && rc >= 0 && !t->done);
	/* If it goes on, its end is not that of the next run. */
	t->is_main = false;
	r->main = NULL;
	if (rc >= 0)
		rc = rv_task_result(t, NULL);
	rv_ctx_unref(r->ctx);
	r->ctx = rv_ctx_ref(t->ctx);
	rv_task_unref(t);
	return rc;
}

int rv_runner_run(rv_runner *r, rv_fn fn, void *arg)
{
	rv_task_opts o = {.name = "main", .loop = r->loop};
	int rc;

	if (r->closed)
		return -RV_ELOOPCLOSED;
	if (current.loop)
		return -RV_ERUNNING;
	r->interrupted = false;
	sigint_begin(r);
	rc = run_main(r, &o, fn, arg, false);
	signal_off_runner(r->loop, SIGINT);
	return rc == -ECANCELED && r->interrupted ? -EINTR : rc;
}

/* -- the end
 * ---------------------------------------------------------------------------------- */

static bool cancel_other(rv_task *t, void *arg)
{
	if (t != current.task) {
		t->detached = true; /* if it fails now, nobody else will say so */
		(void)rv_task_cancel_why(t, "shutting down");
	}
	return true;
}

/* The last of them may end before this task runs again. */
static void alone_cancelled(struct waiter *w)
{
	w->task->loop->drained = NULL;
	waiter_wake(w, -ECANCELED);
}

static int wait_until_alone(rv_loop *l)
{
	struct rv_task *self = current.task;
	struct waiter w;
	int r = 0;

	/* again for those that were spawned meanwhile */
	while (l->n_live > 1 && r >= 0) {
		w = (struct waiter){0};
		(void)rv_task_foreach(l, cancel_other, NULL);
		l->drained = &w;
		r = task_wait_on_cancel(self, &w, alone_cancelled, "other tasks", NULL);
	}
	return r;
}

static int shut_down(void *arg)
{
	rv_runner *r = arg;
	rv_loop *l = r->loop;
	rv_scope s;
	int rc, rc2;

	(void)rv_timeout(&s, r->shutdown_grace);
	rc = rv_scope_exit(&s, wait_until_alone(l));
	(void)rv_timeout(&s, r->shutdown_grace);
	rc2 = rv_scope_exit(&s, rv_loop_shutdown_gens(l));
	rc = rc < 0 ? rc : rc2;
	rc2 = l->executor ? rv_loop_shutdown_executor(l, r->shutdown_grace) : 0;
	return rc < 0 ? rc : rc2;
}

int rv_runner_close(rv_runner *r)
{
	rv_task_opts o = {.name = "shutdown", .loop = r->loop};
	int rc = 0;

	if (r->closed)
		return 0;
	if (current.loop)
		return -RV_ERUNNING;
	r->closed = true;
	if (r->loop->n_live > 0 || r->loop->executor || !link_is_empty(&r->loop->gens))
		rc = run_main(r, &o, shut_down, r, true);
	(void)rv_loop_close(r->loop);
	return rc;
}

void rv_runner_free(rv_runner *r)
{
	if (!r)
		return;
	(void)rv_runner_close(r);
	rv_loop_unref(r->loop);
	rv_ctx_unref(r->ctx);
	free(r);
}

DEFINE_CLEANUP(rv_runner *, rv_runner_free)

int rv_run(rv_fn main_fn, void *arg, const rv_run_opts *o)
{
	_cleanup_(rv_runner_freep) rv_runner *r = NULL;
	int rc = rv_runner_new(&r, o);

	return rc < 0 ? rc : rv_runner_run(r, main_fn, arg);
}
