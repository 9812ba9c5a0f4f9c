/*
 * Does a moment match a calendar expression? Decided from its normal form, field by field and
 * without any search: slow, simple, and nothing in common with the code under test but the
 * time zones.
 */
#ifndef TESTS_CALENDAR_NAIVE_H
#define TESTS_CALENDAR_NAIVE_H

#include "base/zone.h"

/* normal: "Mon..Fri *-*-01..05 00/2:30:00"; what stands behind (a zone) is not looked at */
bool calendar_naive_matches(const char *normal, const struct zone *z, int64_t usec);

#endif
