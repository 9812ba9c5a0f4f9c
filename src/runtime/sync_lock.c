/* Lock: handed from owner to waiter, so that nobody can overtake. */
#include "config.h"

#include "reeve/sync.h"
#include "runtime/loop_priv.h"

void rv_lock_init(rv_lock *l)
{
	link_init(&l->waiters);
	l->owner = NULL;
	l->locked = false;
}

int rv_lock_acquire(rv_lock *l)
{
	struct rv_task *self;
	struct waiter w;
	int r = task_await_begin(&self);

	if (UNLIKELY(r < 0))
		return r;
	if (LIKELY(!l->locked)) {
		l->locked = true;
		l->owner = self;
		return 0;
	}
	link_append(&l->waiters, &w.link);
	return task_wait(self, &w, "lock", l);
}

bool rv_lock_try(rv_lock *l)
{
	if (l->locked)
		return false;
	l->locked = true;
	l->owner = current.task;
	return true;
}

/* That is allowed, and mostly a bug. */
static void report_release(void)
{
	rv_exc e = RV_EXC_NULL;

	e.message = "lock was released by another than its owner";
	e.task = current.task;
	rv_report(current.loop, &e);
}

int rv_lock_release(rv_lock *l)
{
	struct waiter *w;

	if (!l->locked)
		return -RV_ESTATE;
	if (UNLIKELY(current.loop && current.loop->debug) && l->owner != current.task)
		report_release();
	w = waiter_first(&l->waiters);
	if (LIKELY(!w)) {
		l->locked = false;
		l->owner = NULL;
		return 0;
	}
	l->owner = w->task; /* it stays locked */
	waiter_wake(w, 0);
	return 0;
}

bool rv_lock_held(const rv_lock *l)
{
	return l->locked;
}
