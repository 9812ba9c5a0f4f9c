#include "config.h"

#include "base/log.h"
#include "daemon/clock_jumps.h"

static void jumped(void *arg)
{
	struct clock_jumps *cj = arg;

	LIST_FOREACH(node, &cj->watches) {
		struct clock_watch *w = LIST_ENTRY(node, struct clock_watch, link);

		w->fn(w->arg);
	}
}

void clock_jumps_init(struct clock_jumps *cj, rv_loop *loop)
{
	cj->loop = loop;
	list_init(&cj->watches);
	if (rv_loop_on_clock_jump(loop, jumped, cj) < 0)
		log_at(LOG_WARNING, "job", "changes of the clock cannot be seen");
}

void clock_jumps_deinit(struct clock_jumps *cj)
{
	if (cj->loop)
		(void)rv_loop_on_clock_jump(cj->loop, NULL, NULL);
	cj->loop = NULL;
}

void clock_jumps_add(
	struct clock_jumps *cj, struct clock_watch *w, void (*fn)(void *arg), void *arg)
{
	w->fn = fn;
	w->arg = arg;
	list_append(&cj->watches, &w->link);
}

void clock_jumps_remove(struct clock_watch *w)
{
	if (w->fn)
		list_remove(&w->link);
	w->fn = NULL;
}
