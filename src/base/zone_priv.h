/* What the parts of zone.h share. */
#ifndef BASE_ZONE_PRIV_H
#define BASE_ZONE_PRIV_H

#include "base/zone.h"

struct zone_type {
	int32_t offset; /* seconds to add to UTC */
	bool is_dst;
	char abbrev[ZONE_ABBREV_MAX];
};

/* a day of each year and a time of that day, on the clock that holds until then */
struct zone_rule_day {
	enum { RULE_MONTH_WEEK_DAY, RULE_JULIAN, RULE_DAY } kind;
	int month, week, weekday; /* 1 to 12; 1 to 5, 5 is the last; 0 is Sunday */
	int day;      /* Julian 1 to 365, never 29 February; else 0 to 365 */
	int32_t time; /* seconds, may be negative or over a day */
};

struct zone_rule {
	struct zone_type std, dst;
	bool has_dst;
	struct zone_rule_day to_dst, to_std;
};

/* since when which type holds */
struct zone_change {
	int64_t sec;
	uint8_t type;
};

struct zone {
	int n_refs; /* atomic: threads share zones */
	char *name;
	struct zone_type *types; /* [0] holds before the first change */
	struct zone_change *changes;
	size_t n_types, n_changes;
	bool has_rule; /* of the time after the last change */
	struct zone_rule rule;
};

/* one reference, no types; NULL when out of memory */
struct zone *zone_new(const char *name);

/* the n bytes of text are a POSIX TZ rule. 0, -EINVAL */
int zone_rule_parse(struct zone_rule *ret, const char *text, size_t n);
/* as zone_span_at, with begin no earlier than since, which is <= sec */
void zone_rule_span_at(struct zone_span *ret, const struct zone_rule *rule, int64_t sec,
	int64_t since);

#endif
