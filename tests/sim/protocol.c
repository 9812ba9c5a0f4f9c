#include "tests/sim/protocol.h"

#include <string.h>

#include "base/invariant.h"

struct stepper {
	const struct state *from;
	const struct broken *broken;
	emit_fn emit;
	void *arg;
};

static void emit(const struct stepper *st, const struct state *next, const char *step)
{
	st->emit(next, step, false, st->arg);
}

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

/* ---- messages -------------------------------------------------------------------- */

static void put(struct queue *q, enum message what, int job, int epoch)
{
	INVARIANT(q->n < MESSAGES_MAX);
	q->v[q->n].what = (uint8_t)what;
	q->v[q->n].job = (uint8_t)job;
	q->v[q->n].epoch = (uint8_t)epoch;
	q->n++;
}

static void drop_first(struct queue *q)
{
	q->n--;
	memmove(&q->v[0], &q->v[1], q->n * sizeof(q->v[0]));
	memset(&q->v[q->n], 0, sizeof(q->v[0])); /* equal states are equal bytes */
}

static struct conn *conn_of_reeved(struct state *s)
{
	return s->conn ? &s->conns[s->conn - 1] : NULL;
}

/* the one that the spawner answers to: the last it accepted */
static struct conn *conn_of_spawner(struct state *s)
{
	struct conn *last = NULL;

	for (int i = 0; i < CONNS_MAX; i++)
		if (s->conns[i].used && s->conns[i].accepted && s->conns[i].spawner_end)
			last = &s->conns[i];
	return last;
}

static void tell(struct state *s, enum message what, int job, int epoch)
{
	struct conn *c = conn_of_spawner(s);

	if (c && c->reeved_end && !c->table_due)
		put(&c->to_reeved, what, job, epoch);
}

/* Both ends closed, or nothing of it matters any more; those behind it move up. */
static void sweep(struct state *s)
{
	for (int i = CONNS_MAX - 1; i >= 0; i--) {
		struct conn *c = &s->conns[i];

		if (!c->used || c->reeved_end || c->spawner_end)
			continue;
		memmove(c, c + 1, (size_t)(CONNS_MAX - 1 - i) * sizeof(*c));
		memset(&s->conns[CONNS_MAX - 1], 0, sizeof(*c));
		if (s->conn > i + 1)
			s->conn--;
	}
}

/* ---- reeved ---------------------------------------------------------------------- */

static void ack(struct state *s, int j)
{
	struct conn *c = conn_of_reeved(s);

	if (c && c->spawner_end)
		put(&c->to_spawner, MSG_ACK, j, s->epoch);
}

static void ended(struct state *s, int j, enum record end)
{
	s->job[j].mind = MIND_ENDED;
	s->job[j].end = (uint8_t)end;
	s->job[j].doubt = 0;
}

static void step_start(const struct stepper *st, int j)
{
	struct state n = *st->from;
	struct conn *c = conn_of_reeved(&n);

	if (!n.ready || !c->spawner_end)
		return;
	if (n.job[j].mind == MIND_QUEUED && !st->broken->spawn_before_commit) {
		n.job[j].mind = MIND_RECORDED;
		n.store[j].record = REC_STARTING;
		n.store[j].instance = n.last_instance;
		emit(st, &n, "reeved records a start");
	} else if (n.job[j].mind == MIND_QUEUED) {
		n.job[j].mind = MIND_SENT;
		put(&c->to_spawner, MSG_START, j, n.epoch);
		emit(st, &n, "reeved asks for a start that is not on disk");
	} else if (n.job[j].mind == MIND_RECORDED &&
		   n.store[j].instance != n.last_instance) {
		n.store[j].instance = n.last_instance;
		emit(st, &n, "reeved records another spawner for a start");
	} else if (n.job[j].mind == MIND_RECORDED) {
		n.job[j].mind = MIND_SENT;
		put(&c->to_spawner, MSG_START, j, n.epoch);
		emit(st, &n, "reeved asks for a start");
	} else if (n.job[j].mind == MIND_SENT && n.store[j].record == REC_QUEUED) {
		n.store[j].record = REC_STARTING;
		n.store[j].instance = n.last_instance;
		emit(st, &n, "reeved records a start that it has asked for");
	}
}

/* its slot does not come soon */
static void step_recall(const struct stepper *st, int j)
{
	struct state n = *st->from;
	struct conn *c = conn_of_reeved(&n);

	if (n.job[j].mind == MIND_BACK) {
		n.job[j].mind = MIND_QUEUED;
		n.store[j].record = REC_QUEUED;
		n.store[j].instance = 0;
		emit(st, &n, "reeved records that a start was taken back");
	} else if (n.ready && c->spawner_end && n.recalls &&
		   n.job[j].mind == MIND_SENT && !n.job[j].doubt) {
		n.recalls--;
		put(&c->to_spawner, MSG_RECALL, j, n.epoch);
		if (st->broken->forgets_without_answer)
			n.job[j].mind = MIND_BACK;
		emit(st, &n, "reeved asks for a start to be taken back");
	}
}

static void step_end(const struct stepper *st, int j)
{
	struct state n = *st->from;

	if (n.job[j].mind == MIND_FOLLOWED && n.process[j] == PROCESS_ENDED) {
		ended(&n, j, REC_LOST);
		emit(st, &n, "reeved sees the end of a process it followed");
	} else if (n.job[j].mind == MIND_ENDED && st->broken->ack_before_commit &&
		   !n.job[j].acked) {
		n.job[j].acked = 1;
		ack(&n, j);
		emit(st, &n, "reeved acknowledges an end that is not on disk");
	} else if (n.job[j].mind == MIND_ENDED) {
		n.job[j].mind = MIND_ON_DISK;
		n.store[j].record = n.job[j].end;
		emit(st, &n, "reeved records an end");
	} else if (n.job[j].mind == MIND_ON_DISK) {
		n.job[j].mind = MIND_DONE;
		if (!n.job[j].acked)
			ack(&n, j);
		emit(st, &n, "reeved acknowledges an end");
	}
}

static void never_started(struct state *s, int j)
{
	if (s->job[j].mind == MIND_PENDING) {
		s->store[j].record = REC_QUEUED;
		s->store[j].instance = 0;
		s->job[j].mind = MIND_QUEUED;
	} else {
		s->job[j].mind = MIND_RECORDED;
	}
	s->job[j].doubt = 0;
}

/* what the exits file says of it */
static enum row noted_end(const struct stepper *st, const struct state *s, int j)
{
	enum row row = (enum row)s->exits[s->store[j].instance][j];

	for (int i = 0; st->broken->ends_of_any_spawner && !row && i < INSTANCES_MAX;
		i++)
		row = (enum row)s->exits[i][j];
	return row;
}

/* its spawner is another one */
static void look_for(const struct stepper *st, struct state *s, int j)
{
	int fate = s->fate[s->store[j].instance];
	enum row noted = noted_end(st, s, j);
	/* one that leaves takes the file with it */
	enum row claim = fate == FATE_DIED
				 ? (enum row)s->claims[s->store[j].instance][j]
				 : ROW_BEGUN;

	if (noted == ROW_EXITED || (!noted && claim == ROW_EXITED)) {
		ended(s, j, REC_EXITED);
	} else if (st->broken->restart_lost || noted == ROW_NEVER ||
		   (fate == FATE_LEFT && !st->broken->leaves_without_trace)) {
		never_started(s, j);
	} else if (s->process[j] == PROCESS_RUNS) {
		s->job[j].mind = MIND_FOLLOWED;
		s->job[j].doubt = 0;
	} else if (claim == ROW_NONE || claim == ROW_NEVER) {
		never_started(s, j);
	} else {
		ended(s, j, REC_LOST);
	}
}

static void match_row(
	const struct stepper *st, struct state *s, int j, enum row row, bool same)
{
	int mind = s->job[j].mind;
	bool asks = mind == MIND_PENDING || (mind == MIND_SENT && s->job[j].doubt);

	if (asks && (row == ROW_STARTING || row == ROW_BEGUN || row == ROW_RUNNING)) {
		s->job[j].mind = MIND_SENT;
		s->job[j].doubt = 0;
	} else if (asks && row == ROW_EXITED) {
		ended(s, j, REC_EXITED);
	} else if (asks && row == ROW_NEVER) {
		never_started(s, j);
	} else if (asks && same && s->store[j].instance == s->last_instance) {
		never_started(s, j);
	} else if (asks) {
		look_for(st, s, j);
	} else if (row == ROW_EXITED &&
		   (s->store[j].record != REC_STARTING ||
			   (st->broken->ack_unseen && mind == MIND_ENDED))) {
		ack(s, j);
	}
}

static void take_table(const struct stepper *st)
{
	struct state n = *st->from;
	struct conn *c = conn_of_reeved(&n);

	n.last_instance = c->instance;
	c->table_here = 0;
	n.ready = 1;
	for (int j = 0; j < n.n_jobs; j++) {
		enum row row = (enum row)c->table[j];

		c->table[j] = 0;
		match_row(st, &n, j, row, n.store[j].instance == c->instance);
	}
	c->instance = 0;
	emit(st, &n, "reeved takes the table");
}

static void take_message(const struct stepper *st)
{
	struct state n = *st->from;
	struct conn *c = conn_of_reeved(&n);
	int j = c->to_reeved.v[0].job, what = c->to_reeved.v[0].what;
	bool ours = n.job[j].mind == MIND_SENT && !n.job[j].doubt;

	drop_first(&c->to_reeved);
	if (ours && what == MSG_EXITED) {
		ended(&n, j, REC_EXITED);
	} else if (ours && what == MSG_NEVER && !st->broken->failed_by_stop) {
		n.job[j].mind = MIND_RECORDED;
		n.ready = 0; /* the next spawner may have it */
	} else if (ours && what == MSG_RECALLED) {
		n.job[j].mind = MIND_BACK;
	} else if (ours)
		ended(&n, j, REC_FAILED);
	else if (what == MSG_EXITED && n.store[j].record != REC_STARTING)
		ack(&n, j);
	emit(st, &n,
		what == MSG_EXITED     ? "reeved is told an end"
		: what == MSG_RECALLED ? "reeved is told that a start is back"
				       : "reeved is refused a start");
}

static void lose_conn(struct state *s)
{
	conn_of_reeved(s)->reeved_end = 0;
	s->conn = 0;
	s->ready = 0;
	for (int j = 0; j < s->n_jobs; j++)
		if (s->job[j].mind == MIND_SENT)
			s->job[j].doubt = 1;
	sweep(s);
}

static void step_read(const struct stepper *st)
{
	struct state n = *st->from;
	struct conn *c = conn_of_reeved(&n);

	if (!c)
		return;
	if (c->table_here) {
		take_table(st);
	} else if (c->to_reeved.n) {
		take_message(st);
	} else if (!c->spawner_end) {
		lose_conn(&n);
		emit(st, &n, "reeved sees the end of the connection");
	}
}

static void step_connect(const struct stepper *st)
{
	struct state n = *st->from;
	int i = 0;

	if (n.conn)
		return;
	if (!n.spawner_alive) {
		INVARIANT(n.instance + 1 < INSTANCES_MAX);
		n.spawner_alive = 1;
		n.stopping = 0;
		n.instance++;
		n.epoch_seen = 0;
	}
	while (i < CONNS_MAX && n.conns[i].used)
		i++;
	INVARIANT(i < CONNS_MAX);
	n.conns[i].used = n.conns[i].reeved_end = n.conns[i].spawner_end = 1;
	n.conn = (uint8_t)(i + 1);
	emit(st, &n, "reeved connects");
}

static void step_reeved(const struct stepper *st)
{
	struct state n = *st->from;

	if (!n.reeved_alive) {
		n.reeved_alive = 1;
		n.epoch++;
		for (int j = 0; j < n.n_jobs; j++)
			n.job[j].mind = n.store[j].record == REC_QUEUED ? MIND_QUEUED
					: n.store[j].record == REC_STARTING
						? MIND_PENDING
						: MIND_DONE;
		emit(st, &n, "reeved starts");
		return;
	}
	step_connect(st);
	step_read(st);
	for (int j = 0; j < n.n_jobs; j++) {
		step_start(st, j);
		step_recall(st, j);
		step_end(st, j);
	}
}

/* ---- spawner --------------------------------------------------------------------- */

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
		drop_first(&c->to_spawner);
		if (n.table[j] == ROW_EXITED)
			n.table[j] = ROW_NONE;
		emit(st, &n, "the spawner forgets a run");
		return;
	}
	if (c->to_spawner.v[0].what == MSG_RECALL) {
		drop_first(&c->to_spawner);
		if (n.table[j] == ROW_STARTING ||
			(st->broken->recall_begun && n.table[j] == ROW_BEGUN)) {
			n.table[j] = ROW_NONE;
			n.child[j] = 0;
			tell(&n, MSG_RECALLED, j, epoch);
		}
		emit(st, &n, "the spawner takes a start back, if it waits");
		return;
	}
	drop_first(&c->to_spawner);
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

/* it is gone, and with it what it had not read and what it had not written down */
static void spawner_ends(struct state *s, int fate)
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

static void step_spawner(const struct stepper *st)
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
