/*
 * A year of schedules against what their policies promise: three zones with their changes of
 * the clock, a machine that is always on and two laptops that sleep, a daemon that restarts,
 * and a clock that is set back and forward, which intervals do not follow.
 *
 * The judge has the whole list of nominal times of a schedule and the moments at which it was
 * looked at, and says from these which jobs there must be. SCHEDULE_SEED chooses another year.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/zone.h"
#include "sched/schedule.h"
#include "tests/support/unit.h"

#define SEC  USEC_PER_SEC
#define MIN_ (60 * SEC)
#define HOUR (60 * MIN_)
#define DAY  (24 * HOUR)

enum { N_SCHEDULES = 200, N_ZONES = 3, DUE_MAX = SCHEDULE_MAKE_UP_MAX };

static const int64_t begin = INT64_C(1767225600) * SEC; /* 2026-01-01 UTC */
static const int64_t year = 365 * DAY;

static const char *const zone_names[N_ZONES] = {
	"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"};

static uint64_t seed = 1;

static unsigned pick(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* ---- the machine --------------------------------------------------------------------------- */

enum machine { ALWAYS_ON, NIGHTS_OFF, WEEKENDS_OFF, N_MACHINES };

/* is it awake at this moment of real time */
static bool is_awake(enum machine m, int64_t real)
{
	int64_t of_day = (real - begin) % DAY, day = (real - begin) / DAY;

	switch (m) {
	case NIGHTS_OFF: return of_day >= 7 * HOUR + 30 * MIN_ && of_day < 23 * HOUR;
	case WEEKENDS_OFF: return day % 7 < 5;
	default: return true;
	}
}

/* the next moment, after this one, at which it wakes up or falls asleep */
static int64_t next_change(enum machine m, int64_t real)
{
	int64_t day = (real - begin) / DAY, midnight = begin + day * DAY;

	switch (m) {
	case NIGHTS_OFF:
		if (real < midnight + 7 * HOUR + 30 * MIN_)
			return midnight + 7 * HOUR + 30 * MIN_;
		if (real < midnight + 23 * HOUR)
			return midnight + 23 * HOUR;
		return midnight + DAY + 7 * HOUR + 30 * MIN_;
	case WEEKENDS_OFF:
		return begin +
		       (day % 7 < 5 ? day - day % 7 + 5 : day - day % 7 + 7) * DAY;
	default: return INT64_MAX;
	}
}

/* when the clock is set, by how much, in real time */
static const struct {
	int64_t after, by;
} settings[] = {
	{100 * DAY + 13 * HOUR, -3 * HOUR},
	{105 * DAY + 3 * HOUR, 3 * HOUR},
	{200 * DAY + 12 * HOUR, -40 * DAY},
	{300 * DAY + 12 * HOUR, 40 * DAY},
};

/* ---- one schedule -------------------------------------------------------------------------- */

struct schedule {
	char text[64];
	struct calendar *calendar;
	struct schedule_rule rule;
	enum machine machine;
};

struct job {
	struct schedule_due due;
	int64_t looked; /* when it was made, as struct history has it */
	int64_t offset; /* of the clock then, for an interval */
	unsigned era;   /* how often the clock had been wrong before */
};

struct history {
	struct job *jobs;
	size_t n, n_max;
	int64_t *looks; /* wall clock of each; of an interval, as if it was never set */
	bool *dropped;  /* that look said that some were */
	size_t n_looks, n_looks_max;
	unsigned era;
};

static void make_text(char *buf, size_t size)
{
	static const char *const days[] = {
		"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	switch (pick(8)) {
	case 0: snprintf(buf, size, "*-*-* %02u:%02u:00", pick(24), pick(60)); break;
	case 1: snprintf(buf, size, "hourly"); break;
	case 2: snprintf(buf, size, "*:0/%u", 5 + pick(20)); break;
	case 3: snprintf(buf, size, "%s %02u:30", days[pick(7)], pick(24)); break;
	case 4: snprintf(buf, size, "*-*-%02u 02:%02u", 1 + pick(28), pick(60)); break;
	case 5: snprintf(buf, size, "%u %u * * *", pick(60), pick(24)); break;
	case 6: snprintf(buf, size, "*/%u 1-5 * * 1-5", 7 + pick(20)); break;
	default: snprintf(buf, size, "every %umin", 45 + pick(600)); break;
	}
}

static void make_schedule(struct schedule *s, struct zone *const *zones)
{
	struct calendar *c;
	char *err = NULL;

	make_text(s->text, sizeof(s->text));
	ck_assert_msg(
		calendar_parse(&c, s->text, zones[pick(N_ZONES)], NULL, &err) >= 0,
		"%s: %s", s->text, err ? err : "");
	s->machine = (enum machine)pick(N_MACHINES);
	s->calendar = c;
	s->rule = (struct schedule_rule){.n_calendars = 1,
		.missed = (enum schedule_missed)pick(3),
		.missed_max = 1 + pick(12),
		.spread_usec = pick(2) * 30 * SEC,
		.jitter_usec = pick(2) * (int64_t)pick(600) * SEC,
		.seed = seed};
}

static void note(struct history *h, int64_t wall, int64_t offset,
	const struct schedule_look *look, const struct schedule_due *v)
{
	if (h->n_looks == h->n_looks_max) {
		h->n_looks_max = h->n_looks_max * 2 + 64;
		h->looks = reallocarray(h->looks, h->n_looks_max, sizeof(*h->looks));
		h->dropped =
			reallocarray(h->dropped, h->n_looks_max, sizeof(*h->dropped));
		ck_assert(h->looks && h->dropped);
	}
	h->era += look->clock_was_wrong;
	h->looks[h->n_looks] = wall - offset;
	h->dropped[h->n_looks++] = look->n_dropped > 0;
	for (size_t i = 0; i < look->n; i++) {
		if (h->n == h->n_max) {
			h->n_max = h->n_max * 2 + 64;
			h->jobs = reallocarray(h->jobs, h->n_max, sizeof(*h->jobs));
			ck_assert_ptr_nonnull(h->jobs);
		}
		h->jobs[h->n] = (struct job){.due = v[i],
			.looked = wall - offset,
			.offset = offset,
			.era = h->era};
		h->jobs[h->n].due.nominal_usec -= offset;
		h->jobs[h->n++].due.start_usec -= offset;
	}
}

static void set_clock(struct schedule_state *state, int64_t *offset, size_t which)
{
	*offset += settings[which].by;
	schedule_clock_set(state, settings[which].by);
}

/* The year, as the daemon would live it: it looks when the next nominal time has come, when
 * the machine wakes, when the clock is set, and when it was restarted. */
static void live(const struct schedule *s, struct history *h)
{
	static struct schedule_due v[DUE_MAX];
	struct schedule_state state;
	struct schedule_rule rule = s->rule;
	struct calendar *calendar = s->calendar;
	struct schedule_look look;
	int64_t real = begin, offset = 0, restart = begin + 17 * DAY;
	bool is_interval = calendar_kind_of(calendar) == CALENDAR_INTERVAL;
	size_t set = 0;

	schedule_begin(&state, begin);
	rule.calendars = &calendar;
	while (real < begin + year) {
		int64_t next = schedule_next(&rule, &state),
			at = next_change(s->machine, real);

		/* a timer of the wall clock; one that has passed goes off at once, but not
		 * twice for the same moment */
		if (next != INT64_MAX)
			at = MIN(at, MAX(next - offset, real + 1));
		if (set < ARRAY_LEN(settings))
			at = MIN(at, begin + settings[set].after);
		at = MIN(at, restart);
		real = at;
		if (set < ARRAY_LEN(settings) && real == begin + settings[set].after)
			set_clock(&state, &offset, set++);
		if (real == restart) /* some days are gone by the time it is up again */
			restart += (int64_t)(5 + pick(30)) * DAY + pick(100000) * SEC;
		if (!is_awake(s->machine, real)) {
			real = next_change(s->machine, real);
			while (set < ARRAY_LEN(settings) &&
				real >= begin + settings[set].after)
				set_clock(&state, &offset, set++);
		}
		do {
			schedule_look(
				&rule, &state, real + offset, 0, v, DUE_MAX, &look);
			note(h, real + offset, is_interval ? offset : 0, &look, v);
		} while (look.more);
	}
}

/* ---- the judge ----------------------------------------------------------------------------- */

struct nominal {
	int64_t *v;
	size_t n;
};

/* all nominal times of the year and some time around it */
static void list_nominal(struct nominal *ret, const struct calendar *c)
{
	size_t n_max = 0;
	int64_t usec = begin - 60 * DAY;

	*ret = (struct nominal){.n = 0};
	while (calendar_next(&usec, c, usec, begin) >= 0 &&
		usec < begin + year + 60 * DAY) {
		if (ret->n == n_max) {
			n_max = n_max * 2 + 64;
			ret->v = reallocarray(ret->v, n_max, sizeof(*ret->v));
			ck_assert_ptr_nonnull(ret->v);
		}
		ret->v[ret->n++] = usec;
	}
}

/* the job for a nominal time that came out of this look; there must be exactly one */
static void expect_job(const struct schedule *s, struct history *h, size_t *at,
	int64_t nominal, int64_t wall, bool made_up, size_t place)
{
	struct job *j = &h->jobs[*at];

	ck_assert_msg(*at < h->n, "%s: no job for %" PRId64, s->text, nominal);
	ck_assert_msg(j->due.nominal_usec == nominal && j->looked == wall &&
			      j->due.made_up == made_up,
		"%s: at %" PRId64 " expected %" PRId64 ", found %" PRId64 "%s", s->text,
		wall, nominal, j->due.nominal_usec, j->due.made_up ? ", made up" : "");
	if (made_up) {
		int64_t earliest = wall + (int64_t)place * s->rule.spread_usec;

		ck_assert_int_ge(j->due.start_usec, earliest);
		ck_assert_int_le(j->due.start_usec, earliest + s->rule.jitter_usec);
	} else {
		ck_assert_int_ge(j->due.start_usec, nominal);
		ck_assert_int_le(j->due.start_usec, nominal + s->rule.jitter_usec);
	}
	++*at;
}

/* From the list of times and the moments of looking alone: which jobs must there be? */
static size_t judge(const struct schedule *s, struct history *h)
{
	int64_t seen = begin; /* up to here all were handled */
	size_t at = 0, first = 0;
	struct nominal e;

	list_nominal(&e, s->calendar);
	for (size_t k = 0; k < h->n_looks; k++) {
		int64_t wall = h->looks[k];
		size_t on_time, end, n_missed, n_made_up = 0;

		if (seen - wall > SCHEDULE_BACK_MAX) {
			seen = wall;
			first = 0;
		}
		if (wall <= seen)
			continue;
		for (; first < e.n && e.v[first] <= seen; first++)
			;
		for (end = first; end < e.n && e.v[end] <= wall; end++)
			;
		for (on_time = first;
			on_time < end && wall - e.v[on_time] > SCHEDULE_LATE_MAX;
			on_time++)
			;
		n_missed = on_time - first;
		if (s->rule.missed == SCHEDULE_MISSED_ALL)
			n_made_up = MIN(n_missed, (size_t)s->rule.missed_max);
		else if (s->rule.missed == SCHEDULE_MISSED_LATEST && on_time == end)
			n_made_up = MIN(n_missed, (size_t)1);
		ck_assert_int_eq(h->dropped[k], n_made_up < n_missed);
		for (size_t i = 0; i < n_made_up; i++)
			expect_job(
				s, h, &at, e.v[on_time - n_made_up + i], wall, true, i);
		for (size_t i = on_time; i < end; i++)
			expect_job(s, h, &at, e.v[i], wall, false, 0);
		seen = wall;
	}
	ck_assert_uint_eq(at, h->n);
	free(e.v);
	return at;
}

/* a nominal time twice: only where the clock had been wrong by more than a day */
static void nothing_twice(const struct schedule *s, const struct history *h)
{
	int64_t last = 0;
	unsigned era = 0;

	/* once it is set back by 40 days */
	ck_assert_uint_eq(
		h->era, calendar_kind_of(s->calendar) == CALENDAR_INTERVAL ? 0 : 1);
	for (size_t i = 0; i < h->n; i++) {
		ck_assert_msg(
			h->jobs[i].era != era || h->jobs[i].due.nominal_usec > last,
			"%s: %" PRId64 " again", s->text, h->jobs[i].due.nominal_usec);
		last = h->jobs[i].due.nominal_usec;
		era = h->jobs[i].era;
	}
}

START_TEST(a_year_keeps_what_each_policy_promises)
{
	const char *text = getenv("SCHEDULE_SEED");
	size_t n_jobs = 0, n_made_up = 0, n_looks = 0;
	struct zone *zones[N_ZONES];

	seed = text ? strtoull(text, NULL, 10) : 1;
	for (int i = 0; i < N_ZONES; i++)
		ck_assert_int_eq(zone_load(&zones[i], zone_names[i]), 0);
	for (int i = 0; i < N_SCHEDULES; i++) {
		struct history h = {.n = 0};
		struct schedule s;

		make_schedule(&s, zones);
		live(&s, &h);
		n_jobs += judge(&s, &h);
		nothing_twice(&s, &h);
		n_looks += h.n_looks;
		for (size_t k = 0; k < h.n; k++)
			n_made_up += h.jobs[k].due.made_up;
		free(h.jobs);
		free(h.looks);
		free(h.dropped);
		calendar_free(s.calendar);
	}
	/* it was a year, and it was not all alike */
	ck_assert_uint_gt(n_jobs, 100000);
	ck_assert_uint_gt(n_made_up, 1000);
	ck_assert_uint_gt(n_looks, n_jobs / 2);
	for (int i = 0; i < N_ZONES; i++)
		zone_unref(zones[i]);
}
END_TEST

/* *:*:0/10 and *:*:5 until some seconds before: what one look at a time says */
static size_t look_back(enum schedule_missed missed, int64_t away, int64_t *ret_first)
{
	static struct schedule_due v[DUE_MAX];
	struct schedule_state state;
	struct calendar *c[2];
	struct schedule_rule rule = {
		.calendars = c, .n_calendars = 2, .missed = missed, .missed_max = 3};
	struct schedule_look look;
	struct zone *utc;

	schedule_begin(&state, begin);
	ck_assert_int_eq(zone_load(&utc, "UTC"), 0);
	ck_assert_int_eq(calendar_parse(&c[0], "*:*:0/10", utc, NULL, NULL), 0);
	ck_assert_int_eq(calendar_parse(&c[1], "*:*:5", utc, NULL, NULL), 0);
	schedule_look(&rule, &state, begin + 31 * SEC, away, v, DUE_MAX, &look);
	ck_assert_int_eq(state.last_usec, begin + 31 * SEC);
	ck_assert_int_eq(schedule_next(&rule, &state), begin + 40 * SEC);
	*ret_first = look.n ? v[0].nominal_usec - begin : 0;
	calendar_free(c[0]);
	calendar_free(c[1]);
	zone_unref(utc);
	return look.n;
}

START_TEST(what_elapsed_while_nobody_looked_is_missed_however_short_that_was)
{
	int64_t away = begin + 25 * SEC, first;

	/* 5, 10, 20 and 30 s: of two expressions, in the order of time */
	ck_assert_uint_eq(look_back(SCHEDULE_MISSED_SKIP, 0, &first), 4);
	ck_assert_int_eq(first, 5 * SEC);
	ck_assert_uint_eq(look_back(SCHEDULE_MISSED_SKIP, away, &first), 1);
	ck_assert_int_eq(first, 30 * SEC);
	ck_assert_uint_eq(look_back(SCHEDULE_MISSED_LATEST, away, &first), 1);
	ck_assert_int_eq(first, 30 * SEC);
	ck_assert_uint_eq(
		look_back(SCHEDULE_MISSED_LATEST, begin + 31 * SEC, &first), 1);
	ck_assert_int_eq(first, 30 * SEC);
	ck_assert_uint_eq(look_back(SCHEDULE_MISSED_ALL, begin + 31 * SEC, &first), 3);
	ck_assert_int_eq(first, 10 * SEC);
}
END_TEST

UNIT_MAIN("schedule", a_year_keeps_what_each_policy_promises,
	what_elapsed_while_nobody_looked_is_missed_however_short_that_was)
