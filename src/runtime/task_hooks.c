/* Who is told of each task that is made, runs and ends. */
#include "config.h"

#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

int rv_loop_set_task_hooks(rv_loop *l, const rv_task_hooks *h)
{
	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	if (l->closed)
		return -RV_ELOOPCLOSED;
	l->hooks = h ? *h : (rv_task_hooks){NULL};
	loop_update_watched(l);
	return 0;
}

void loop_update_watched(rv_loop *l)
{
	l->watched = loop_debug(l) || l->hooks.on_spawn || l->hooks.on_switch ||
		     l->hooks.on_exit;
}

static void call(rv_loop *l, void (*fn)(rv_task *t, void *arg), struct rv_task *t)
{
	struct rv_task *self = current.task;

	if (!fn)
		return;
	/* It must not await, also where a task has spawned: hide that. */
	current.task = NULL;
	LOOP_CALLBACK(l, fn);
	fn(t, l->hooks.arg);
	current.task = self;
}

void hooks_spawned(struct rv_task *t)
{
	call(t->loop, t->loop->hooks.on_spawn, t);
}

void hooks_switched(rv_loop *l, struct rv_task *t)
{
	call(l, l->hooks.on_switch, t);
}

void hooks_ended(rv_loop *l, struct rv_task *t)
{
	call(l, l->hooks.on_exit, t);
}
