/*
 * Clocks and durations.
 *
 * Code that decides anything by time asks a struct clock, so that tests and the
 * simulation put in a virtual one. Monotonic and boot time are rv_time (ns); wall-clock
 * time is int64 microseconds since the epoch and its names end in _usec.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <time.h>

#include "reeve/base.h"

struct clock {
	rv_time (*monotonic)(void *priv); /* CLOCK_MONOTONIC, ns */
	rv_time (*boottime)(void *priv); /* CLOCK_BOOTTIME, ns: counts suspended time */
	int64_t (*wall_usec)(void *priv); /* CLOCK_REALTIME, us since the epoch */
	void *priv;
};

/* the kernel's clocks */
extern const struct clock clock_system;

static inline rv_time clock_monotonic(const struct clock *c)
{
	return c->monotonic(c->priv);
}
static inline rv_time clock_boottime(const struct clock *c)
{
	return c->boottime(c->priv);
}
static inline int64_t clock_wall_usec(const struct clock *c)
{
	return c->wall_usec(c->priv);
}

/* A duration in microseconds as time; what is over a century is RV_FOREVER, so that adding
 * it to any clock cannot overflow. */
static inline rv_time usec_to_time(int64_t usec)
{
	return usec > INT64_C(3155760000000000) ? RV_FOREVER : RV_US(usec);
}
/* a moment from now; RV_FOREVER for such a duration */
static inline rv_time time_after(rv_time now, int64_t usec)
{
	rv_time d = usec_to_time(usec);

	return d == RV_FOREVER ? RV_FOREVER : now + d;
}

/* Of the clock that said now; less than nothing is nothing, what no clock reaches the end
 * of time. */
struct timespec time_deadline(rv_time now, rv_time timeout);

#define USEC_PER_SEC      INT64_C(1000000)
#define USEC_INFINITY     INT64_MAX
#define DURATION_TEXT_MAX 64

/**
 * Parse a duration as systemd.time(7) writes spans: "90", "1.5s", "5min 20s", "2h30m",
 * "1d", "infinity". A bare number is seconds. Units: us ms s min m h d w (and the long
 * names systemd takes for them; months and years too: 30.4375 and 365.25 days).
 * Fractions are decimal and exact; what is left below a microsecond is dropped.
 *
 * @ret_usec  microseconds >= 0; USEC_INFINITY for "infinity"
 *
 * Returns 0, -EINVAL (not a duration), -ERANGE (does not fit).
 */
int duration_parse(int64_t *ret_usec, const char *text);

/**
 * Print a duration so that duration_parse reads the same value back ("1min 30s"). A
 * negative one, which no duration should be, gets a minus sign and does not read back.
 *
 * @buf  at least DURATION_TEXT_MAX bytes
 *
 * Returns buf.
 */
char *duration_format(char *buf, size_t size, int64_t usec);

#endif
