/*
 * When a schedule has jobs to submit: what is due, what was missed, and what the policy says
 * of it. Pure: the time is handed in, wall clock in microseconds since the epoch.
 *
 * A nominal time is one at which the expression elapses. It is handled once: as due when the
 * schedule is looked at within SCHEDULE_LATE_MAX after it, else as missed, which happens
 * where the machine slept or the clock was set forward. What elapsed while no daemon ran is
 * missed however short that was: nothing starts because the daemon did.
 *
 *   skip    nothing is done about missed ones
 *   latest  the latest is made up for, unless another is due just now
 *   all     the newest missed_max of them are made up for, oldest first, spread apart
 *
 * A clock that is set back does not make a nominal time come twice: nothing elapses until the
 * clock has passed the last one that was handled. Set back by more than SCHEDULE_BACK_MAX it
 * had been wrong: the schedule goes on from the new time.
 *
 * Intervals do not follow a clock that is set: who sees that happen says so with
 * schedule_clock_set. Where nobody saw it, because no daemon ran, they go on from now.
 */
#ifndef SCHED_SCHEDULE_H
#define SCHED_SCHEDULE_H

#include "base/clock.h"
#include "job/calendar.h"

/* most expressions of one schedule */
#define SCHEDULE_CALENDARS_MAX 32

#define SCHEDULE_LATE_MAX    (60 * USEC_PER_SEC)
#define SCHEDULE_BACK_MAX    (25 * 3600 * USEC_PER_SEC)
#define SCHEDULE_MAKE_UP_MAX 1000 /* most that missed_max can be */

enum schedule_missed {
	SCHEDULE_MISSED_SKIP,
	SCHEDULE_MISSED_LATEST,
	SCHEDULE_MISSED_ALL,
};

struct schedule_rule {
	struct calendar *const *calendars; /* it elapses when any of them does */
	size_t n_calendars;
	enum schedule_missed missed;
	unsigned missed_max; /* of ALL; at most SCHEDULE_MAKE_UP_MAX */
	int64_t spread_usec; /* between those that are made up for */
	int64_t jitter_usec; /* each starts up to so much later */
	uint64_t seed;       /* of the jitter: the same for each daemon */
};

/* what has to be kept of a schedule */
struct schedule_state {
	/* when it was made, as the clock stands now: intervals count from it */
	int64_t begun_usec;
	int64_t last_usec;          /* up to here all nominal times were handled */
	int64_t interval_last_usec; /* those of intervals */
};

struct schedule_due {
	int64_t nominal_usec;
	int64_t start_usec; /* when its job starts, at the earliest */
	bool made_up;       /* it was missed */
};

struct schedule_look {
	size_t n;          /* due, in the order of their nominal times */
	int64_t n_dropped; /* missed, and nothing is done about it; at least so many */
	bool clock_was_wrong; /* it was set back far */
	bool more;            /* there was no room for all: look again at once */
};

/* Does it know of no clock on the wall at all? */
bool schedule_is_interval(const struct schedule_rule *rule);

/* It begins now. */
void schedule_begin(struct schedule_state *state, int64_t now_usec);

/* The clock was set, forward by so much (back if less than 0): for intervals nothing has
 * changed. */
void schedule_clock_set(struct schedule_state *state, int64_t by_usec);

/* What has elapsed until now is nobody's. */
void schedule_skip(struct schedule_state *state, int64_t now_usec);

/**
 * Handle what has elapsed until now.
 *
 * @state  moves on
 * @away_until_usec  until then nobody looked; 0: somebody did all the time
 * @v      gets those that are due, @max elements, at least SCHEDULE_MAKE_UP_MAX
 */
void schedule_look(const struct schedule_rule *rule, struct schedule_state *state,
	int64_t now_usec, int64_t away_until_usec, struct schedule_due *v, size_t max,
	struct schedule_look *ret);

/* The next nominal time that schedule_look has not handled; INT64_MAX: none any more. */
int64_t schedule_next(
	const struct schedule_rule *rule, const struct schedule_state *state);

#endif
