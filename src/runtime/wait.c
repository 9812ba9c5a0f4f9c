/* wait and as_completed. */
#include "config.h"

#include "reeve/wait.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/wait_priv.h"

static bool one_is_done(const struct wait_set *s)
{
	return s->n_left < s->n;
}

static bool all_or_one_has_failed(const struct wait_set *s)
{
	return s->n_left == 0 || s->has_failed;
}

int rv_wait(rv_future *const *fs, size_t n, enum rv_wait_mode mode, rv_time timeout,
	uint64_t *done)
{
	static bool (*const is_enough[])(const struct wait_set *s) = {
		[RV_WAIT_ALL] = wait_set_is_over,
		[RV_WAIT_FIRST_COMPLETED] = one_is_done,
		[RV_WAIT_FIRST_ERROR] = all_or_one_has_failed,
	};
	struct wait_set s;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (n == 0 || n > INT_MAX || (unsigned)mode >= ARRAY_LEN(is_enough))
		return -EINVAL;
	r = wait_set_init(&s, fs, n, self, is_enough[mode]);
	if (r < 0)
		return r;
	r = wait_set_wait(&s, self, wait_deadline(self->loop, timeout), "wait");
	for (size_t i = 0; done && i < RV_WAIT_WORDS(n); i++)
		done[i] = 0;
	for (size_t i = 0; done && i < n; i++)
		done[i / 64] |= (uint64_t)rv_future_done(fs[i]) << (i % 64);
	n -= s.n_left;
	wait_set_deinit(&s);
	return r == 0 || r == -ETIMEDOUT ? (int)n : r;
}

/* -- as_completed ------------------------------------------------------------------ */

struct rv_as_completed_state {
	struct wait_set set;
	rv_time until;
	size_t n_told;
	bool timed_out;
	bool busy; /* a task waits, or has been woken and has not run since */
};

static bool one_is_untold(const struct wait_set *s)
{
	return !link_is_empty(&s->done);
}

int rv_as_completed_init(
	rv_as_completed *it, rv_future *const *fs, size_t n, rv_time timeout)
{
	_cleanup_free_ struct rv_as_completed_state *st = NULL;
	int r;

	it->state = NULL;
	if (!current.task)
		return -RV_ENOTASK;
	st = calloc(1, sizeof(*st));
	if (!st)
		return -ENOMEM;
	r = wait_set_init(&st->set, fs, n, current.task, one_is_untold);
	if (r < 0)
		return r;
	st->until = wait_deadline(current.loop, timeout);
	it->state = TAKE_PTR(st);
	return 0;
}

int rv_as_completed_next(rv_as_completed *it, size_t *ret_index)
{
	struct rv_as_completed_state *st = it->state;
	struct rv_task *self;
	struct rv_link *first;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (!st)
		return -RV_ESTATE;
	if (st->n_told == st->set.n)
		return 0;
	if (st->timed_out)
		return -ETIMEDOUT;
	if (st->busy)
		return -EBUSY;
	st->busy = true;
	r = wait_set_wait(&st->set, self, st->until, "as_completed");
	st->busy = false;
	if (r < 0) {
		st->timed_out = r == -ETIMEDOUT;
		return r;
	}
	first = link_pop(&st->set.done);
	INVARIANT(first);
	st->n_told++;
	*ret_index = (size_t)(LINK_ENTRY(first, struct wait_member, by_time) -
			      st->set.members);
	return 1;
}

void rv_as_completed_fini(rv_as_completed *it)
{
	if (!it->state)
		return;
	INVARIANT(!it->state->busy);
	wait_set_deinit(&it->state->set);
	free(it->state);
	it->state = NULL;
}
