/*
 * Moments as people write them: "tomorrow 06:00", "2026-12-01 06:00", "+5min". For --at,
 * --deadline, --since, --from: all of them take the same. Pure: what counts as now, and the
 * zone, are given; naming another zone in the text reads its file.
 */
#ifndef JOB_TIME_H
#define JOB_TIME_H

#include "base/zone.h"
#include "reeve/base.h"

#define TIME_SPELLING_MAX 256 /* bytes of such a text */

/**
 * Read a moment, as systemd.time(7) has timestamps:
 *
 * "now"; "today", "yesterday", "tomorrow", their beginnings or with a time behind them;
 * "2026-12-01", "26-12-01", "2026-12-01 06:00", "2026-12-01 06:00:05.25"; "06:00", today's,
 * which may have passed; "+5min", "-2h", "5min left", "2h ago"; "@1700000000.5".
 * A weekday before a date or time is checked against it: "Tue 2026-12-01". Behind it may
 * stand a zone: "UTC", "Europe/Berlin", or a name that the given zone uses then ("CEST"). Also
 * "T" between date and time, and behind that "Z" or "+02:00".
 *
 * A time that clocks skip is moved on by what they skip; one that they show twice is the first,
 * unless the name behind it says the other.
 *
 * @ret_usec  microseconds since the epoch, >= 0
 * @zone      where the text holds unless it says otherwise
 * @err       on -EINVAL and -ERANGE a message for people that names the place, malloc'd; may
 *            be NULL
 *
 * Returns 0, -EINVAL, -ERANGE (too long, before 1970, does not fit), -ENOMEM.
 */
int time_parse(int64_t *ret_usec, const char *text, int64_t now_usec, struct zone *zone,
	char **err);

#define TIME_STAMP_MAX 64

/* "Tue 2026-12-01 06:00:05 CET", with microseconds where there are some. Returns buf, of at
 * least TIME_STAMP_MAX bytes. */
char *time_format_stamp(char *buf, size_t size, int64_t usec, const struct zone *zone);

#endif
