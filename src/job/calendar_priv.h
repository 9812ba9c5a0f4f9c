/* What the parts of calendar.h share. */
#ifndef JOB_CALENDAR_PRIV_H
#define JOB_CALENDAR_PRIV_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/macro.h"
#include "job/calendar.h"

#define YEARS (CALENDAR_YEAR_MAX - CALENDAR_YEAR_MIN + 1)

/* start, start + step ... up to stop; microseconds of a minute, or another field's numbers.
 * step 0: start alone. stop -1: up to the end of the field. */
struct calendar_part {
	int32_t start, stop, step;
};

enum days_rule {
	DAYS_BOTH,   /* the day of the month and the weekday have to match */
	DAYS_EITHER, /* cron, where both are given */
};

enum dst_filter { DST_ANY = -1, DST_OFF = 0, DST_ON = 1 };

struct calendar {
	enum calendar_kind kind;
	struct zone *zone;
	char *text; /* the normal form */
	int64_t interval_usec;
	enum dst_filter dst; /* elapses only while that is so */
	bool repeats;        /* cron's wildcards: in both of two equal hours */
	enum days_rule days_rule;
	uint64_t years[(YEARS + 63) / 64]; /* bit 0 is CALENDAR_YEAR_MIN */
	uint64_t minutes;
	uint32_t days;          /* bits 1 to 31 */
	uint32_t days_from_end; /* bit 1 is the last day */
	uint32_t hours;
	uint16_t months;  /* bits 1 to 12 */
	uint8_t weekdays; /* bit 0 is Monday; none is empty but days, see days_rule */
	/* of a minute; at least one, sorted by start */
	size_t n_seconds;
	struct calendar_part *seconds;
};

#define WEEKDAYS_ALL 0x7f
#define MINUTE_USEC  (60 * USEC_PER_SEC)

/*
 * The text being read. Errors name the byte, so positions are kept against its beginning;
 * the end moves forward once the zone was read.
 */
struct calendar_text {
	const char *whole, *p, *end;
	const char *zone; /* as the normal form says it; NULL: none was named */
	char **err;
};

/* Set the message: "at byte N of '...': " and what fmt says. Returns r. */
int calendar_err(const struct calendar_text *t, const char *at, int r, const char *fmt,
	...) PRINTF(4, 5);
/* what stands at p, for messages: a word, cut, or "the end" */
struct calendar_word {
	char text[48];
};
const char *calendar_word_fill(
	struct calendar_word *w, const struct calendar_text *t, const char *p);
#define WORD_AT(t, p) calendar_word_fill(&(struct calendar_word){""}, (t), (p))

/* a decimal number; false when there is none. What is over INT32_MAX is that. */
bool calendar_number(int32_t *ret, struct calendar_text *t);
/* text is at the cursor, in any case; the cursor is moved on */
bool calendar_skip_word(struct calendar_text *t, const char *word);
/* index of the name (three letters or all of it) at the cursor, -1: none */
int calendar_skip_name(struct calendar_text *t, const char *const *names, size_t n);
extern const char *const calendar_weekdays[7]; /* "Monday" ... */

/* One element of a field with where it stands. */
struct calendar_item {
	struct calendar_part part;
	const char *at;
};

struct calendar_list {
	struct calendar_item items[CALENDAR_ITEMS_MAX];
	size_t n; /* 0: "*" */
};

/* All lists until it is known which is which: "10-15" is a month and a day, "10-15-1" is
 * not. On the heap, because expressions are read in tasks too. */
struct calendar_fields {
	struct calendar_list year, month, day, hour, minute, second;
	bool from_end; /* days count from the end of the month */
};

/* Take the zone from the end of the text, where one stands. 0, -EINVAL, -ENOMEM */
int calendar_take_zone(struct calendar *c, struct calendar_text *t, struct zone *zone,
	struct zone_cache *zones);

/* Check the fields that were read, make them what matches, and set the normal form. The
 * weekdays are there already. 0, -EINVAL, -ENOMEM */
int calendar_set_fields(
	struct calendar *c, struct calendar_fields *f, const struct calendar_text *t);

/* each reads the whole text into c, whose zone is set, and sets the normal form */
int calendar_parse_wall(struct calendar *c, struct calendar_text *t);
int calendar_parse_cron(struct calendar *c, struct calendar_text *t);

/* Take the normal form from out, adding the zone that the text named. 0, -ENOMEM */
int calendar_set_text(
	struct calendar *c, struct buf *out, const struct calendar_text *t);

#endif
