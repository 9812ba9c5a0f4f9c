/*
 * Time zones: what clocks on the wall show at a moment, and for how long that rule holds.
 *
 * libc knows one zone per process, the one of $TZ, and changing it is not safe where there
 * are threads; so the files of the time zone database are read here (RFC 8536, TZif), with
 * the rule at their end for the years that they do not list (contrib/adr/0016-zones.md).
 *
 * A zone never changes after it was made and is shared by reference: any thread may ask
 * it. Names come from users and are not trusted, nor are the files.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stddef.h>

#include "reeve/base.h"

#define ZONE_DIR         "/usr/share/zoneinfo"
#define ZONE_NAME_MAX    128          /* bytes of a name */
#define ZONE_FILE_MAX    (256 * 1024) /* bytes; the largest in use has 4 KiB */
#define ZONE_CHANGES_MAX 4096         /* in one file; the most in use is 240 */
#define ZONE_ABBREV_MAX  16           /* bytes of "CEST", with the NUL */
#define ZONE_OFFSET_MAX  (26 * 3600)  /* seconds from UTC, either side */
#define ZONE_CACHE_MAX   1024         /* names that one cache holds */

struct zone;

/* One stretch of time with one offset. It says "CEST is two hours ahead of UTC, and daylight
 * saving time, from begin until before end". */
struct zone_span {
	int64_t begin,
		end; /* seconds since the epoch; INT64_MIN, INT64_MAX: no end there */
	int32_t offset; /* seconds to add to UTC, |offset| < ZONE_OFFSET_MAX */
	bool is_dst;
	const char *abbrev; /* belongs to the zone; "CEST", "+0530" */
};

/**
 * Load a zone by its name in the database, such as "Europe/Berlin"; "UTC" needs no file.
 * Reads a file of some KiB: may block.
 *
 * Returns 0; -EINVAL when it cannot be a name (only letters, digits and + - _ between
 * slashes, so that it stays below ZONE_DIR), -ENOENT when there is no such zone,
 * -RV_ECORRUPT when its file makes no sense, -ENOTSUP when it counts leap seconds (the
 * names that begin with "right/"), -ENOMEM, -errno of reading.
 */
int zone_load(struct zone **ret, const char *name);

/**
 * The zone of this process: $TZ as tzset(3) reads it (a name, a path, or a rule such as
 * "CET-1CEST,M3.5.0,M10.5.0/3"), else /etc/localtime. What cannot be read is UTC, as it is
 * to libc.
 *
 * Returns 0, -ENOMEM.
 */
int zone_load_local(struct zone **ret);

/**
 * A zone from the bytes of a TZif file. Pure.
 *
 * @name  what zone_name says afterwards, copied
 *
 * Returns 0, -RV_ECORRUPT, -ENOTSUP (leap seconds), -ENOMEM.
 */
int zone_parse(struct zone **ret, const char *name, const void *data, size_t size);

/**
 * A zone from a rule as POSIX has it for TZ, the rule being its name. Pure.
 *
 * Returns 0, -EINVAL, -ENOMEM.
 */
int zone_from_rule(struct zone **ret, const char *rule);

struct zone *zone_ref(struct zone *z);
struct zone *zone_unref(struct zone *z); /* takes NULL, returns NULL */

const char *zone_name(const struct zone *z); /* "Europe/Berlin" */

/* the stretch in which sec lies: begin <= sec < end. |sec| < 10^15 */
void zone_span_at(struct zone_span *ret, const struct zone *z, int64_t sec);

/* the abbreviation that the zone has used last for its standard or its daylight saving time;
 * NULL: never had one */
const char *zone_abbrev(const struct zone *z, bool is_dst);

/**
 * Is word an abbreviation that the zone has used last for its standard time (0 into *ret)
 * or its daylight saving time (1)? Case does not count. False when it is neither.
 */
bool zone_has_abbrev(const struct zone *z, const char *word, bool *ret_is_dst);

/**
 * When do clocks on the wall show this? A time that they show twice is the first of the two;
 * one that they skip is moved on by as much as they skip (02:30 is 03:30).
 *
 * @wall_usec  microseconds from 1970-01-01 00:00 on those clocks
 *
 * Returns microseconds since the epoch.
 */
int64_t zone_from_wall(const struct zone *z, int64_t wall_usec);
/* what they show at that moment */
int64_t zone_to_wall(const struct zone *z, int64_t usec);

/*
 * Zones that were loaded, by name, so that many schedules of one zone share it. For one
 * thread at a time. A zone that was changed on disk is seen by a new cache only.
 */
struct zone_cache {
	struct zone **zones; /* by name */
	size_t n, n_max;
};

#define ZONE_CACHE_NULL    \
	{                  \
		NULL, 0, 0 \
	}

/* As zone_load, but from the cache (NULL: without one). *ret is a reference of the
 * caller's. Errors are not kept. A full cache loads without keeping. */
int zone_get(struct zone **ret, struct zone_cache *cache, const char *name);
void zone_cache_deinit(struct zone_cache *cache);

static inline void zone_unrefp(struct zone **z)
{
	zone_unref(*z);
}

#endif
