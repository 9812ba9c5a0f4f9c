/* Lock: handed from owner to waiter, so that nobody can overtake. */
#include "config.h"

#include "reeve/sync.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

void rv_lock_init(rv_lock *l)
{
	link_init(&l->waiters);
	l->owner = NULL;
	l->locked = false;
	l->home = NULL;
	l->owner_id = 0;
}

/* Who ended without giving it back may be gone, and his memory another's: for dumps. */
static inline void note_owner(rv_lock *l)
{
	if (debug_is_on())
		l->owner_id = l->owner ? l->owner->id : 0;
}

static NOINLINE int acquire(rv_lock *l, const char *fn)
{
	struct rv_task *self;
	struct waiter w;
	int r = task_await_begin_of(&self, fn);

	if (r < 0)
		return r;
	if (!l->locked) {
		l->locked = true;
		l->owner = self;
		note_owner(l);
		return 0;
	}
	link_append(&l->waiters, &w.link);
	return task_wait(self, &w, "lock", l);
}

int rv_lock_acquire(rv_lock *l)
{
	struct rv_task *self;

	if (LIKELY(!l->locked && task_await_passes(&self))) {
		l->locked = true;
		l->owner = self;
		return 0;
	}
	if (WRONG_HOME(&l->home))
		return -RV_EWRONGLOOP;
	return acquire(l, __func__);
}

bool rv_lock_try(rv_lock *l)
{
	if (WRONG_HOME(&l->home))
		return false;
	if (l->locked)
		return false;
	l->locked = true;
	l->owner = current.task;
	note_owner(l);
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

static NOINLINE int release(rv_lock *l)
{
	struct waiter *w;

	if (!l->locked)
		return -RV_ESTATE;
	if (debug_is_on() && current.loop && loop_debug(current.loop) &&
		l->owner != current.task)
		report_release();
	w = waiter_first(&l->waiters);
	if (!w) {
		l->locked = false;
		l->owner = NULL;
		return 0;
	}
	l->owner = w->task; /* it stays locked */
	note_owner(l);
	waiter_wake(w, 0);
	return 0;
}

int rv_lock_release(rv_lock *l)
{
	if (LIKELY(l->locked && link_is_empty(&l->waiters) && !debug_is_on())) {
		l->locked = false;
		l->owner = NULL;
		return 0;
	}
	if (WRONG_HOME(&l->home))
		return -RV_EWRONGLOOP;
	return release(l);
}

bool rv_lock_held(const rv_lock *l)
{
	return l->locked;
}
