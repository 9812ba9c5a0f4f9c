/* Condition: wait for a change of what a lock guards. */
#include "config.h"

#include <errno.h>

#include "base/invariant.h"
#include "reeve/sync.h"
#include "runtime/debug_priv.h"
#include "runtime/task_priv.h"

void rv_cond_init(rv_cond *c, rv_lock *l)
{
	link_init(&c->waiters);
	c->lock = l;
	c->home = NULL;
}

/* Whatever is cancelled: whoever called rv_cond_wait is going to release it. */
static void lock_again(struct rv_task *self, rv_lock *l)
{
	struct waiter w = {0};
	int r;

	if (rv_lock_try(l))
		return;
	link_append(&l->waiters, &w.link);
	r = task_wait_shielded(self, &w, "lock of a condition", l);
	/* that it is still this task's nobody can say: others may release it, too */
	INVARIANT(r == 0);
}

int rv_cond_wait(rv_cond *c)
{
	struct rv_task *self;
	struct waiter w = {0};
	int r = task_await_begin(&self);

	if (WRONG_HOME(&c->home))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (!c->lock->locked)
		return -RV_ESTATE;
	link_append(&c->waiters, &w.link);
	(void)rv_lock_release(c->lock);
	r = task_wait(self, &w, "condition", c);
	lock_again(self, c->lock);
	if (r == 0 && self->scope->cancelled) {
		(void)rv_cond_notify(c, 1);
		return -ECANCELED;
	}
	return r;
}

int rv_cond_wait_until(rv_cond *c, bool (*pred)(void *arg), void *arg)
{
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (WRONG_HOME(&c->home))
		return -RV_EWRONGLOOP;
	if (r >= 0 && !c->lock->locked)
		return -RV_ESTATE;
	while (r >= 0 && !pred(arg))
		r = rv_cond_wait(c);
	return r;
}

int rv_cond_notify(rv_cond *c, size_t n)
{
	struct waiter *w;

	if (WRONG_HOME(&c->home))
		return -RV_EWRONGLOOP;
	if (!c->lock->locked)
		return -RV_ESTATE;
	while (n-- > 0 && (w = waiter_first(&c->waiters)))
		waiter_wake(w, 0);
	return 0;
}

int rv_cond_notify_all(rv_cond *c)
{
	if (WRONG_HOME(&c->home))
		return -RV_EWRONGLOOP;
	return rv_cond_notify(c, SIZE_MAX);
}
