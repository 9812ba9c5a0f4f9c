/* Semaphore: permits, handed from who gives one back to who waits. */
#include "config.h"

#include <errno.h>
#include <limits.h>

#include "reeve/sync.h"
#include "runtime/debug_priv.h"
#include "runtime/task_priv.h"

int rv_sem_init(rv_sem *s, long v, unsigned flags)
{
	if (v < 0 || flags & ~(unsigned)RV_SEM_BOUNDED)
		return -EINVAL;
	link_init(&s->waiters);
	s->value = v;
	s->home = NULL;
	s->max = flags & RV_SEM_BOUNDED ? v : LONG_MAX;
	return 0;
}

bool rv_sem_try(rv_sem *s)
{
	if (WRONG_HOME(&s->home))
		return false;
	if (s->value == 0)
		return false;
	s->value--;
	return true;
}

int rv_sem_acquire(rv_sem *s)
{
	struct rv_task *self;
	struct waiter w = {0};
	int r = task_await_begin(&self);

	if (WRONG_HOME(&s->home))
		return -RV_EWRONGLOOP;
	if (r < 0 || rv_sem_try(s))
		return r;
	link_append(&s->waiters, &w.link);
	return task_wait(self, &w, "semaphore", s);
}

int rv_sem_release(rv_sem *s)
{
	struct waiter *w = waiter_first(&s->waiters);

	if (WRONG_HOME(&s->home))
		return -RV_EWRONGLOOP;
	if (w) { /* the value stays 0: nobody can take it on the way */
		waiter_wake(w, 0);
		return 0;
	}
	if (s->value == s->max)
		return s->max == LONG_MAX ? -EOVERFLOW : -RV_ESTATE;
	s->value++;
	return 0;
}

long rv_sem_value(const rv_sem *s)
{
	return s->value;
}
