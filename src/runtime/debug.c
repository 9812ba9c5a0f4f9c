/* Dumps for people. */
#include "config.h"

#include <stdio.h>

#include "reeve/debug.h"
#include "runtime/loop_priv.h"

static const char *task_state(const struct rv_task *t)
{
	if (t == current.task)
		return "running";
	if (t->waiter)
		return "waiting";
	return t->coro ? "ready" : "new";
}

static void dump_task(struct rv_task *t, int fd)
{
	(void)dprintf(fd, "%llu '%s' %s%s", (unsigned long long)t->id, rv_task_name(t),
		task_state(t), t->scope->cancelled ? ", cancelled" : "");
	if (t->waiter && t->waiter->object)
		(void)dprintf(fd, ": %s %p", t->waiter->site, t->waiter->object);
	else if (t->waiter)
		(void)dprintf(fd, ": %s", t->waiter->site);
	if (t->group)
		(void)dprintf(fd, ", %s of '%s'", t->service ? "service" : "child",
			rv_task_name(t->group->host));
	(void)dprintf(fd, "\n");
}

void rv_debug_dump_tasks(rv_loop *l, int fd)
{
	for (struct rv_link *it = l->tasks.next; it != &l->tasks; it = it->next) {
		struct rv_task *t = LINK_ENTRY(it, struct rv_task, link);

		if (!t->done)
			dump_task(t, fd);
	}
}
