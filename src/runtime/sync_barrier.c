/* Barrier: those that wait are let go all at once, so a new meeting may begin at once. */
#include "config.h"

#include <errno.h>
#include <limits.h>

#include "reeve/sync.h"
#include "runtime/debug_priv.h"
#include "runtime/task_priv.h"

int rv_barrier_init(rv_barrier *b, unsigned n)
{
	if (n == 0 || n > INT_MAX)
		return -EINVAL;
	link_init(&b->waiters);
	b->parties = n;
	b->home = NULL;
	b->n_waiting = 0;
	b->broken = false;
	return 0;
}

static void wait_cancelled(struct waiter *w)
{
	rv_barrier *b = w->data;

	b->n_waiting--;
	waiter_wake(w, -ECANCELED);
}

int rv_barrier_wait(rv_barrier *b)
{
	struct waiter w = {.data = b}, *first;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (WRONG_HOME(&b->home))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (b->broken)
		return -RV_EBROKEN;
	if (!waiter_first(&b->waiters))
		b->n_waiting = 0; /* if there were some, their loop was closed */
	if (b->n_waiting + 1 < b->parties) {
		b->n_waiting++;
		link_append(&b->waiters, &w.link);
		return task_wait_on_cancel(self, &w, wait_cancelled, "barrier", b);
	}
	b->n_waiting = 0;
	for (int i = 0; (first = waiter_first(&b->waiters)); i++)
		waiter_wake(first, i);
	return (int)b->parties - 1;
}

static void send_away(rv_barrier *b)
{
	b->n_waiting = 0;
	waiters_wake_all(&b->waiters, -RV_EBROKEN);
}

void rv_barrier_reset(rv_barrier *b)
{
	if (WRONG_HOME(&b->home))
		return;
	b->broken = false;
	send_away(b);
}

void rv_barrier_abort(rv_barrier *b)
{
	if (WRONG_HOME(&b->home))
		return;
	b->broken = true;
	send_away(b);
}

unsigned rv_barrier_parties(const rv_barrier *b)
{
	return b->parties;
}

unsigned rv_barrier_n_waiting(const rv_barrier *b)
{
	return b->n_waiting;
}

bool rv_barrier_is_broken(const rv_barrier *b)
{
	return b->broken;
}
