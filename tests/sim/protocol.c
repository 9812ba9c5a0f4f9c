#include "tests/sim/protocol_priv.h"

#include <string.h>

void model_init(struct state *ret, const struct bounds *bounds)
{
	memset(ret, 0, sizeof(*ret));
	ret->n_jobs = (uint8_t)bounds->n_jobs;
	ret->reeved_deaths = (uint8_t)bounds->reeved_deaths;
	ret->spawner_deaths = (uint8_t)bounds->spawner_deaths;
	ret->drops = (uint8_t)bounds->drops;
	ret->stops = (uint8_t)bounds->stops;
	ret->slots = (uint8_t)bounds->slots;
	ret->recalls = (uint8_t)bounds->recalls;
	ret->reeved_alive = 1;
	ret->epoch = 1;
}

/* ---- the world ------------------------------------------------------------------- */

static void step_process(const struct stepper *st, int j)
{
	struct state n = *st->from;

	if (n.process[j] != PROCESS_RUNS)
		return;
	n.process[j] = PROCESS_ENDED;
	emit(st, &n, "a process ends");
}

/* what it has sent stays readable, what was sent to it does not matter any more */
static void close_reeved_end(struct conn *c)
{
	c->reeved_end = c->table_here = c->instance = 0;
	memset(c->table, 0, sizeof(c->table));
	memset(&c->to_reeved, 0, sizeof(c->to_reeved));
}

static void kill_reeved(const struct stepper *st)
{
	struct state n = *st->from;

	if (!n.reeved_alive || !n.reeved_deaths)
		return;
	n.reeved_deaths--;
	n.reeved_alive = n.ready = n.last_instance = 0;
	if (n.conn)
		close_reeved_end(conn_of_reeved(&n));
	n.conn = 0;
	memset(n.job, 0, sizeof(n.job));
	sweep(&n);
	st->emit(&n, "REEVED DIES", true, st->arg);
}

static void kill_spawner(const struct stepper *st)
{
	struct state n = *st->from;

	if (!n.spawner_alive || !n.spawner_deaths)
		return;
	n.spawner_deaths--;
	spawner_ends(&n, FATE_DIED);
	st->emit(&n, "THE SPAWNER DIES", true, st->arg);
}

static void stop_spawner(const struct stepper *st)
{
	struct state n = *st->from;

	if (!n.spawner_alive || n.stopping || !n.stops)
		return;
	n.stops--;
	n.stopping = 1;
	st->emit(&n, "THE SPAWNER IS TOLD TO STOP", true, st->arg);
}

/* The spawner gives the connection up, and with it what it has not read. */
static void drop_conn(const struct stepper *st)
{
	struct state n = *st->from;
	struct conn *c = conn_of_spawner(&n);

	if (!c || !n.drops)
		return;
	n.drops--;
	c->spawner_end = c->table_due = 0;
	memset(&c->to_spawner, 0, sizeof(c->to_spawner));
	sweep(&n);
	st->emit(&n, "THE CONNECTION BREAKS", true, st->arg);
}

void model_step(
	const struct state *s, const struct broken *broken, emit_fn fn, void *arg)
{
	struct stepper st = {.from = s, .broken = broken, .emit = fn, .arg = arg};

	step_reeved(&st);
	step_spawner(&st);
	for (int j = 0; j < s->n_jobs; j++)
		step_process(&st, j);
	kill_reeved(&st);
	kill_spawner(&st);
	stop_spawner(&st);
	drop_conn(&st);
}

/* ---- what must hold -------------------------------------------------------------- */

const char *model_check(const struct state *s)
{
	int n_running = 0;

	for (int j = 0; j < s->n_jobs; j++) {
		switch ((enum record)s->store[j].record) {
		case REC_QUEUED:
		case REC_STARTING: break;
		case REC_EXITED:
			if (s->process[j] != PROCESS_ENDED)
				return "an exit is recorded that did not happen";
			break;
		case REC_FAILED:
			return "a start that was in order is recorded as failed";
		case REC_LOST:
			if (s->fate[s->store[j].instance] != FATE_DIED)
				return "a run is lost though its spawner has not died";
			if (s->claims[s->store[j].instance][j] != ROW_BEGUN)
				return "a run is lost of which its spawner left word";
			break;
		}
		if (s->n_started[j] > 1)
			return "a run was executed twice";
		n_running += s->process[j] == PROCESS_RUNS;
	}
	if (s->slots && n_running > s->slots)
		return "more run at once than there are slots";
	return NULL;
}

const char *model_check_final(const struct state *s)
{
	for (int j = 0; j < s->n_jobs; j++) {
		if (s->store[j].record < REC_EXITED)
			return "an acknowledged job never ends";
		if (s->table[j] != ROW_NONE)
			return "the spawner keeps an end for ever";
	}
	return NULL;
}
