/* Event: a flag to wait for. */
#include "config.h"

#include "reeve/sync.h"
#include "runtime/debug_priv.h"
#include "runtime/task_priv.h"

void rv_event_init(rv_event *e)
{
	link_init(&e->waiters);
	e->set = false;
	e->home = NULL;
}

int rv_event_wait(rv_event *e)
{
	struct rv_task *self;
	struct waiter w;
	int r = task_await_begin(&self);

	if (WRONG_HOME(&e->home))
		return -RV_EWRONGLOOP;
	if (r < 0 || e->set)
		return r;
	link_append(&e->waiters, &w.link);
	return task_wait(self, &w, "event", e);
}

void rv_event_set(rv_event *e)
{
	if (WRONG_HOME(&e->home))
		return;
	if (e->set)
		return;
	e->set = true;
	waiters_wake_all(&e->waiters, 0);
}

void rv_event_clear(rv_event *e)
{
	if (WRONG_HOME(&e->home))
		return;
	e->set = false;
}

bool rv_event_is_set(const rv_event *e)
{
	return e->set;
}
