#include "config.h"

#include "cli/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/zone.h"
#include "cli/text.h"
#include "job/time.h"

#define DAY_USEC (86400 * USEC_PER_SEC)

int time_parse_since(int64_t *ret_usec, const char *text, int64_t now_usec, char **err)
{
	_cleanup_(zone_unrefp) struct zone *zone = NULL;
	char span[TIME_TEXT_MAX];
	size_t n = strlen(text);
	int64_t usec;
	int r;

	*err = NULL;
	if (n > 4 && STREQ(text + n - 4, " ago"))
		n -= 4;
	if (n < sizeof(span)) {
		memcpy(span, text, n);
		span[n] = '\0';
		if (duration_parse(&usec, span) == 0) {
			*ret_usec = usec >= now_usec ? 0 : now_usec - usec;
			return 0;
		}
	}
	r = zone_load_local(&zone);
	return r < 0 ? r : time_parse(ret_usec, text, now_usec, zone, err);
}

/* "06:00", "6:00:30", "06:00 UTC": no day was said, which a '-' would follow */
static bool is_time_of_day(const char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strspn(text, "0123456789");
	return n > 0 && text[n] == ':';
}

int time_parse_ahead(int64_t *ret_usec, const char *text, int64_t now_usec, char **err)
{
	_cleanup_(zone_unrefp) struct zone *zone = NULL;
	_cleanup_free_ char *tomorrow = NULL;
	int64_t usec;
	int r;

	*err = NULL;
	if (duration_parse(&usec, text) == 0 && usec < INT64_MAX - now_usec) {
		*ret_usec = now_usec + usec;
		return 0;
	}
	r = zone_load_local(&zone);
	if (r >= 0)
		r = time_parse(ret_usec, text, now_usec, zone, err);
	if (r < 0 || *ret_usec >= now_usec || !is_time_of_day(text))
		return r;
	tomorrow = text_printf("tomorrow %s", text);
	if (!tomorrow)
		return -ENOMEM;
	r = time_parse(ret_usec, tomorrow, now_usec, zone, err);
	/* "06:00-12:00": the day is that of here, where it may be tomorrow already */
	while (r >= 0 && *ret_usec < now_usec)
		*ret_usec += DAY_USEC;
	return r;
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
