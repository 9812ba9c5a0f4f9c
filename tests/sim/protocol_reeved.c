#include "tests/sim/protocol_priv.h"

#include "base/invariant.h"

static void ack(struct state *s, int j)
{
	struct conn *c = conn_of_reeved(s);

	if (c && c->spawner_end)
		queue_put(&c->to_spawner, MSG_ACK, j, s->epoch);
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
		queue_put(&c->to_spawner, MSG_START, j, n.epoch);
		emit(st, &n, "reeved asks for a start that is not on disk");
	} else if (n.job[j].mind == MIND_RECORDED &&
		   n.store[j].instance != n.last_instance) {
		n.store[j].instance = n.last_instance;
		emit(st, &n, "reeved records another spawner for a start");
	} else if (n.job[j].mind == MIND_RECORDED) {
		n.job[j].mind = MIND_SENT;
		queue_put(&c->to_spawner, MSG_START, j, n.epoch);
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
		queue_put(&c->to_spawner, MSG_RECALL, j, n.epoch);
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

	queue_drop_first(&c->to_reeved);
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

void step_reeved(const struct stepper *st)
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
