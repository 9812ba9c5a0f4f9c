#include "sched/schedule.h"

#include "base/invariant.h"
#include "base/macro.h"

/* splitmix64: what looks like chance, and is the same for the same time */
static uint64_t scramble(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int64_t jitter(const struct schedule_rule *rule, int64_t nominal)
{
	if (rule->jitter_usec <= 0)
		return 0;
	return (int64_t)(scramble(rule->seed ^ scramble((uint64_t)nominal)) %
			 ((uint64_t)rule->jitter_usec + 1));
}

void schedule_begin(struct schedule_state *state, int64_t now_usec)
{
	*state = (struct schedule_state){.begun_usec = now_usec,
		.last_usec = now_usec,
		.interval_last_usec = now_usec};
}

void schedule_clock_set(struct schedule_state *state, int64_t by_usec)
{
	state->begun_usec += by_usec;
	state->interval_last_usec += by_usec;
}

static void set_handled(struct schedule_state *state, int64_t usec)
{
	state->last_usec = MAX(state->last_usec, usec);
	state->interval_last_usec = MAX(state->interval_last_usec, usec);
}

/* The clock may be another than it was. Was it wrong? */
static bool bring_back(struct schedule_state *state, int64_t now)
{
	bool was_wrong = state->last_usec - now > SCHEDULE_BACK_MAX;

	if (was_wrong)
		state->last_usec = now;
	if (state->interval_last_usec > now)
		schedule_clock_set(state, now - state->interval_last_usec);
	return was_wrong;
}

void schedule_skip(struct schedule_state *state, int64_t now_usec)
{
	bring_back(state, now_usec);
	set_handled(state, now_usec);
}

static bool is_interval(const struct calendar *c)
{
	return calendar_kind_of(c) == CALENDAR_INTERVAL;
}

bool schedule_is_interval(const struct schedule_rule *rule)
{
	for (size_t i = 0; i < rule->n_calendars; i++)
		if (!is_interval(rule->calendars[i]))
			return false;
	return rule->n_calendars > 0;
}

/* up to here those of this expression were handled */
static int64_t handled(const struct schedule_state *state, const struct calendar *c)
{
	return is_interval(c) ? state->interval_last_usec : state->last_usec;
}

/* up to here those of all */
static int64_t all_handled(
	const struct schedule_rule *rule, const struct schedule_state *state)
{
	int64_t usec = INT64_MAX;

	for (size_t i = 0; i < rule->n_calendars; i++)
		usec = MIN(usec, handled(state, rule->calendars[i]));
	return rule->n_calendars > 0 ? usec : state->last_usec;
}

static int64_t next_after(const struct schedule_rule *rule,
	const struct schedule_state *state, int64_t after)
{
	int64_t next = INT64_MAX, usec;

	for (size_t i = 0; i < rule->n_calendars; i++) {
		const struct calendar *c = rule->calendars[i];

		if (calendar_next(&usec, c, MAX(after, handled(state, c)),
			    state->begun_usec) >= 0)
			next = MIN(next, usec);
	}
	return next;
}

/* the last in (from, until]; INT64_MIN: none */
static int64_t last_in(const struct schedule_rule *rule,
	const struct schedule_state *state, int64_t from, int64_t until)
{
	int64_t last = INT64_MIN, usec;

	for (size_t i = 0; i < rule->n_calendars; i++) {
		const struct calendar *c = rule->calendars[i];

		if (calendar_last(&usec, c, MAX(from, handled(state, c)), until,
			    state->begun_usec) >= 0)
			last = MAX(last, usec);
	}
	return last;
}

int64_t schedule_next(
	const struct schedule_rule *rule, const struct schedule_state *state)
{
	return next_after(rule, state, INT64_MIN);
}

static void add(const struct schedule_rule *rule, struct schedule_due *v,
	struct schedule_look *look, int64_t nominal, int64_t now, bool made_up)
{
	int64_t start = made_up ? now + rule->spread_usec * (int64_t)look->n : nominal;

	v[look->n++] = (struct schedule_due){.nominal_usec = nominal,
		.start_usec = start + jitter(rule, nominal),
		.made_up = made_up};
}

/* The newest n nominal times in (from, until] lie after this. From the end, so that a long
 * sleep of a schedule of seconds costs little. */
static int64_t newest_from(const struct schedule_rule *rule,
	const struct schedule_state *state, int64_t from, int64_t until, unsigned n)
{
	int64_t at = until;

	for (unsigned i = 0; i < n; i++) {
		int64_t usec = last_in(rule, state, from, at);

		if (usec == INT64_MIN)
			return from;
		at = usec - 1;
	}
	return at;
}

/* of those missed in (from, until]: drops what the policy drops, adds the others */
static void make_up(const struct schedule_rule *rule,
	const struct schedule_state *state, int64_t from, int64_t until, int64_t now,
	bool another_is_due, struct schedule_due *v, struct schedule_look *look)
{
	unsigned n = 0;
	int64_t begin = until, usec;

	switch (rule->missed) {
	case SCHEDULE_MISSED_SKIP: break;
	case SCHEDULE_MISSED_LATEST: n = another_is_due ? 0 : 1; break;
	case SCHEDULE_MISSED_ALL:
		n = MIN(rule->missed_max, (unsigned)SCHEDULE_MAKE_UP_MAX);
		break;
	}
	if (n > 0)
		begin = newest_from(rule, state, from, until, n);
	/* whether any is left out, not how many: that may be millions */
	usec = next_after(rule, state, from);
	look->n_dropped = usec <= begin && usec <= until;
	for (usec = next_after(rule, state, begin); usec <= until && n > 0;
		usec = next_after(rule, state, usec))
		add(rule, v, look, usec, now, true);
}

void schedule_look(const struct schedule_rule *rule, struct schedule_state *state,
	int64_t now_usec, int64_t away_until_usec, struct schedule_due *v, size_t max,
	struct schedule_look *ret)
{
	int64_t missed_until =
		MAX(now_usec - SCHEDULE_LATE_MAX - 1, MIN(away_until_usec, now_usec));
	int64_t usec, from;
	bool was_wrong;

	INVARIANT(max >= SCHEDULE_MAKE_UP_MAX);
	was_wrong = bring_back(state, now_usec);
	*ret = (struct schedule_look){
		.clock_was_wrong = was_wrong && !schedule_is_interval(rule)};
	from = all_handled(rule, state);
	if (now_usec <= from)
		return;
	if (missed_until > from) {
		usec = next_after(rule, state, missed_until);
		make_up(rule, state, from, missed_until, now_usec, usec <= now_usec, v,
			ret);
		set_handled(state, missed_until);
	}
	while ((usec = schedule_next(rule, state)) <= now_usec) {
		if (ret->n == max) {
			ret->more = true;
			return;
		}
		add(rule, v, ret, usec, now_usec, false);
		set_handled(state, usec);
	}
	set_handled(state, now_usec);
}
