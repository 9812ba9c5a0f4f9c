/* race: one after the other, until one succeeds. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "reeve/group.h"
#include "reeve/sync.h"
#include "runtime/wait_priv.h"

struct race;

struct attempt {
	struct race *race;
	const rv_call *call;
	rv_outcome *out;
};

struct race {
	rv_group group;
	rv_event failed; /* one has, since it was cleared */
	struct attempt *attempts;
	size_t n;
	int winner, last_error;
};

static int run_attempt(void *arg)
{
	struct attempt *a = arg;
	struct race *race = a->race;
	int r = a->call->fn(a->call->arg);

	a->out->err = r;
	if (r >= 0 && race->winner < 0) {
		race->winner = (int)(a - race->attempts);
		rv_group_cancel(&race->group, "another one has won");
	} else if (r < 0) {
		if (r != -ECANCELED)
			race->last_error = r;
		rv_event_set(&race->failed);
	}
	return 0; /* none of the group's business */
}

/* Until it is the next one's turn. 0; -ECANCELED: it never is. */
static int wait_turn(struct race *race, rv_time stagger)
{
	rv_scope s;
	int r;

	if (stagger <= 0)
		return 0;
	r = rv_timeout(&s, stagger);
	if (r < 0)
		return r;
	r = rv_scope_exit(&s, rv_event_wait(&race->failed));
	return r == -ETIMEDOUT ? 0 : r;
}

static int start_all(struct race *race, rv_time stagger)
{
	int r = 0;

	for (size_t i = 0; i < race->n && r >= 0; i++) {
		const char *name = race->attempts[i].call->name;
		rv_task_opts o = {.name = name};

		rv_event_clear(&race->failed);
		r = rv_group_spawn_ex(&race->group, name ? &o : NULL, run_attempt,
			&race->attempts[i], NULL);
		if (r >= 0 && i + 1 < race->n)
			r = wait_turn(race, stagger);
	}
	/* won while it was being started */
	return r == -RV_ESHUTDOWN ? -ECANCELED : r;
}

int rv_race(const rv_call *calls, size_t n, rv_time stagger, rv_outcome *out)
{
	struct race race = {.n = n, .winner = -1, .last_error = -ECANCELED};
	_cleanup_free_ struct attempt *attempts = NULL;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (n == 0 || n > INT_MAX || !out)
		return -EINVAL;
	attempts = calloc(n, sizeof(*attempts));
	if (!attempts)
		return -ENOMEM;
	race.attempts = attempts;
	rv_event_init(&race.failed);
	for (size_t i = 0; i < n; i++) {
		attempts[i] = (struct attempt){&race, &calls[i], &out[i]};
		out[i] = (rv_outcome){.err = -ECANCELED};
	}
	r = rv_group_enter(&race.group, RV_GROUP_COLLECT);
	if (r < 0)
		return r;
	r = rv_group_exit(&race.group, start_all(&race, stagger));
	rv_group_forget(&race.group);
	if (race.winner >= 0)
		return race.winner;
	return r < 0 ? r : race.last_error;
}
