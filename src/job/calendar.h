/*
 * When a schedule is due: calendar expressions, cron's five fields, and intervals.
 *
 * Pure: the moment that counts as now and the zone are handed in. An expression is read
 * once, into sets of bits; to ask for its next time costs microseconds, and never more than
 * a walk over the months until 2200, whatever was written.
 *
 * Which of the three a text is (blanks around it do not matter):
 * 1. "every 90min" is an interval; the duration is as duration_parse takes it.
 * 2. "cron: 0 3 * * 1", "@daily" and its like, and whatever has five words, or six of which
 *    the last is a time zone, is cron's. Expressions of systemd have four words at most.
 * 3. Anything else is a calendar expression of systemd.time(7), grammar and meaning: lists,
 *    ranges "..", repetitions "/", "~" from the end of the month, weekdays, fractions of
 *    seconds, a zone at the end, the shorthands ("daily"), "@1700000000".
 *
 * cron's fields: "*", lists, ranges, steps on a range or "*", names of months and weekdays,
 * 0 and 7 for Sunday. As with cron(8), where neither of day of month and weekday begins with
 * "*", either is enough. A step without a range, a range that runs backwards, "?", "L", "W"
 * and "#" are refused, and so is "@reboot".
 *
 * Where clocks are changed (the zone of the expression decides):
 * - A calendar expression goes by the clock on the wall, as with systemd. A time that the
 *   clock skips does not elapse. A time that it shows twice elapses once, the first time;
 *   so "*:0/15" has nothing in the second of the two hours.
 * - A cron expression goes by cron(8). If its minute or hour begins with "*" it elapses
 *   whenever clocks show that, in a repeated hour too. Else, where clocks change by less
 *   than three hours: what they skip elapses once when they have been changed, what they
 *   repeat elapses the first time only.
 * - An interval knows no clock on the wall.
 */
#ifndef JOB_CALENDAR_H
#define JOB_CALENDAR_H

#include "base/zone.h"
#include "reeve/base.h"

#define CALENDAR_TEXT_MAX  1024 /* bytes of an expression */
#define CALENDAR_ITEMS_MAX 240  /* elements of one list in it */
#define CALENDAR_YEAR_MIN  1970
#define CALENDAR_YEAR_MAX  2199
/* shortest interval: what is to run more often is a service */
#define CALENDAR_INTERVAL_MIN USEC_PER_SEC

enum calendar_kind { CALENDAR_WALL, CALENDAR_CRON, CALENDAR_INTERVAL };

/* Immutable once made; any thread may ask it. */
struct calendar;

/**
 * Read an expression.
 *
 * @text   what a person wrote
 * @zone   where it holds unless it names a zone; a reference is kept. Its abbreviations
 *         may end a calendar expression: "12:00 CET" elapses while that is its time.
 * @zones  cache for a zone that the text names, NULL: none. Loading one reads a file.
 * @err    on -EINVAL and -ERANGE a message for people that names the place and what was
 *         expected there, malloc'd; may be NULL
 *
 * Returns 0, -EINVAL, -ERANGE (too long, too many elements, a number out of range),
 * -ENOMEM.
 */
int calendar_parse(struct calendar **ret, const char *text, struct zone *zone,
	struct zone_cache *zones, char **err);

struct calendar *calendar_free(struct calendar *c); /* takes NULL, returns NULL */

/**
 * The first elapse that is later than after_usec.
 *
 * @after_usec   microseconds since the epoch
 * @anchor_usec  from which an interval counts (it elapses one interval after it, and so
 *               on; never at it); nothing to the other kinds. The caller stores it, so that
 *               intervals last over restarts.
 *
 * Returns 0, or -ENOENT when it elapses no more (before 2200).
 */
int calendar_next(int64_t *ret_usec, const struct calendar *c, int64_t after_usec,
	int64_t anchor_usec);

/**
 * The last elapse in (from_usec, until_usec], for a schedule that makes up for the latest of
 * those that it missed. Costs little more than calendar_next, however long that was.
 *
 * Returns 0, or -ENOENT when there is none.
 */
int calendar_last(int64_t *ret_usec, const struct calendar *c, int64_t from_usec,
	int64_t until_usec, int64_t anchor_usec);

/* The expression in normal form, which reads back as the same; belongs to c. */
const char *calendar_format(const struct calendar *c);

enum calendar_kind calendar_kind_of(const struct calendar *c);
/* the zone in which it holds; belongs to c */
const struct zone *calendar_zone(const struct calendar *c);

static inline void calendar_freep(struct calendar **c)
{
	calendar_free(*c);
}

#endif
