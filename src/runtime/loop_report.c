/* Errors that nobody can be returned: the exception handler. */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/sigpipe.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

void rv_loop_set_exception_handler(rv_loop *l, rv_exc_fn fn, void *arg)
{
	if (WRONG_THREAD(l))
		return;
	l->exc_fn = fn;
	l->exc_arg = arg;
}

/* Whoever reads it may be gone: no reason to end. */
void report_print(const char *text)
{
	struct sigpipe_hold hold;
	bool failed;

	sigpipe_hold(&hold);
	failed = fprintf(stderr, "reeve: %s\n", text) < 0;
	sigpipe_release(&hold, failed && errno == EPIPE);
}

void rv_default_exception_handler(rv_loop *l, const rv_exc *e, void *arg)
{
	char line[2048];
	const char *msg;
	int n;

	n = snprintf(line, sizeof(line), "%s", e->message ? e->message : "error");
	if (e->task && n > 0 && (size_t)n < sizeof(line))
		n += snprintf(line + n, sizeof(line) - (size_t)n, ": task '%s'",
			rv_task_name(e->task));
	if (e->fd >= 0 && n > 0 && (size_t)n < sizeof(line))
		n += snprintf(line + n, sizeof(line) - (size_t)n, ": fd %d", e->fd);
	if (e->err && n > 0 && (size_t)n < sizeof(line))
		n += snprintf(line + n, sizeof(line) - (size_t)n, ": %s",
			rv_strerror(e->err));
	msg = e->task ? rv_task_errmsg(e->task) : NULL;
	if (msg && n > 0 && (size_t)n < sizeof(line))
		(void)snprintf(line + n, sizeof(line) - (size_t)n, " (%s)", msg);
	report_print(line);
}

void rv_report(rv_loop *l, const rv_exc *e)
{
	struct current saved = current;
	rv_exc copy = *e;

	if (WRONG_THREAD(l))
		return;
	if (!copy.handle.p)
		copy.handle = handle_current(l);
	if (!l->exc_fn) {
		rv_default_exception_handler(l, &copy, NULL);
		return;
	}
	if (l->in_exc_fn) {
		/* the handler has failed itself: it is not asked about that */
		rv_exc broken = RV_EXC_NULL;

		broken.message = "unhandled error in exception handler";
		broken.err = copy.err;
		rv_default_exception_handler(l, &broken, NULL);
		rv_default_exception_handler(l, &copy, NULL);
		return;
	}
	/* It must not await, whoever reports: hide the task. */
	current.task = NULL;
	l->in_exc_fn = true;
	l->exc_fn(l, &copy, l->exc_arg);
	l->in_exc_fn = false;
	current = saved;
}
