/* Tasks: birth, steps, end. Waiting is in task_wait.c, naming and payloads in
 * task_info.c. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "reeve/ctx.h"
#include "reeve/future.h"
#include "runtime/debug_priv.h"
#include "runtime/sched.h"
#include "runtime/zero.h"

static inline bool cache_has_room(const rv_loop *l)
{
#ifdef REEVE_SANITIZED
	return false; /* uses after the end had better be seen */
#else
	return l->n_tasks_cached < TASKS_CACHED_MAX;
#endif
}

static inline struct rv_task *task_alloc(rv_loop *l)
{
	struct rv_link *it = l->task_cache;

	if (UNLIKELY(!it))
		return malloc(sizeof(struct rv_task));
	l->task_cache = it->next;
	l->n_tasks_cached--;
	return LINK_ENTRY(it, struct rv_task, link);
}

static bool is_unread_failure(const struct rv_task *t)
{
	return !t->error_read && t->result < 0 && t->result != -ECANCELED;
}

/* To the handler it is a task like any other, of which it may take a reference: false, it
 * has. */
static NOINLINE bool report_unread(struct rv_task *t)
{
	t->refs = 1;
	if (is_unread_failure(t))
		task_report(t, "task failed and nobody looked");
	else
		debug_report_unawaited(t);
	return --t->refs == 0;
}

static void task_free(struct rv_task *t)
{
	rv_loop *l = t->loop;

	if (UNLIKELY(is_unread_failure(t) || (debug_is_on() && !t->error_read &&
						     !t->detached && t->result >= 0)) &&
		!report_unread(t))
		return;
	if (t->extra)
		task_extra_free(t);
	if (t->ctx)
		rv_ctx_unref(t->ctx);
	if (!l) {
		free(t);
		return;
	}
	link_unlink(&t->link);
	if (!cache_has_room(l)) {
		free(t);
		return;
	}
	t->link.next = l->task_cache;
	l->task_cache = &t->link;
	l->n_tasks_cached++;
}

void task_cache_trim(rv_loop *l, size_t n)
{
	while (l->n_tasks_cached > n)
		free(task_alloc(l));
}

static NOINLINE int task_fill_extra(struct rv_task *t, const struct spawn_params *p)
{
	const rv_task_opts *o = p->opts;
	struct task_extra *x;

	if (!p->starter && !o->arg_dtor && !o->name)
		return 0;
	x = task_extra(t);
	if (!x)
		return -ENOMEM;
	x->starter = p->starter;
	x->arg_dtor = o ? o->arg_dtor : NULL;
	return o && o->name ? rv_task_set_name(t, o->name) : 0;
}

/* Inlined, so that rv_spawn, of which there are many, asks only what it does not know. */
static ALWAYS_INLINE int task_new(struct rv_task **ret, const struct spawn_params *p)
{
	const rv_task_opts *o = p->opts;
	rv_loop *l = p->loop;
	struct coro_pool *pool;
	struct rv_task *t;
	int r;

	if (!l)
		return -RV_ENOTASK;
	if (l->closed)
		return -RV_ELOOPCLOSED;
	pool = loop_pool_for(l, o ? o->stack_size : 0);
	if (!p->fn || !pool)
		return -EINVAL;
	r = coro_pool_promise(pool);
	if (r < 0)
		return r;
	t = task_alloc(l);
	if (!t) {
		coro_pool_unpromise(pool);
		return -ENOMEM;
	}
	ZERO_OBJECT(t);
	t->loop = l;
	t->i_pool = (uint8_t)(pool - l->pools);
	t->fn = p->fn;
	t->arg = p->arg;
	t->in_group = p->group;
	t->service = p->service;
	t->borrowed = p->borrowed;
	t->id = l->next_task_id++;
	t->refs = 2; /* the caller's, and the loop's until it ends */
	t->op_budget = TASK_OP_BUDGET;
	if (o && o->ctx)
		t->ctx = rv_ctx_ref(o->ctx);
	else if (current.task && current.task->ctx)
		t->ctx = rv_ctx_ref(current.task->ctx);
	t->scope = &t->root;
	scope_node_init(&t->root, p->parent, t, false);
	link_init(&t->joiners);
	if ((o || p->starter) && task_fill_extra(t, p) < 0) {
		scope_node_deinit(&t->root);
		coro_pool_unpromise(pool);
		if (t->extra)
			task_extra_free(t);
		rv_ctx_unref(t->ctx);
		free(t);
		return -ENOMEM;
	}
	link_append(&l->tasks, &t->link);
	l->n_live++;
	*ret = t;
	return 0;
}

/* Run it until it first waits; the caller goes on right after that. */
static void start_now(struct rv_task *t)
{
	struct rv_task *self = current.task;

	ready_prepend(t->loop, &self->ready);
	ready_prepend(t->loop, &t->ready);
	sched_leave(self);
}

/* Before its first step, so that an eager child is one from the beginning. */
static inline void join_group(struct rv_task *t, rv_group *g)
{
	link_append(&g->children, &t->group_link);
	if (t->service)
		g->n_services++;
	else
		g->n_children++;
}

static ALWAYS_INLINE int spawn(struct rv_task **ret, const struct spawn_params *p)
{
	const rv_task_opts *o = p->opts;
	struct rv_task *t;
	int r = task_new(&t, p);

	if (r < 0) {
		if (p->loop)
			p->loop->spawns_from = NULL;
		if (o && o->arg_dtor)
			o->arg_dtor(p->arg);
		return r;
	}
	*ret = t;
	if (p->group)
		join_group(t, p->group);
	if (UNLIKELY(p->loop->watched)) {
		debug_note_spawn(t);
		hooks_spawned(t);
	}
	if (o && (o->flags & RV_SPAWN_EAGER) && current.task && current.loop == p->loop)
		start_now(t);
	else
		ready_append(p->loop, &t->ready);
	return 0;
}

int task_spawn_in(struct rv_task **ret, const struct spawn_params *p)
{
	return spawn(ret, p);
}

int rv_spawn_ex(rv_task **ret, const rv_task_opts *o, rv_fn fn, void *arg)
{
	struct spawn_params p = {
		.loop = o && o->loop ? o->loop : current.loop,
		.opts = o,
		.fn = fn,
		.arg = arg,
	};
	struct rv_task *t;
	int r;

	if (WRONG_THREAD_TO_SPAWN(p.loop)) {
		if (o && o->arg_dtor)
			o->arg_dtor(arg);
		return -RV_EWRONGLOOP;
	}
	r = task_spawn_in(&t, &p);
	if (r < 0)
		return r;
	if (ret)
		*ret = t;
	else
		rv_task_detach(t);
	return 0;
}

rv_task *rv_spawn(rv_fn fn, void *arg)
{
	struct spawn_params p = {.loop = current.loop, .fn = fn, .arg = arg};
	struct rv_task *t;
	int r;

	(void)WRONG_THREAD_TO_SPAWN(
		p.loop); /* it is the loop of this thread, or none */
	r = spawn(&t, &p);
	if (UNLIKELY(r < 0)) {
		errno = -r;
		return NULL;
	}
	return t;
}

/* -- the end ------------------------------------------------------------------------
 */

static NOINLINE void run_defers(struct rv_task *t)
{
	struct task_defer *d;
	rv_scope sh;

	(void)rv_shield(&sh, t->loop->cleanup_grace);
	while ((d = t->extra->defers)) {
		rv_cb fn = d->fn;
		void *arg = d->arg;

		t->extra->defers = d->next;
		free(d);
		fn(arg);
	}
	(void)rv_scope_exit(&sh, 0);
}

/* Tell everyone. Nothing here allocates, waits, or can fail. */
static void task_end(struct rv_task *t, int r)
{
	rv_loop *l = t->loop;
	rv_group *g = task_group(t);

	current.task = NULL; /* what is called from here must not await */
	t->result = r;
	t->done = true;
	t->in_group = false;
	task_spins_no_more(t);
	l->n_live--;
	scope_node_deinit(&t->root);
	if (t->extra && t->extra->arg_dtor)
		t->extra->arg_dtor(t->arg);
	if (!link_is_empty(&t->joiners))
		waiters_wake_all(&t->joiners, 0);
	/* who asked for it in the destructor just now has got one that is done */
	if (t->extra && t->extra->future && !rv_future_done(t->extra->future))
		future_task_done(t->extra->future, t);
	if (g)
		group_child_done(g, t);
	if (t->detached && r < 0 && r != -ECANCELED && !t->error_read)
		task_report(t, "detached task failed");
	if (l->drained && l->n_live == 1)
		waiter_wake(TAKE_PTR(l->drained), 0);
	if (t->is_main)
		l->stop = true;
	rv_task_unref(t);
}

void task_run(struct rv_task *t)
{
	int r;

	current.task = t;
	r = t->fn(t->arg);
	if (UNLIKELY(current.task != t)) /* it forked, and this is the child */
		fork_leave(t->loop, t->coro);
	/* A scope or group that is still open was in the frame that has just gone:
	 * there is nothing to close any more, and its children would write into this
	 * stack. */
	INVARIANT(t->scope == &t->root);
	if (t->extra && t->extra->defers)
		run_defers(t);
	t->coro = NULL;
	task_end(t, r);
}

void task_finish_unstarted(struct rv_task *t, int result)
{
	coro_pool_unpromise(task_pool(t));
	task_end(t, result);
}

void task_abandon(struct rv_task *t)
{
	task_report(t, "task was pending when its loop closed");
	hooks_ended(t->loop, t);
	t->error_read = true;
	if (!t->coro) { /* it has nothing anywhere yet: end it properly */
		link_remove(&t->ready.link);
		task_finish_unstarted(t, -ECANCELED);
		return;
	}
	/* Its stack stays as it is, and so does the loop's reference: locks and queues
	 * may still point at it. */
	link_remove(&t->ready.link);
	t->coro->owner = t;
}

rv_task *rv_task_ref(rv_task *t)
{
	if (WRONG_THREAD(t->loop))
		return t;
	t->refs++;
	return t;
}

void rv_task_unref(rv_task *t)
{
	if (WRONG_THREAD(t ? t->loop : NULL))
		return;
	if (!t)
		return;
	INVARIANT(t->refs > 0);
	if (--t->refs == 0)
		task_free(t);
}

void rv_task_detach(rv_task *t)
{
	if (WRONG_THREAD(t->loop))
		return;
	if (t->done && t->result < 0 && t->result != -ECANCELED && !t->error_read)
		task_report(t, "detached task failed");
	t->detached = true;
	rv_task_unref(t);
}

/* Not inlined: who may have to report makes no room for it. */
NOINLINE void task_report(struct rv_task *t, const char *message)
{
	rv_exc e = RV_EXC_NULL;

	t->error_read = true;
	if (!t->loop)
		return; /* the loop is closed: nobody is there to hear it */
	e.message = message;
	e.err = t->done ? t->result : 0;
	e.task = t;
	rv_report(t->loop, &e);
}
