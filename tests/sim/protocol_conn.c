#include "tests/sim/protocol_priv.h"

#include <string.h>

#include "base/invariant.h"

void queue_put(struct queue *q, enum message what, int job, int epoch)
{
	INVARIANT(q->n < MESSAGES_MAX);
	q->v[q->n].what = (uint8_t)what;
	q->v[q->n].job = (uint8_t)job;
	q->v[q->n].epoch = (uint8_t)epoch;
	q->n++;
}

void queue_drop_first(struct queue *q)
{
	q->n--;
	memmove(&q->v[0], &q->v[1], q->n * sizeof(q->v[0]));
	memset(&q->v[q->n], 0, sizeof(q->v[0])); /* equal states are equal bytes */
}

struct conn *conn_of_reeved(struct state *s)
{
	return s->conn ? &s->conns[s->conn - 1] : NULL;
}

struct conn *conn_of_spawner(struct state *s)
{
	struct conn *last = NULL;

	for (int i = 0; i < CONNS_MAX; i++)
		if (s->conns[i].used && s->conns[i].accepted && s->conns[i].spawner_end)
			last = &s->conns[i];
	return last;
}

void tell(struct state *s, enum message what, int job, int epoch)
{
	struct conn *c = conn_of_spawner(s);

	if (c && c->reeved_end && !c->table_due)
		queue_put(&c->to_reeved, what, job, epoch);
}

void sweep(struct state *s)
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
