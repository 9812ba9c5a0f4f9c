/* Limiter: tokens, at most one to each task, of which there may be more or fewer. */
#include "config.h"

#include <errno.h>

#include "base/cleanup.h"
#include "reeve/sync.h"
#include "runtime/debug_priv.h"
#include "runtime/task_priv.h"

void rv_limiter_init(rv_limiter *l, size_t total)
{
	link_init(&l->waiters);
	link_init(&l->taken);
	l->total = total;
	l->n_taken = 0;
	l->home = NULL;
}

static void take(rv_limiter *l, rv_token *t, struct rv_task *task)
{
	link_append(&l->taken, &t->link);
	t->task = task;
	t->task_id = task->id;
	l->n_taken++;
}

/* By id as well: a task that ended with its token still out may have left its memory to
 * another. */
static bool has_one(const rv_limiter *l, const struct rv_task *task)
{
	for (struct rv_link *it = l->taken.next; it != &l->taken; it = it->next) {
		const rv_token *t = LINK_ENTRY(it, rv_token, link);

		if (t->task == task && t->task_id == task->id)
			return true;
	}
	return false;
}

/* The tokens that there are go to those who wait, in order. */
static void hand_out(rv_limiter *l)
{
	struct waiter *w;

	while (l->n_taken < l->total && (w = waiter_first(&l->waiters))) {
		take(l, w->data, w->task);
		waiter_wake(w, 0);
	}
}

/* 0; -EAGAIN: it is to wait */
static int try(rv_limiter *l, rv_token *t, struct rv_task *self)
{
	if (link_is_linked(&t->link))
		return -RV_ESTATE;
	if (has_one(l, self))
		return -EDEADLK;
	/* whoever waits, waits because there is none: nobody is overtaken */
	if (l->n_taken >= l->total)
		return -EAGAIN;
	take(l, t, self);
	return 0;
}

int rv_limiter_try(rv_limiter *l, rv_token *t)
{
	if (WRONG_HOME(&l->home))
		return -RV_EWRONGLOOP;
	return current.task ? try(l, t, current.task) : -RV_ENOTASK;
}

int rv_limiter_acquire(rv_limiter *l, rv_token *t)
{
	struct rv_task *self;
	struct waiter w = {.data = t};
	int r = task_await_begin(&self);

	if (WRONG_HOME(&l->home))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	r = try(l, t, self);
	if (r != -EAGAIN)
		return r;
	link_append(&l->waiters, &w.link);
	return task_wait(self, &w, "limiter", l);
}

int rv_limiter_release(rv_limiter *l, rv_token *t)
{
	if (WRONG_HOME(&l->home))
		return -RV_EWRONGLOOP;
	if (!link_is_linked(&t->link))
		return -RV_ESTATE;
	link_unlink(&t->link);
	l->n_taken--;
	hand_out(l);
	return 0;
}

void rv_limiter_set_total(rv_limiter *l, size_t total)
{
	if (WRONG_HOME(&l->home))
		return;
	l->total = total;
	hand_out(l);
}

size_t rv_limiter_total(const rv_limiter *l)
{
	return l->total;
}

size_t rv_limiter_taken(const rv_limiter *l)
{
	return l->n_taken;
}
