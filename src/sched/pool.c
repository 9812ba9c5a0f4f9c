#include "sched/pool.h"

/* Runs that last less on average are started ahead of a free slot, so many that they begin
 * within that time. */
static const int64_t short_usec = 20 * 1000, unknown_usec = 200 * 1000;

unsigned pool_gate_slots(const struct pool *p)
{
	int64_t others = (int64_t)p->n_strayed + p->n_ungated;

	return p->slots.max > others ? (unsigned)(p->slots.max - others) : 0;
}

void pool_note_run(struct pool *p, int64_t usec)
{
	p->lasts_usec += (MIN(MAX(usec, 0), unknown_usec) - p->lasts_usec) / 8;
}

void pool_note_recall(struct pool *p)
{
	p->lasts_usec = unknown_usec;
}

unsigned pool_ahead_max(const struct pool *p)
{
	unsigned slots = pool_gate_slots(p);

	/* The spawner counts only what passes the gate; and starts that wait there have
	 * been noted as starts already. */
	if (slots == 0 || p->n_ungated > 0 || p->rate.n > 0 ||
		p->lasts_usec > short_usec)
		return 0;
	return (unsigned)MIN(
		slots * short_usec / MAX(p->lasts_usec, 1), (int64_t)POOL_AHEAD_MAX);
}
