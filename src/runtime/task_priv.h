/*
 * Tasks from the inside, and the primitive that everything which waits is made of.
 *
 * How to write an awaiting function:
 *
 *	int rv_thing_wait(struct rv_thing *x)
 *	{
 *		struct rv_task *self;
 *		struct waiter w;
 *		int r = task_await_begin(&self);   cancelled? budget spent? no task?
 *
 *		if (r < 0)
 *			return r;
 *		if (thing_is_there(x))
 *			return 0;
 *		link_append(&x->waiters, &w.link);
 *		return task_wait(self, &w, "thing", x);
 *	}
 *
 * and who makes the thing happen calls waiter_wake(w, result) for one (or each) waiter
 * of the list, in a callback or another task, on the loop's thread. The waiter stands on
 * the stack of the waiting task, so nothing is allocated and nothing can fail.
 *
 * Cancelling unlinks the waiter and wakes it with -ECANCELED; after waiter_wake it is
 * no longer waiting and cancelling does nothing: completion wins. A waiter that has to
 * do something else when cancelled sets on_cancel, which runs in the canceller's
 * context, must not await, and either calls waiter_wake or leaves the task waiting.
 */
#ifndef RUNTIME_TASK_PRIV_H
#define RUNTIME_TASK_PRIV_H

#include "base/invariant.h"
#include "reeve/group.h"
#include "reeve/task.h"
#include "runtime/coro.h"
#include "runtime/current.h"
#include "runtime/debug_priv.h"
#include "runtime/link.h"

struct waiter {
	struct rv_link link; /* the thing's list; taken out by waiter_wake */
	struct rv_task *task;
	void (*on_cancel)(struct waiter *w); /* NULL: waiter_wake(w, -ECANCELED) */
	void *data;                          /* the user's */
	const char *site; /* for dumps: what it waits for, static text */
	const void *object;
	int result;
};

/* How many awaits may complete at once before the task yields all the same. */
#define TASK_OP_BUDGET 64

struct task_defer {
	struct task_defer *next;
	rv_cb fn;
	void *arg;
};

/* What few tasks need; allocated when they do. */
struct task_extra {
	char *name;
	char *errmsg;
	char *cancel_why;
	struct task_defer *defers;
	rv_dtor arg_dtor;
	struct waiter *starter; /* rv_group_start waits for rv_task_started */
	rv_future *future;      /* rv_task_future */
	void *val;              /* rv_task_return */
	rv_dtor val_dtor;
	rv_time spin_since;     /* of a run of awaits that were refused */
	const void *spawned_at; /* debug mode: a return address */
	/* debug mode, debug_site.c */
	struct coro *stack;    /* cleared before its first step; NULL: it was not */
	unsigned stack_period; /* when that was */
	size_t depth;          /* of its use, when it was last looked at */
	struct rv_link group_records; /* errors of groups that it has left: group.c */
};

/*
 * What each wait touches comes first. Small, because there may be very many of them, and
 * because making one costs what filling its lines of the cache costs.
 */
struct __attribute__((aligned(16))) rv_task {
	struct rv_ready ready;       /* run is NULL */
	rv_loop *loop;               /* NULL once the loop is closed */
	struct coro *coro;           /* NULL before the first step and after the last */
	struct waiter *waiter;       /* while it waits; NULL: running, ready or done */
	struct rv_scope_node *scope; /* innermost */
	int result;
	unsigned refs;
	int16_t op_budget;
	uint8_t n_spins; /* awaits that were refused, since others had a turn */
	uint8_t i_pool;  /* of the loop's */
	bool done;
	bool error_read : 1;
	bool detached : 1;
	bool service : 1;
	bool borrowed : 1; /* somebody has a pointer until the group exits */
	bool in_group : 1; /* see task_group */
	bool is_main : 1;
	bool spins : 1; /* extra->spin_since is set, */
	bool spin_reported : 1;
	rv_fn fn;
	void *arg;
	struct rv_scope_node root;
	struct rv_link joiners;    /* waiters of await and join */
	struct rv_link link;       /* in loop->tasks */
	struct rv_link group_link; /* in the group's children, or ended */
	struct rv_task
		*cancel_next; /* in loop->cancel_later, which holds a reference */
	struct task_extra *extra;
	rv_ctx *ctx; /* NULL: nothing was set */
	uint64_t id;
};

/* the group whose child it is; NULL */
static inline rv_group *task_group(const struct rv_task *t)
{
	if (!t->in_group)
		return NULL;
	return t->service ? CONTAINER_OF(t->root.parent, rv_group, services)
			  : CONTAINER_OF(t->root.parent, rv_group, scope.node);
}

/* An await was not refused. */
static inline void task_spins_no_more(struct rv_task *t)
{
	t->n_spins = 0;
	t->spins = false;
}

/* the slow paths of task_await_begin */
int task_await_refused(struct rv_task *t);
int task_budget_spent(struct rv_task *t);

/**
 * Open every awaiting function.
 *
 * Returns 0 and the running task; -RV_ENOTASK; -ECANCELED: return that and do nothing.
 */
#define task_await_begin(ret) task_await_begin_of((ret), __func__)
__attribute__((warn_unused_result)) static inline int task_await_begin_of(
	struct rv_task **ret, const char *fn)
{
	struct rv_task *t = current.task;

	*ret = t;
	if (UNLIKELY(!t))
		return debug_await_outside(fn);
	if (UNLIKELY(t->scope->cancelled))
		return task_await_refused(t);
	if (UNLIKELY(--t->op_budget <= 0)) {
		int r = task_budget_spent(t);

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * The same for where mostly nobody has to wait: true when nothing is out of the ordinary, and
 * then it has been counted. Else task_await_begin is still to be called, in a function of its
 * own, so that the ordinary way makes no room for what the other needs.
 */
static inline bool task_await_passes(struct rv_task **ret)
{
	struct rv_task *t = current.task;

	if (UNLIKELY(!t || debug_is_on() || t->scope->cancelled || t->op_budget <= 1))
		return false;
	t->op_budget--;
	*ret = t;
	return true;
}

/**
 * Sleep until waiter_wake. The caller has linked w (or zeroed w->link) and may have set
 * on_cancel with waiter_init; everything else is filled in here.
 */
__attribute__((warn_unused_result)) int task_wait(
	struct rv_task *self, struct waiter *w, const char *site, const void *object);
/* The same for one that has to act when cancelled. */
__attribute__((warn_unused_result)) int task_wait_on_cancel(struct rv_task *self,
	struct waiter *w, void (*on_cancel)(struct waiter *w), const char *site,
	const void *object);
/* Sleeps until waiter_wake whatever is cancelled meanwhile. */
__attribute__((warn_unused_result)) int task_wait_shielded(
	struct rv_task *self, struct waiter *w, const char *site, const void *object);
/* Unlink and make the task ready; its wait returns result. Never fails. */
void waiter_wake(struct waiter *w, int result);
/*
 * For who wakes many: fetch what the switch to w's task will touch. The waiter stands on
 * the task's stack, a little above what the switch away has saved there.
 */
static inline void waiter_prefetch(const struct waiter *w)
{
	enum { LINE = 64, SAVED_LINES = 6 };

	__builtin_prefetch(w->task->coro, 1);
	for (int i = 1; i <= SAVED_LINES; i++)
		__builtin_prefetch((const char *)w - i * LINE, 1);
}
/* all of a list, in order */
void waiters_wake_all(struct rv_link *waiters, int result);
/* the rare way of what comes next; first is one of those */
__attribute__((cold)) struct waiter *waiter_first_live(
	struct rv_link *waiters, struct waiter *first);
/*
 * NULL: nobody waits. Tasks that a closed loop has abandoned do not count: what they were
 * given would be lost. They are taken out here and not when it closes, since by then what
 * they wait for may be gone.
 */
static inline struct waiter *waiter_first(struct rv_link *waiters)
{
	struct rv_link *first = link_first(waiters);
	struct waiter *w = first ? LINK_ENTRY(first, struct waiter, link) : NULL;

	if (w && UNLIKELY(!w->task->loop))
		return waiter_first_live(waiters, w);
	return w;
}

/* Cancel as soon as the cancelling that is under way is through: for on_cancel. */
void task_cancel_later(struct rv_task *t);
/* Let others run; never refused. */
void task_yield(struct rv_task *self);
/* NULL: no memory */
struct task_extra *task_extra(struct rv_task *t);
void task_extra_free(struct rv_task *t);
/* what rv_task_return has stored is the caller's from now on; NULL */
void task_take_payload(struct rv_task *t, void **ret, rv_dtor *ret_dtor);

struct spawn_params {
	rv_loop *loop;            /* NULL: -RV_ENOTASK */
	const rv_task_opts *opts; /* may be NULL */
	rv_group *group;          /* NULL: none */
	struct rv_scope_node *parent;
	struct waiter *starter;
	bool service, borrowed;
	rv_fn fn;
	void *arg;
};
/* 0 and one reference; what rv_spawn_ex returns, and arg was given to its destructor */
int task_spawn_in(struct rv_task **ret, const struct spawn_params *p);
/* The body, and the end; on the task's own stack. t may be gone after. */
void task_run(struct rv_task *t);
/* A task that was cancelled before its first step, or gets no stack for it, ends without. */
void task_finish_unstarted(struct rv_task *t, int result);
/* The loop goes away under it. */
void task_abandon(struct rv_task *t);
/* Gives memory back after a peak: all but that of so many. */
void task_cache_trim(rv_loop *l, size_t n);
/* what a coroutine of a loop runs */
void task_coro_entry(struct coro *c);
void task_report(struct rv_task *t, const char *message);

/* scope.c */
enum {
	/* for rv_scope_enter: that a shield has no deadline is meant, and the library's */
	SCOPE_UNREPORTED = 1 << 8,
};
static inline bool scope_node_is_cancelled(const struct rv_scope_node *n)
{
	return n->count > 0 || (!n->shield && n->parent && n->parent->cancelled);
}

static inline void scope_node_init(struct rv_scope_node *n,
	struct rv_scope_node *parent, struct rv_task *task, bool shield)
{
	n->parent = parent;
	n->task = task;
	n->why = NULL;
	n->count = 0;
	n->shield = shield;
	n->cancelled = false;
	link_init(&n->children);
	if (parent) {
		link_append(&parent->children, &n->link);
		n->cancelled = scope_node_is_cancelled(n);
	} else {
		n->link.prev = n->link.next = NULL;
	}
}

static inline void scope_node_deinit(struct rv_scope_node *n)
{
	INVARIANT(link_is_empty(&n->children));
	link_remove(&n->link);
	n->parent = NULL;
}
/* one more request; why is static or lives as long as the node */
void scope_node_cancel(rv_loop *l, struct rv_scope_node *n, const char *why);
/* recompute n and what is below after its count changed */
void scope_node_update(rv_loop *l, struct rv_scope_node *n);

/* group.c: t, a child, has ended */
void group_child_done(rv_group *g, struct rv_task *t);
/* errors of groups that the task has left */
void group_records_free(struct rv_task *t);

/* future.c: of a task, which ends with r */
void future_task_done(rv_future *f, struct rv_task *t);
void future_task_gone(rv_future *f);
int future_new_for_task(rv_future **ret, struct rv_task *t);

/* Told at once when a future is done: for who waits for several. fn is called from inside
 * whatever completed it, so it must only note that, or wake somebody. */
struct future_watch {
	struct rv_link link; /* in the future's watches; out of it when fn is called */
	void (*fn)(struct future_watch *w);
	/* the loop closes, and the future will never be done; may be NULL */
	void (*closed)(struct future_watch *w);
};
/* f is not done yet */
void future_watch(rv_future *f, struct future_watch *w);
/* no effect when it has been told */
void future_unwatch(struct future_watch *w);
/* 0; why self cannot wait for f: -RV_EWRONGLOOP, -EDEADLK */
int future_check_await(const rv_future *f, const struct rv_task *self);
/* The task whose end f waits for, through shields or not; NULL: somebody completes it. */
struct rv_task *future_ended_by(const rv_future *f, bool *ret_shielded);
/* the result of one that is done; does not count as having read it */
int future_peek(const rv_future *f);
/* a failure that is still to come is nobody's business */
void future_ignore_error(rv_future *f);

#endif
