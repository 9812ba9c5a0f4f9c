/* Breadth-first search over the model's states, each visited once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "tests/sim/protocol.h"

struct visited {
	struct state state;
	uint32_t from; /* where it came from, for the way back */
	const char *step;
};

struct search {
	struct visited *v; /* in the order of discovery: also the queue */
	size_t n, n_max;
	uint32_t *slots; /* index + 1; 0: free */
	size_t n_slots;  /* a power of two */
	uint32_t current;
	bool moved; /* some step that is not a crash left the current state */
	const char *violation;
	uint32_t violated;
};

static uint64_t hash_state(const struct state *s)
{
	const uint8_t *p = (const uint8_t *)s;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static void insert(struct search *se, uint32_t index)
{
	size_t i = hash_state(&se->v[index].state) & (se->n_slots - 1);

	while (se->slots[i])
		i = (i + 1) & (se->n_slots - 1);
	se->slots[i] = index + 1;
}

static bool is_known(const struct search *se, const struct state *s)
{
	size_t i = hash_state(s) & (se->n_slots - 1);

	for (; se->slots[i]; i = (i + 1) & (se->n_slots - 1))
		if (memcmp(&se->v[se->slots[i] - 1].state, s, sizeof(*s)) == 0)
			return true;
	return false;
}

static void grow(struct search *se)
{
	if (se->n < se->n_max)
		return;
	se->n_max = se->n_max ? 2 * se->n_max : 4096;
	se->v = reallocarray(se->v, se->n_max, sizeof(*se->v));
	free(se->slots);
	se->n_slots = 4 * se->n_max;
	se->slots = calloc(se->n_slots, sizeof(*se->slots));
	INVARIANT(se->v && se->slots && se->n_max < UINT32_MAX);
	for (size_t i = 0; i < se->n; i++)
		insert(se, (uint32_t)i);
}

static void visit(const struct state *next, const char *step, bool crash, void *arg)
{
	struct search *se = arg;

	se->moved |= !crash;
	if (se->violation || (se->n && is_known(se, next)))
		return;
	grow(se);
	se->v[se->n] =
		(struct visited){.state = *next, .from = se->current, .step = step};
	insert(se, (uint32_t)se->n++);
	se->violation = model_check(next);
	se->violated = (uint32_t)(se->n - 1);
}

static void print_way(const struct search *se, uint32_t index)
{
	if (index > 0)
		print_way(se, se->v[index].from);
	fprintf(stderr, "  %s\n", se->v[index].step);
}

struct outcome explore(const struct bounds *bounds, const struct broken *broken)
{
	struct search se = {.n = 0};
	struct outcome ret = {.violation = NULL};
	struct state first;

	model_init(&first, bounds);
	visit(&first, "start", false, &se);
	for (; se.current < se.n && !se.violation; se.current++) {
		struct state s = se.v[se.current].state; /* the array may move */

		se.moved = false;
		model_step(&s, broken, visit, &se);
		for (int j = 0; j < s.n_jobs; j++)
			ret.some_lost |= s.store[j].record == REC_LOST;
		if (se.moved || se.violation)
			continue;
		se.violation = model_check_final(&s);
		se.violated = se.current;
	}
	if (se.violation && getenv("REEVE_SIM_TRACE")) {
		fprintf(stderr, "%s:\n", se.violation);
		print_way(&se, se.violated);
	}
	ret.violation = se.violation;
	ret.n_states = se.n;
	free(se.v);
	free(se.slots);
	return ret;
}
