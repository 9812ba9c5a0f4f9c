/*
 * Generators. While the body runs the task's stack is the generator's: what the body
 * awaits parks that, and the scheduler comes back to it. The stack that the task came in
 * on waits in rv_gen_next meanwhile.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "reeve/gen.h"
#include "runtime/debug_priv.h"
#include "runtime/sched.h"

struct rv_gen {
	struct rv_link
		link;  /* in loop->gens while it has a stack, or a promise of one */
	rv_loop *loop; /* NULL once that is closed */
	struct coro_pool *pool;
	struct coro *coro;           /* NULL: not begun, or over */
	struct coro *caller;         /* while it runs: the stack of who asked */
	struct rv_scope_node *scope; /* innermost of who asked */
	rv_gen_fn body;
	void *arg;
	rv_dtor arg_dtor;
	void *value;
	int result;
	bool begun, over, running, closing, yielded;
	bool result_told;
};

int rv_gen_new(rv_gen **ret, rv_gen_fn body, void *arg, rv_dtor d)
{
	rv_loop *l = current.loop;
	rv_gen *g = NULL;
	int r = !l ? -RV_ENOTASK : !body || !ret ? -EINVAL : 0;

	if (r == 0) {
		g = calloc(1, sizeof(*g));
		r = g ? 0 : -ENOMEM;
	}
	if (r == 0) {
		g->pool = loop_pool_for(l, 0);
		r = coro_pool_promise(g->pool);
	}
	if (r < 0) {
		free(g);
		if (d)
			d(arg);
		return r;
	}
	g->loop = l;
	g->body = body;
	g->arg = arg;
	g->arg_dtor = d;
	link_append(&l->gens, &g->link);
	*ret = g;
	return 0;
}

/* The body has ended, or will never begin. */
static void gen_over(rv_gen *g, int result)
{
	g->result = result;
	g->over = true;
	link_remove(&g->link);
	if (g->arg_dtor)
		g->arg_dtor(g->arg);
}

/* on its own stack, which is given back at the end */
static void gen_entry(struct coro *c)
{
	rv_gen *g = c->owner;
	struct coro *caller;
	int r = g->body(g, g->arg);

	if (!current.task) /* it forked, and this is the child */
		fork_leave(g->loop, c);
	INVARIANT(
		current.task->scope == g->scope); /* what it has entered it has left */
	caller = g->caller;
	g->coro = NULL;
	gen_over(g, r);
	coro_pool_put(g->pool, c);
	coro_switch(c, caller);
}

/* Give it its stack. */
static int gen_begin(rv_gen *g, struct rv_task *self)
{
	int r = coro_pool_take(g->pool, &g->coro);

	if (r < 0)
		return r;
	g->begun = true;
	g->coro->owner = g;
	g->coro->entry = gen_entry;
	coro_prepare(self->coro, g->coro);
	return 0;
}

/* Run the body until it yields or ends. */
static void gen_resume(rv_gen *g, struct rv_task *self)
{
	struct coro *mine = self->coro;

	g->caller = mine;
	g->scope = self->scope;
	g->running = true;
	g->yielded = false;
	self->coro = g->coro;
	coro_switch(mine, g->coro);
	self->coro = mine;
	g->running = false;
	g->caller = NULL;
}

static int gen_check(const rv_gen *g, const struct rv_task *self)
{
	if (g->running)
		return -EBUSY;
	return g->loop == self->loop ? 0 : -RV_EWRONGLOOP;
}

static int tell_result(rv_gen *g)
{
	if (g->result_told)
		return 0;
	g->result_told = true;
	return MIN(g->result, 0);
}

int rv_gen_next(rv_gen *g, void **ret)
{
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (WRONG_THREAD(g->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	r = gen_check(g, self);
	if (r >= 0 && !g->begun && !g->over)
		r = gen_begin(g, self);
	if (r < 0)
		return r;
	if (!g->over)
		gen_resume(g, self);
	if (!g->yielded)
		return tell_result(g);
	*ret = g->value;
	return 1;
}

int rv_gen_yield(rv_gen *g, void *v)
{
	struct rv_task *self = current.task;

	if (!self || !g->running || self->coro != g->coro || self->scope != g->scope)
		return -RV_ESTATE;
	if (g->closing) {
		/* it was told already: whoever does not listen must not hold the thread */
		task_yield(self);
		return -ECANCELED;
	}
	g->value = v;
	g->yielded = true;
	coro_switch(g->coro, g->caller);
	return g->closing ? -ECANCELED : 0;
}

static void gen_end(rv_gen *g, struct rv_task *self)
{
	g->closing = true;
	if (g->over)
		return;
	if (!g->begun) {
		coro_pool_unpromise(g->pool);
		g->running = true; /* its destructor must not close it */
		gen_over(g, 0);
		g->running = false;
		return;
	}
	gen_resume(g, self);
	INVARIANT(g->over);
	if (g->result == -ECANCELED)
		g->result_told = true; /* as it was told to */
}

int rv_gen_close(rv_gen *g)
{
	struct rv_task *self = current.task;
	int r;

	if (WRONG_THREAD(g ? g->loop : NULL))
		return -RV_EWRONGLOOP;
	if (!g)
		return 0;
	if (g->running)
		return -EBUSY;
	if (!g->over) {
		if (!self)
			return -RV_ENOTASK;
		r = gen_check(g, self);
		if (r < 0)
			return r;
		gen_end(g, self);
	}
	r = tell_result(g);
	free(g);
	return r;
}

int rv_loop_shutdown_gens(rv_loop *l)
{
	struct rv_task *self;
	struct rv_link *it, *next;
	int r = task_await_begin(&self), first = 0;

	if (r < 0)
		return r;
	if (l != self->loop)
		return -RV_EWRONGLOOP;
	for (it = l->gens.next; it != &l->gens; it = next) {
		rv_gen *g = LINK_ENTRY(it, rv_gen, link);

		next = it->next;
		if (g->running)
			continue;
		gen_end(g, self);
		if (first == 0 && !g->result_told)
			first = MIN(g->result, 0);
		/* others may have come and gone while it tidied up */
		next = l->gens.next;
	}
	return first;
}

void gens_close(rv_loop *l)
{
	struct rv_link *it;

	while ((it = link_pop(&l->gens))) {
		rv_gen *g = LINK_ENTRY(it, rv_gen, link);
		rv_exc e = RV_EXC_NULL;

		g->loop = NULL;
		if (!g->begun) {
			coro_pool_unpromise(g->pool);
			gen_over(g, 0);
			continue;
		}
		/* its stack stays as it is: it cannot be unwound */
		e.message = "generator was open when its loop closed";
		rv_report(l, &e);
		g->over = true;
		g->running = false; /* nor will the task go on that was in it */
	}
}
