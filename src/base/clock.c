#include "config.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/invariant.h"
#include "base/macro.h"

static struct timespec clock_read(clockid_t id)
{
	struct timespec ts;

	/* fails only for a clock that the kernel does not have */
	INVARIANT(clock_gettime(id, &ts) == 0);
	return ts;
}

static rv_time timespec_ns(struct timespec ts)
{
	return RV_SEC(ts.tv_sec) + ts.tv_nsec;
}

static rv_time system_monotonic(void *priv)
{
	return timespec_ns(clock_read(CLOCK_MONOTONIC));
}

static rv_time system_boottime(void *priv)
{
	return timespec_ns(clock_read(CLOCK_BOOTTIME));
}

static int64_t system_wall_usec(void *priv)
{
	struct timespec ts = clock_read(CLOCK_REALTIME);

	return (int64_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

struct timespec time_deadline(rv_time now, rv_time timeout)
{
	rv_time until;

	if (__builtin_add_overflow(now, MAX(timeout, (rv_time)0), &until))
		until = RV_FOREVER;
	return (struct timespec){
		.tv_sec = until / RV_SEC(1), .tv_nsec = until % RV_SEC(1)};
}

const struct clock clock_system = {
	.monotonic = system_monotonic,
	.boottime = system_boottime,
	.wall_usec = system_wall_usec,
};

rv_time rv_now(void)
{
	return system_monotonic(NULL);
}

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define YEAR   (DAY * 1461 / 4) /* 365.25 days, as systemd.time(7) has it */
#define MONTH  (YEAR / 12)      /* 30.4375 days */

static const struct duration_unit {
	const char *name;
	int64_t usec;
} duration_units[] = {
	{"us", 1},
	{"usec", 1},
	{"\302\265s", 1}, /* micro sign */
	{"\316\274s", 1}, /* Greek mu */
	{"ms", 1000},
	{"msec", 1000},
	{"s", USEC_PER_SEC},
	{"sec", USEC_PER_SEC},
	{"second", USEC_PER_SEC},
	{"seconds", USEC_PER_SEC},
	{"m", MINUTE},
	{"min", MINUTE},
	{"minute", MINUTE},
	{"minutes", MINUTE},
	{"h", HOUR},
	{"hr", HOUR},
	{"hour", HOUR},
	{"hours", HOUR},
	{"d", DAY},
	{"day", DAY},
	{"days", DAY},
	{"w", WEEK},
	{"week", WEEK},
	{"weeks", WEEK},
	{"M", MONTH},
	{"month", MONTH},
	{"months", MONTH},
	{"y", YEAR},
	{"year", YEAR},
	{"years", YEAR},
};

#define BLANKS " \t\n\r"
#define DIGITS "0123456789"

/* what can follow a number and is neither blank nor the next number */
static int unit_find(int64_t *ret_usec, const char *s, size_t len)
{
	if (len == 0) {
		*ret_usec = USEC_PER_SEC;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
		const struct duration_unit *u = &duration_units[i];

		if (strlen(u->name) == len && memcmp(u->name, s, len) == 0) {
			*ret_usec = u->usec;
			return 0;
		}
	}
	return -EINVAL;
}

/* whole and fraction are runs of digits: their value times unit, rounded down */
static int scale_digits(int64_t *ret, const char *whole, size_t n_whole,
	const char *fraction, size_t n_fraction, int64_t unit)
{
	int64_t value = 0, part = 0;

	for (size_t i = 0; i < n_whole; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, whole[i] - '0', &value))
			return -ERANGE;
	}
	if (__builtin_mul_overflow(value, unit, &value))
		return -ERANGE;
	/* From the last digit to the first, rounding down each time: that is exact,
	 * since floor((a + x) / 10) is floor((a + floor(x)) / 10) for every integer a.
	 */
	for (size_t i = n_fraction; i > 0; i--)
		part = ((fraction[i - 1] - '0') * unit + part) / 10;
	if (__builtin_add_overflow(value, part, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

/* one number with its unit; *s is moved behind it and the blanks after it */
static int duration_parse_term(int64_t *ret_usec, const char **s)
{
	const char *whole = *s, *fraction, *p;
	size_t n_whole, n_fraction = 0, n_unit;
	int64_t unit;
	int r;

	n_whole = strspn(whole, DIGITS);
	p = fraction = whole + n_whole;
	if (*p == '.') {
		fraction = p + 1;
		n_fraction = strspn(fraction, DIGITS);
		if (n_fraction == 0)
			return -EINVAL;
		p = fraction + n_fraction;
	}
	if (n_whole + n_fraction == 0)
		return -EINVAL;
	p += strspn(p, BLANKS);
	n_unit = strcspn(p, BLANKS DIGITS ".");
	if (n_unit == 0 && *p)
		return -EINVAL; /* "1 2", "1.2.3": seconds without a unit stand last */
	r = unit_find(&unit, p, n_unit);
	if (r < 0)
		return r;
	p += n_unit;
	*s = p + strspn(p, BLANKS);
	return scale_digits(ret_usec, whole, n_whole, fraction, n_fraction, unit);
}

int duration_parse(int64_t *ret_usec, const char *text)
{
	static const char infinity[] = "infinity";
	int64_t sum = 0;
	bool too_big = false;

	text += strspn(text, BLANKS);
	if (strncmp(text, infinity, strlen(infinity)) == 0) {
		text += strlen(infinity);
		if (text[strspn(text, BLANKS)])
			return -EINVAL;
		*ret_usec = USEC_INFINITY;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	while (*text) {
		int64_t term;
		int r;

		r = duration_parse_term(&term, &text);
		if (r == -ERANGE)
			too_big = true; /* only if the rest is a duration at all */
		else if (r < 0)
			return r;
		else if (__builtin_add_overflow(sum, term, &sum))
			too_big = true;
		if (too_big)
			sum = 0;
	}
	if (too_big || sum == USEC_INFINITY)
		return -ERANGE;
	*ret_usec = sum;
	return 0;
}

char *duration_format(char *buf, size_t size, int64_t usec)
{
	static const struct duration_unit units[] = {
		{"w", WEEK},
		{"d", DAY},
		{"h", HOUR},
		{"min", MINUTE},
		{"s", USEC_PER_SEC},
		{"ms", 1000},
		{"us", 1},
	};
	uint64_t left = usec < 0 ? -(uint64_t)usec : (uint64_t)usec;
	size_t at = 0;

	INVARIANT(size >= DURATION_TEXT_MAX);
	if (usec == USEC_INFINITY) {
		snprintf(buf, size, "infinity");
		return buf;
	}
	if (usec == 0) {
		snprintf(buf, size, "0");
		return buf;
	}
	if (usec < 0)
		buf[at++] = '-';
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		uint64_t unit = (uint64_t)units[i].usec;

		/* 30d, not 4w 2d */
		if (left < unit || (units[i].usec == WEEK && left % unit != 0))
			continue;
		at += (size_t)snprintf(buf + at, size - at, "%s%" PRIu64 "%s",
			at > (usec < 0 ? 1U : 0U) ? " " : "", left / unit,
			units[i].name);
		left %= unit;
	}
	return buf;
}
