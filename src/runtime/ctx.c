/* Context values: an immutable list; who inherits shares its tail. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "reeve/ctx.h"
#include "runtime/task_priv.h"

struct rv_ctx {
	atomic_uint refs; /* tasks, threads' calls, and nodes before it */
	rv_ctx *next;
	rv_ctx_key *key;
	void *val;
	rv_dtor dtor;
};

static rv_ctx *current_ctx(void)
{
	return current.task ? current.task->ctx : current.ctx;
}

rv_ctx *rv_ctx_ref(rv_ctx *c)
{
	if (c)
		atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void rv_ctx_unref(rv_ctx *c)
{
	while (c && atomic_fetch_sub(&c->refs, 1) == 1) {
		rv_ctx *next = c->next;

		if (c->dtor)
			c->dtor(c->val);
		free(c);
		c = next;
	}
}

rv_ctx *rv_ctx_copy(void)
{
	return rv_ctx_ref(current_ctx());
}

/* The node of k that nobody but this task sees. A task that sets the same again and
 * again does not make its list longer. */
static rv_ctx *own_node(rv_ctx *c, const rv_ctx_key *k)
{
	for (; c && atomic_load(&c->refs) == 1; c = c->next)
		if (c->key == k)
			return c;
	return NULL;
}

int rv_ctx_set(rv_ctx_key *k, void *v, rv_dtor d)
{
	struct rv_task *t = current.task;
	rv_ctx *c;

	if (!t)
		return -RV_ENOTASK;
	c = own_node(t->ctx, k);
	if (c) {
		void *old = c->val;
		rv_dtor old_dtor = c->dtor;

		c->val = v;
		c->dtor = d;
		if (old_dtor)
			old_dtor(old);
		return 0;
	}
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (rv_ctx){.next = t->ctx, .key = k, .val = v, .dtor = d};
	atomic_init(&c->refs, 1);
	t->ctx = c;
	return 0;
}

void *rv_ctx_get(rv_ctx_key *k)
{
	for (const rv_ctx *c = current_ctx(); c; c = c->next)
		if (c->key == k)
			return c->val;
	return NULL;
}
