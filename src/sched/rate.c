#include "sched/rate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "base/macro.h"

/* the i-th of those that are kept, the oldest is 0 */
static rv_time *place(const struct rate *r, unsigned i)
{
	return &r->at[(r->next + r->n - r->n_at + i) % r->n];
}

static rv_time kept(const struct rate *r, unsigned i)
{
	return *place(r, i);
}

rv_time rate_noted(const struct rate *r, unsigned i)
{
	INVARIANT(i < r->n_at);
	return kept(r, i);
}

int rate_set(struct rate *r, unsigned n, rv_time per)
{
	rv_time *at = NULL;
	unsigned n_at = MIN(r->n_at, n);

	INVARIANT(n <= RATE_N_MAX);
	if (n > 0) {
		at = calloc(n, sizeof(*at));
		if (!at)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < n_at; i++)
		at[i] = kept(r, r->n_at - n_at + i);
	free(r->at);
	*r = (struct rate){.n = n,
		.per = per,
		.at = at,
		.next = n > 0 ? n_at % n : 0,
		.n_at = n_at};
	return 0;
}

void rate_deinit(struct rate *r)
{
	free(r->at);
	*r = (struct rate){.n = 0};
}

rv_time rate_free_at(const struct rate *r)
{
	if (r->n == 0 || r->n_at < r->n)
		return 0;
	return kept(r, 0) + r->per;
}

void rate_note(struct rate *r, rv_time now)
{
	if (r->n == 0)
		return;
	r->at[r->next] = now;
	r->next = (r->next + 1) % r->n;
	r->n_at = MIN(r->n_at + 1, r->n);
}

void rate_take_back(struct rate *r, rv_time at)
{
	unsigned i = r->n_at;

	while (i > 0 && kept(r, i - 1) > at)
		i--;
	if (i == 0)
		return;
	for (; i < r->n_at; i++)
		*place(r, i - 1) = kept(r, i);
	r->next = (r->next + r->n - 1) % r->n;
	r->n_at--;
}

void rate_forget(struct rate *r)
{
	r->next = r->n_at = 0;
}
