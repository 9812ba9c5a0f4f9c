#include "config.h"

#include "cli/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"

static int from_tm(int64_t *ret, struct tm *tm)
{
	time_t t;

	tm->tm_isdst = -1; /* whatever holds then */
	t = mktime(tm);
	if (t < 0)
		return -ERANGE;
	*ret = (int64_t)t * USEC_PER_SEC;
	return 0;
}

/* the day that lies days before now, with the time of the text in format */
static int parse_as(
	int64_t *ret, const char *text, const char *format, const struct tm *base)
{
	struct tm tm = *base;
	const char *end;

	end = strptime(text, format, &tm);
	if (!end || *end)
		return -EINVAL;
	return from_tm(ret, &tm);
}

static int parse_ago(int64_t *ret, const char *text, int64_t now_usec)
{
	char span[TIME_TEXT_MAX];
	size_t n = strlen(text);
	int64_t usec;
	int r;

	if (n > 4 && STREQ(text + n - 4, " ago"))
		n -= 4;
	if (n >= sizeof(span))
		return -EINVAL;
	memcpy(span, text, n);
	span[n] = '\0';
	r = duration_parse(&usec, span);
	if (r < 0)
		return r;
	*ret = usec >= now_usec ? 0 : now_usec - usec;
	return 0;
}

int time_parse(int64_t *ret_usec, const char *text, int64_t now_usec)
{
	static const char *const with_date[] = {"%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	static const char *const of_today[] = {"%H:%M:%S", "%H:%M"};
	time_t now = (time_t)(now_usec / USEC_PER_SEC);
	struct tm today, zero = {.tm_mday = 1};
	int64_t n;

	if (!localtime_r(&now, &today))
		return -ERANGE;
	today.tm_hour = today.tm_min = today.tm_sec = 0;
	if (STREQ(text, "now")) {
		*ret_usec = now_usec;
		return 0;
	}
	if (STREQ(text, "today"))
		return from_tm(ret_usec, &today);
	if (STREQ(text, "yesterday")) {
		today.tm_mday--;
		return from_tm(ret_usec, &today);
	}
	if (text[0] == '@') {
		if (parse_i64(&n, text + 1, 0, INT64_MAX / USEC_PER_SEC) < 0)
			return -EINVAL;
		*ret_usec = n * USEC_PER_SEC;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(with_date); i++)
		if (parse_as(ret_usec, text, with_date[i], &zero) == 0)
			return 0;
	for (size_t i = 0; i < ARRAY_LEN(of_today); i++)
		if (parse_as(ret_usec, text, of_today[i], &today) == 0)
			return 0;
	return parse_ago(ret_usec, text, now_usec);
}

char *time_format(char *buf, size_t size, int64_t usec)
{
	time_t t = (time_t)(usec / USEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buf, size, "@%" PRId64, usec / USEC_PER_SEC);
	return buf;
}

char *time_format_relative(char *buf, size_t size, int64_t usec, int64_t now_usec)
{
	static const struct {
		int64_t sec;
		const char *unit;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t sec = (now_usec - usec) / USEC_PER_SEC;
	bool future = sec < 0;
	size_t i = 0;

	if (future)
		sec = -sec;
	if (sec >= INT64_C(30) * 86400)
		return time_format(buf, size, usec);
	while (i + 1 < ARRAY_LEN(units) && sec < units[i].sec)
		i++;
	sec /= units[i].sec;
	if (future)
		snprintf(buf, size, "in %" PRId64 "%s", sec, units[i].unit);
	else
		snprintf(buf, size, "%" PRId64 "%s ago", sec, units[i].unit);
	return buf;
}

char *time_format_span(char *buf, size_t size, int64_t usec)
{
	int64_t sec = usec / USEC_PER_SEC;

	if (usec < 0)
		snprintf(buf, size, "-");
	else if (usec < USEC_PER_SEC)
		snprintf(buf, size, "%" PRId64 "ms", usec / 1000);
	else if (sec < 60)
		snprintf(buf, size, "%" PRId64 ".%" PRId64 "s", sec,
			usec % USEC_PER_SEC / 100000);
	else if (sec < 3600)
		snprintf(buf, size, "%" PRId64 "min%02" PRId64 "s", sec / 60, sec % 60);
	else if (sec < 86400)
		snprintf(buf, size, "%" PRId64 "h%02" PRId64 "min", sec / 3600,
			sec % 3600 / 60);
	else
		snprintf(buf, size, "%" PRId64 "d%02" PRId64 "h", sec / 86400,
			sec % 86400 / 3600);
	return buf;
}
