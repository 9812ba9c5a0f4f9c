/*
 * Any text as an expression of a schedule, as a moment, and as the rule of a time zone.
 * Properties:
 * - what is refused says why, and where;
 * - an expression that is read has a normal form that reads back as the same, and elapses at
 *   the same times;
 * - elapses are later than what they were asked to follow, and the last before one is the one
 *   before it;
 * - a rule has a stretch around every moment.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "job/calendar.h"
#include "job/time.h"
#include "tests/fuzz/fuzz.h"

/* around changes of clocks in Berlin, and far off */
static const int64_t moments[] = {-1, 0, 1774742400, 1774746000, 1792886400, 1792890000,
	INT64_C(7258100000), INT64_C(9000000000)};

static void look_at_elapses(const struct calendar *c, const struct calendar *again)
{
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		int64_t from = moments[i] * USEC_PER_SEC, usec = from, next, other;

		for (int n = 0; n < 4; n++) {
			int r = calendar_next(&next, c, usec, from);

			INVARIANT(calendar_next(&other, again, usec, from) == r);
			INVARIANT(r == 0 || r == -ENOENT);
			if (r < 0)
				break;
			INVARIANT(next > usec && other == next);
			INVARIANT(calendar_last(&other, c, usec, next, from) == 0 &&
				  other == next);
			INVARIANT(calendar_last(&other, c, usec, next - 1, from) ==
				  -ENOENT);
			usec = next;
		}
	}
}

static void read_expression(const char *text, struct zone *zone)
{
	struct calendar *c, *again;
	char *err;
	int r = calendar_parse(&c, text, zone, NULL, &err);

	if (r < 0) {
		INVARIANT(r == -ENOMEM || ((r == -EINVAL || r == -ERANGE) && err));
		free(err);
		return;
	}
	INVARIANT(!err);
	INVARIANT(calendar_parse(&again, calendar_format(c), zone, NULL, &err) == 0);
	INVARIANT(STREQ(calendar_format(c), calendar_format(again)));
	INVARIANT(calendar_kind_of(c) == calendar_kind_of(again));
	look_at_elapses(c, again);
	calendar_free(c);
	calendar_free(again);
}

static void read_moment(const char *text, struct zone *zone)
{
	int64_t usec = -1;
	char *err;
	int r = time_parse(&usec, text, 1774742400 * USEC_PER_SEC, zone, &err);

	INVARIANT(r == 0 || r == -ENOMEM || ((r == -EINVAL || r == -ERANGE) && err));
	INVARIANT(r < 0 || usec >= 0);
	free(err);
}

static void read_rule(const char *text)
{
	struct zone *z;
	struct zone_span span;

	if (zone_from_rule(&z, text) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		int64_t sec = moments[i];

		for (int n = 0; n < 4; n++) {
			zone_span_at(&span, z, sec);
			INVARIANT(span.begin <= sec && sec < span.end);
			if (span.end == INT64_MAX)
				break;
			sec = span.end;
		}
		(void)zone_from_wall(z, moments[i] * USEC_PER_SEC);
	}
	read_expression("2:30", z);
	zone_unref(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone *zone;
	char *text = malloc(size + 1);

	if (!zone && zone_from_rule(&zone, "CET-1CEST,M3.5.0,M10.5.0/3") < 0)
		abort();
	INVARIANT(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	read_expression(text, zone);
	read_moment(text, zone);
	read_rule(text);
	free(text);
	return 0;
}
