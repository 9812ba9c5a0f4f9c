/* What the files of the model share: one step of each process from a state, and the
 * connections between them. */
#ifndef TESTS_SIM_PROTOCOL_PRIV_H
#define TESTS_SIM_PROTOCOL_PRIV_H

#include "tests/sim/protocol.h"

/* where a step starts from, and whom to hand what it leads to */
struct stepper {
	const struct state *from;
	const struct broken *broken;
	emit_fn emit;
	void *arg;
};

static inline void emit(
	const struct stepper *st, const struct state *next, const char *step)
{
	st->emit(next, step, false, st->arg);
}

void queue_put(struct queue *q, enum message what, int job, int epoch);
void queue_drop_first(struct queue *q);

struct conn *conn_of_reeved(struct state *s);
/* the one that the spawner answers to: the last it accepted */
struct conn *conn_of_spawner(struct state *s);
/* to the reeved of that connection, if it still listens and has its table */
void tell(struct state *s, enum message what, int job, int epoch);
/* Connections with both ends closed go; those behind them move up. */
void sweep(struct state *s);
/* it is gone, and with it what it had not read and what it had not written down */
void spawner_ends(struct state *s, int fate);

/* every step that the process can take now */
void step_reeved(const struct stepper *st);
void step_spawner(const struct stepper *st);

#endif
