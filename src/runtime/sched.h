/*
 * Who runs next: what each switch goes through, inlined into who switches.
 */
#ifndef RUNTIME_SCHED_H
#define RUNTIME_SCHED_H

#include "runtime/coro_switch.h"
#include "runtime/loop_priv.h"

/* loop.c: the same when it is time to look at the clock */
bool sched_budget_by_clock(rv_loop *l);

/* Whether another step may be taken before polling. */
static inline bool sched_budget_left(rv_loop *l)
{
	if (LIKELY(++l->n_steps < l->look_at))
		return !l->poll_due;
	return sched_budget_by_clock(l);
}

/* The task to switch to next, or NULL: it is the leader's turn. */
static inline struct rv_task *sched_pick(rv_loop *l)
{
	struct rv_link *first = l->ready.next;
	struct rv_ready *r;
	struct rv_task *t;

	if (first == &l->ready)
		return NULL;
	r = LINK_ENTRY(first, struct rv_ready, link);
	if (r->round != l->round) {
		/* The round is over. Another is begun here, without the leader, if it
		 * may be begun without polling. */
		if (l->stop || l->ran_callbacks)
			return NULL;
		l->round++;
	}
	if (r->run || UNLIKELY(l->watched))
		return NULL;
	t = CONTAINER_OF(r, struct rv_task, ready);
	if (UNLIKELY(!t->coro) && t->scope->cancelled)
		return NULL; /* ends without a step, on the leader's stack */
	if (UNLIKELY(!sched_budget_left(l)))
		return NULL;
	link_unlink(first);
	return t;
}

/* Give an unstarted task its stack. self: who is about to switch to it. 0; a negative error of
 * coro_pool_take: there is none. */
static inline int sched_get_coro(struct rv_task *t, struct coro *self)
{
	struct coro *c;
	int r = coro_pool_take(task_pool(t), &c);

	if (UNLIKELY(r < 0))
		return r;
	c->owner = t;
	c->entry = task_coro_entry;
	t->coro = c;
	if (UNLIKELY(!c->prepared))
		coro_prepare(self, c);
	return 0;
}

/* Where to go on for what sched_pick has returned. */
static ALWAYS_INLINE struct coro *sched_target(
	rv_loop *l, struct rv_task *t, struct coro *self)
{
	if (!t)
		return &l->leader;
	if (!t->coro && UNLIKELY(sched_get_coro(t, self) < 0)) {
		ready_prepend(l, &t->ready); /* the leader ends it */
		return &l->leader;
	}
	return t->coro;
}

/* Leave the running task's stack; returns when it is picked again. */
static ALWAYS_INLINE void sched_leave(struct rv_task *self)
{
	rv_loop *l = self->loop;
	struct rv_task *next = sched_pick(l);

	if (next == self)
		return;
	coro_switch_errno(self->coro, sched_target(l, next, self->coro), l->errno_at);
	current.task = self;
}

#endif
