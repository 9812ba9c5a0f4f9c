#include "base/civil.h"

#include "base/invariant.h"

#define DAYS_PER_ERA INT64_C(146097) /* 400 years */

bool civil_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	INVARIANT(month >= 1 && month <= 12);
	return days[month - 1] + (month == 2 && civil_is_leap(year));
}

/* Years begin in March here, so that the day that leap years add is the last: the days
 * before month m (0 is March) are (153 m + 2) / 5. Day 0 of the eras is 0000-03-01, which
 * is 719468 days before the epoch. */
int64_t civil_to_days(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	INVARIANT(month >= 1 && month <= 12);
	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - 719468;
}

struct civil civil_of_days(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = floor_div(z, DAYS_PER_ERA);
	int64_t day_of_era = z - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				      day_of_era / 146096) /
			      365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month = (int)((5 * day_of_year + 2) / 153);
	struct civil c = {
		.year = year_of_era + era * 400,
		.month = month < 10 ? month + 3 : month - 9,
		.day = (int)(day_of_year - (153 * month + 2) / 5) + 1,
	};

	c.year += c.month <= 2;
	return c;
}

int civil_weekday(int64_t days)
{
	/* 1970-01-01 was a Thursday */
	return (int)(days + 3 - floor_div(days + 3, 7) * 7);
}
