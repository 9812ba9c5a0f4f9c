#include "sched/restart.h"

#include "base/invariant.h"

static bool wants(enum restart_policy policy, enum restart_end end)
{
	if (end == RESTART_EXCLUDED || end == RESTART_STOPPED)
		return false;
	switch (policy) {
	case RESTART_NO: return false;
	case RESTART_ALWAYS: return true;
	case RESTART_ON_FAILURE: return end == RESTART_FAILED;
	case RESTART_ON_SUCCESS: return end == RESTART_SUCCEEDED;
	}
	INVARIANT(false);
	return false;
}

struct restart_verdict restart_judge(const struct restart_rule *rule,
	struct restart_state *state, enum restart_end end, int64_t uptime_usec,
	rv_time now, uint32_t random)
{
	struct restart_verdict v = {.what = RESTART_STAYS_DOWN};
	unsigned n_before;

	if (!wants(rule->policy, end))
		return v;
	if (rate_free_at(&state->limit) > now) {
		v.what = RESTART_GIVEN_UP;
		return v;
	}
	rate_note(&state->limit, now);
	if (uptime_usec >= rule->min_uptime_usec)
		state->n_short = 0;
	n_before = state->n_short;
	if (uptime_usec < rule->min_uptime_usec && state->n_short < UINT32_MAX)
		state->n_short++;
	v.what = RESTART_COMES;
	v.delay_usec = backoff_delay_usec(&rule->backoff, n_before, random);
	return v;
}

void restart_forget(struct restart_state *state)
{
	state->n_short = 0;
	rate_forget(&state->limit);
}

/* ---- groups ------------------------------------------------------------------------------ */

static bool concerns(enum restart_strategy strategy, size_t i, size_t ended)
{
	switch (strategy) {
	case RESTART_ONE_FOR_ONE: return i == ended;
	case RESTART_ONE_FOR_ALL: return true;
	case RESTART_REST_FOR_ONE: return i >= ended;
	}
	INVARIANT(false);
	return false;
}

void restart_plan(enum restart_strategy strategy, const struct restart_member *members,
	size_t n, size_t ended, size_t *ret_stop, size_t *ret_n_stop, size_t *ret_start,
	size_t *ret_n_start)
{
	INVARIANT(ended < n && !members[ended].is_up);
	*ret_n_stop = *ret_n_start = 0;
	for (size_t i = n; i-- > 0;)
		if (members[i].is_up && concerns(strategy, i, ended))
			ret_stop[(*ret_n_stop)++] = i;
	for (size_t i = 0; i < n; i++)
		if (i == ended ||
			(members[i].is_wanted && concerns(strategy, i, ended)))
			ret_start[(*ret_n_start)++] = i;
}
