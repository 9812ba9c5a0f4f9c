/*
 * Dates of the Gregorian calendar and the days they are, counted from 1970-01-01. Pure
 * arithmetic, also for dates before the calendar was in use; no time zone.
 */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

struct civil {
	int64_t year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
};

/* days may be of any sign; |days| < 10^12 */
struct civil civil_of_days(int64_t days);
/* |year| < 10^9; the month is 1 to 12; the day may be outside of its month */
int64_t civil_to_days(int64_t year, int month, int day);
int civil_month_days(int64_t year, int month);
bool civil_is_leap(int64_t year);
/* 0 is Monday */
int civil_weekday(int64_t days);

/* rounded down, for values before the epoch too */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

#endif
