#include "config.h"

#include "tests/unit/job/calendar_naive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/invariant.h"

/* microseconds in "12.345678" */
static int64_t number(const char **p)
{
	char *end;
	int64_t usec = strtol(*p, &end, 10) * USEC_PER_SEC;
	int64_t unit = USEC_PER_SEC / 10;

	if (end[0] == '.' && end[1] != '.')
		for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
			usec += (*end - '0') * unit;
	*p = end;
	return usec;
}

/* "*" or elements with commas; *p ends behind it. All in millionths. Where values count from
 * the end (of the month) a repetition makes them smaller. */
static bool list_matches(const char **p, int64_t value, bool from_end)
{
	bool matches = false;

	if (**p == '*') {
		(*p)++;
		return value % USEC_PER_SEC == 0;
	}
	for (;; (*p)++) {
		int64_t start = number(p), stop = -1, step = 0, first, last;

		if ((*p)[0] == '.') {
			*p += 2;
			stop = number(p);
			step = USEC_PER_SEC;
		}
		if (**p == '/') {
			(*p)++;
			step = number(p);
		}
		if (step == 0) {
			matches = matches || value == start;
		} else if (from_end) {
			first = stop >= 0 ? stop : start;
			last = stop >= 0 ? start : 0;
			matches = matches || (value <= first && value >= last &&
						     (first - value) % step == 0);
		} else {
			matches = matches ||
				  (value >= start && (stop < 0 || value <= stop) &&
					  (value - start) % step == 0);
		}
		if (**p != ',')
			return matches;
	}
}

/* "Mon,Wed..Fri " or nothing */
static bool weekday_matches(const char **p, int weekday)
{
	static const char names[] = "MonTueWedThuFriSatSun";
	bool matches = false;
	int from = -1;

	if (**p < 'A')
		return true;
	for (;;) {
		char name[4] = {(*p)[0], (*p)[1], (*p)[2]};
		int day = (int)(strstr(names, name) - names) / 3;

		matches = matches || weekday == day ||
			  (from >= 0 && weekday > from && weekday < day);
		*p += 3;
		from = **p == '.' ? day : -1;
		if (**p == ' ') {
			(*p)++;
			return matches;
		}
		*p += **p == '.' ? 2 : 1;
	}
}

bool calendar_naive_matches(const char *normal, const struct zone *z, int64_t usec)
{
	int64_t wall = zone_to_wall(z, usec), second = wall % (60 * USEC_PER_SEC);
	int64_t days = wall / (86400 * USEC_PER_SEC),
		minutes = wall / (60 * USEC_PER_SEC);
	struct civil date = civil_of_days(days);
	const char *p = normal;
	bool matches, from_end;

	matches = weekday_matches(&p, civil_weekday(days));
	matches &= list_matches(&p, date.year * USEC_PER_SEC, false);
	INVARIANT(*p == '-');
	p++;
	matches &= list_matches(&p, date.month * USEC_PER_SEC, false);
	from_end = *p++ == '~';
	if (from_end)
		date.day = civil_month_days(date.year, date.month) + 1 - date.day;
	matches &= list_matches(&p, date.day * USEC_PER_SEC, from_end);
	INVARIANT(*p == ' ');
	p++;
	matches &= list_matches(&p, minutes / 60 % 24 * USEC_PER_SEC, false);
	INVARIANT(*p == ':');
	p++;
	matches &= list_matches(&p, minutes % 60 * USEC_PER_SEC, false);
	INVARIANT(*p == ':');
	p++;
	matches &= list_matches(&p, second, false);
	INVARIANT(*p == '\0' || *p == ' ');
	return matches;
}
