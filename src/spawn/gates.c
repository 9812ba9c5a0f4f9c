/* Gates; see gates.h. */
#include "config.h"

#include "spawn/gates.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"

/* enough for the time that it takes to send for more */
#define GATE_PLENTY 8
/* so few that a place will soon be empty */
#define GATE_FEW 2

struct gate {
	struct list link; /* of struct gates.all */
	uint64_t id;
	uint32_t slots;    /* as the last start said */
	size_t n_going;    /* starting or running, and counted */
	size_t n_aside;    /* the same, not counted */
	uint64_t *numbers; /* bit set: somebody has it; room for all that are here */
	size_t n_words;
	size_t n_waiting;    /* length of waiting */
	struct list waiting; /* of struct run.gate_link */
};

void gates_init(struct gates *g)
{
	*g = (struct gates){.closed = false};
	pthread_mutex_init(&g->lock, NULL);
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

static struct gate *gate_new(struct gates *g, uint64_t id)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	gate->id = id;
	list_init(&gate->waiting);
	list_append(&g->all, &gate->link);
	return gate;
}

/* room for one more, so that giving out a number cannot fail */
static int reserve_number(struct gate *gate)
{
	size_t n = gate->n_going + gate->n_aside + gate->n_waiting + 1;
	uint64_t *v;

	if (n <= gate->n_words * 64)
		return 0;
	v = reallocarray(gate->numbers, gate->n_words + 4, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < 4; i++)
		v[gate->n_words + i] = 0;
	gate->numbers = v;
	gate->n_words += 4;
	return 0;
}

static void take_number(struct gate *gate, struct run *run)
{
	size_t i = 0;

	while (gate->numbers[i] == UINT64_MAX)
		i++;
	INVARIANT(i < gate->n_words);
	run->number = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(~gate->numbers[i]);
	gate->numbers[i] |= UINT64_C(1) << run->number % 64;
}

static void give_back_number(struct gate *gate, struct run *run)
{
	gate->numbers[run->number / 64] &= ~(UINT64_C(1) << run->number % 64);
	run->number = GATE_NO_NUMBER;
}

static void gate_free_if_empty(struct gate *gate)
{
	if (gate->n_going > 0 || gate->n_aside > 0 || gate->n_waiting > 0)
		return;
	list_remove(&gate->link);
	free(gate->numbers);
	free(gate);
}

static bool waits(const struct run *run)
{
	return list_is_linked(&run->gate_link);
}

/* The daemon is told when it comes to that, not by each that ends until more have come. */
static bool has_plenty(const struct gates *g, const struct gate *gate)
{
	return !g->closed && gate->n_waiting > GATE_FEW &&
	       gate->n_waiting != GATE_PLENTY - 1;
}

static void leave(struct run *run)
{
	struct gate *gate = run->gate;

	run->gate = NULL;
	if (waits(run)) {
		list_remove(&run->gate_link);
		gate->n_waiting--;
	} else {
		size_t *n = run->aside ? &gate->n_aside : &gate->n_going;

		INVARIANT(*n > 0);
		--*n;
		give_back_number(gate, run);
	}
	gate_free_if_empty(gate);
}

static struct run *next(const struct gates *g, struct gate *gate)
{
	struct list *it;
	struct run *run;

	if (g->closed || gate->n_going >= gate->slots)
		return NULL;
	it = list_pop(&gate->waiting);
	if (!it)
		return NULL;
	gate->n_waiting--;
	gate->n_going++;
	run = LIST_ENTRY(it, struct run, gate_link);
	take_number(gate, run);
	return run;
}

static void enter(struct gate *gate, struct run *run, enum gate_mode mode)
{
	run->gate = gate;
	run->aside = mode == GATE_ASIDE;
	run->number = GATE_NO_NUMBER;
	if (mode == GATE_WAIT) {
		list_append(&gate->waiting, &run->gate_link);
		gate->n_waiting++;
		return;
	}
	if (mode == GATE_ASIDE)
		gate->n_aside++;
	else
		gate->n_going++;
	take_number(gate, run);
}

int gates_enter(struct gates *g, struct run *run, uint64_t id, uint32_t slots,
	enum gate_mode mode)
{
	struct gate *gate;
	int r = -ENOMEM;

	pthread_mutex_lock(&g->lock);
	INVARIANT(!run->gate);
	gate = find(g, id);
	if (!gate)
		gate = gate_new(g, id);
	if (gate)
		r = reserve_number(gate);
	if (gate && r < 0)
		gate_free_if_empty(gate);
	if (r == 0) {
		gate->slots = slots;
		enter(gate, run, mode);
	}
	pthread_mutex_unlock(&g->lock);
	return r;
}

void gates_leave(struct gates *g, struct run *run)
{
	pthread_mutex_lock(&g->lock);
	if (run->gate)
		leave(run);
	pthread_mutex_unlock(&g->lock);
}

bool gates_withdraw(struct gates *g, struct run *run)
{
	bool waited;

	pthread_mutex_lock(&g->lock);
	waited = run->gate && waits(run);
	if (waited)
		leave(run);
	pthread_mutex_unlock(&g->lock);
	return waited;
}

struct run *gates_next(struct gates *g, uint64_t id)
{
	struct gate *gate;
	struct run *run;

	pthread_mutex_lock(&g->lock);
	gate = find(g, id);
	run = gate ? next(g, gate) : NULL;
	pthread_mutex_unlock(&g->lock);
	return run;
}

struct run *gates_pass(struct gates *g, struct run *over, bool *ret_plenty)
{
	struct gate *gate;
	struct run *run = NULL;

	*ret_plenty = false;
	pthread_mutex_lock(&g->lock);
	gate = over->gate;
	if (gate) {
		uint32_t number = over->number;

		/* the next one has the number of the last */
		gate->n_going--;
		give_back_number(gate, over);
		run = next(g, gate);
		if (run) {
			over->gate = NULL;
		} else {
			gate->n_going++;
			over->number = number;
			gate->numbers[number / 64] |= UINT64_C(1) << number % 64;
		}
		*ret_plenty = has_plenty(g, gate);
	}
	pthread_mutex_unlock(&g->lock);
	return run;
}

bool gates_has_waiting(struct gates *g, const struct run *run)
{
	bool some;

	pthread_mutex_lock(&g->lock);
	some = !g->closed && run->gate && run->gate->n_waiting > 0;
	pthread_mutex_unlock(&g->lock);
	return some;
}

bool gates_has_plenty(struct gates *g, uint64_t id)
{
	struct gate *gate;
	bool plenty;

	pthread_mutex_lock(&g->lock);
	gate = find(g, id);
	plenty = gate && has_plenty(g, gate);
	pthread_mutex_unlock(&g->lock);
	return plenty;
}

void gates_close(struct gates *g)
{
	pthread_mutex_lock(&g->lock);
	g->closed = true;
	pthread_mutex_unlock(&g->lock);
}
