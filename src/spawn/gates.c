/* Gates; see gates.h. */
#include "config.h"

#include "spawn/gates.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"

void gates_init(struct gates *g)
{
	list_init(&g->all);
}

static struct gate *find(const struct gates *g, uint64_t id)
{
	LIST_FOREACH(it, &g->all) {
		struct gate *gate = LIST_ENTRY(it, struct gate, link);

		if (gate->id == id)
			return gate;
	}
	return NULL;
}

int gates_enter(
	struct gates *g, struct run *run, uint64_t id, uint32_t slots, bool may_wait)
{
	struct gate *gate = find(g, id);

	INVARIANT(!run->gate);
	if (!gate) {
		gate = calloc(1, sizeof(*gate));
		if (!gate)
			return -ENOMEM;
		gate->id = id;
		list_init(&gate->waiting);
		list_append(&g->all, &gate->link);
	}
	gate->slots = slots;
	run->gate = gate;
	if (may_wait) {
		list_append(&gate->waiting, &run->gate_link);
		gate->n_waiting++;
	} else {
		gate->n_going++;
	}
	return 0;
}

void gates_leave(struct run *run)
{
	struct gate *gate = run->gate;

	if (!gate)
		return;
	run->gate = NULL;
	if (run_waits_at_gate(run)) {
		list_remove(&run->gate_link);
		gate->n_waiting--;
	} else {
		INVARIANT(gate->n_going > 0);
		gate->n_going--;
	}
	if (gate->n_going > 0 || gate->n_waiting > 0)
		return;
	list_remove(&gate->link);
	free(gate);
}

struct run *gate_next(struct gate *gate)
{
	struct list *it;

	if (gate->n_going >= gate->slots)
		return NULL;
	it = list_pop(&gate->waiting);
	if (!it)
		return NULL;
	gate->n_waiting--;
	gate->n_going++;
	return LIST_ENTRY(it, struct run, gate_link);
}
