#include "tests/sim/protocol_priv.h"

#include <string.h>

/* One request of a connection, or its end. */
static void read_request(const struct stepper *st, int i)
{
	struct state n = *st->from;
	struct conn *c = &n.conns[i];
	int j = c->to_spawner.v[0].job, epoch = c->to_spawner.v[0].epoch;

	if (c->to_spawner.n == 0) {
		if (c->reeved_end)
			return;
		c->spawner_end = 0;
		sweep(&n);
		emit(st, &n, "the spawner sees the end of a connection");
		return;
	}
	if (c->to_spawner.v[0].what == MSG_ACK) {
		queue_drop_first(&c->to_spawner);
		if (n.table[j] == ROW_EXITED)
			n.table[j] = ROW_NONE;
		emit(st, &n, "the spawner forgets a run");
		return;
	}
	if (c->to_spawner.v[0].what == MSG_RECALL) {
		queue_drop_first(&c->to_spawner);
		if (n.table[j] == ROW_STARTING ||
			(st->broken->recall_begun && n.table[j] == ROW_BEGUN)) {
			n.table[j] = ROW_NONE;
			n.child[j] = 0;
			tell(&n, MSG_RECALLED, j, epoch);
		}
		emit(st, &n, "the spawner takes a start back, if it waits");
		return;
	}
	queue_drop_first(&c->to_spawner);
	if (n.stopping) {
		tell(&n, MSG_NEVER, j, epoch);
		emit(st, &n, "the spawner stops and takes no start");
		return;
	}
	if ((n.table[j] != ROW_NONE || epoch < n.epoch_seen) &&
		!st->broken->no_token_check) {
		tell(&n, MSG_REFUSED, j, epoch);
		emit(st, &n, "the spawner refuses a start");
		return;
	}
	n.table[j] = ROW_STARTING;
	n.epoch_seen = (uint8_t)epoch;
	emit(st, &n, "the spawner takes a start");
}

/* the first that waits, once everything before it is read */
static void step_accept(const struct stepper *st)
{
	struct state n = *st->from;
	int i = 0;

	while (i < CONNS_MAX && n.conns[i].used && n.conns[i].accepted) {
		if (n.conns[i].to_spawner.n && !st->broken->accept_before_read)
			return;
		i++;
	}
	if (i == CONNS_MAX || !n.conns[i].used || !n.conns[i].spawner_end)
		return;
	for (int k = 0; k < i; k++)
		if (!n.conns[k].to_spawner.n)
			n.conns[k].spawner_end = 0;
	n.conns[i].accepted = n.conns[i].table_due = 1;
	sweep(&n);
	emit(st, &n, "the spawner accepts a connection");
}

static void step_table(const struct stepper *st)
{
	struct state n = *st->from;
	struct conn *c = conn_of_spawner(&n);

	if (!c || !c->table_due)
		return;
	c->table_due = 0;
	if (c->reeved_end) {
		c->table_here = 1;
		c->instance = n.instance;
		memcpy(c->table, n.table, sizeof(c->table));
	}
	emit(st, &n, "the spawner sends its table");
}

/* What goes on without its spawner counts: reeved says how many slots are left. */
static bool gate_is_open(const struct stepper *st, const struct state *s)
{
	int n = 0;

	for (int j = 0; j < s->n_jobs; j++)
		n += s->table[j] == ROW_BEGUN || s->process[j] == PROCESS_RUNS;
	return s->slots == 0 || n < s->slots || st->broken->no_gate;
}

static void step_run(const struct stepper *st, int j)
{
	struct state n = *st->from;

	if (n.stopping && !n.child[j] &&
		(n.table[j] == ROW_STARTING || n.table[j] == ROW_BEGUN)) {
		struct state back = n;

		back.table[j] = ROW_NEVER;
		back.claims[n.instance][j] = ROW_NEVER;
		tell(&back, MSG_NEVER, j, 0);
		emit(st, &back, "the spawner takes a start back");
	}
	if (n.table[j] == ROW_STARTING && gate_is_open(st, &n)) {
		n.table[j] = ROW_BEGUN;
		if (!st->broken->claim_after_start)
			n.claims[n.instance][j] = ROW_BEGUN;
		emit(st, &n, "the spawner begins a start");
	} else if (n.table[j] == ROW_BEGUN && !n.child[j]) {
		n.child[j] = 1;
		n.process[j] = PROCESS_RUNS;
		n.n_started[j]++;
		emit(st, &n, "the spawner starts a process");
	} else if (n.table[j] == ROW_BEGUN) {
		n.table[j] = ROW_RUNNING;
		n.child[j] = 0;
		n.claims[n.instance][j] = ROW_BEGUN;
		emit(st, &n, "the spawner knows of a process");
	} else if (n.table[j] == ROW_RUNNING && n.process[j] == PROCESS_ENDED) {
		n.table[j] = ROW_EXITED;
		n.claims[n.instance][j] = ROW_EXITED;
		tell(&n, MSG_EXITED, j, 0);
		emit(st, &n, "the spawner reaps a process and tells");
	}
}

static void step_leave(const struct stepper *st)
{
	struct state n = *st->from;

	for (int i = 0; i < CONNS_MAX; i++)
		if (n.conns[i].used && n.conns[i].spawner_end)
			return;
	for (int j = 0; j < n.n_jobs; j++)
		if (n.table[j] != ROW_NONE)
			return;
	n.spawner_alive = 0;
	n.fate[n.instance] = FATE_LEFT;
	emit(st, &n, "the spawner leaves");
}

void spawner_ends(struct state *s, int fate)
{
	s->spawner_alive = s->stopping = 0;
	s->fate[s->instance] = (uint8_t)fate;
	memset(s->table, 0, sizeof(s->table));
	memset(s->child, 0, sizeof(s->child));
	for (int i = 0; i < CONNS_MAX; i++) {
		struct conn *c = &s->conns[i];

		c->spawner_end = c->table_due = 0;
		memset(&c->to_spawner, 0, sizeof(c->to_spawner));
	}
	sweep(s);
}

/* told to stop: it goes when nothing runs any more */
static void step_stop(const struct stepper *st)
{
	struct state n = *st->from;

	if (!n.stopping)
		return;
	for (int j = 0; j < n.n_jobs; j++)
		if (n.table[j] == ROW_STARTING || n.table[j] == ROW_BEGUN ||
			n.table[j] == ROW_RUNNING)
			return;
	memcpy(n.exits[n.instance], n.table, sizeof(n.table));
	spawner_ends(&n, FATE_LEFT);
	emit(st, &n, "the spawner has stopped");
}

void step_spawner(const struct stepper *st)
{
	if (!st->from->spawner_alive)
		return;
	for (int i = 0; i < CONNS_MAX; i++) {
		const struct conn *c = &st->from->conns[i];

		if (c->used && c->accepted && c->spawner_end)
			read_request(st, i);
	}
	step_accept(st);
	step_table(st);
	for (int j = 0; j < st->from->n_jobs; j++)
		step_run(st, j);
	step_leave(st);
	step_stop(st);
}
