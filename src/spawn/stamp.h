/*
 * Lines with the time at their front, as `timestamps` of a job has them: UTC, in ISO 8601 with
 * microseconds, then a space: "2026-01-31T10:00:00.123456Z text". The time is when the
 * beginning of the line was read. Pure.
 */
#ifndef SPAWN_STAMP_H
#define SPAWN_STAMP_H

#include "base/buf.h"

#define STAMP_LEN 28 /* bytes of the time and the space */

/* one stream; zeroed before use */
struct stamp {
	bool mid_line; /* the last byte ended none */
	int64_t sec;   /* of text */
	char text[STAMP_LEN + 1];
};

/* Append these bytes, with the time before each line that begins in them. 0, -ENOMEM */
int stamp_lines(
	struct stamp *st, struct buf *out, const char *p, size_t n, int64_t now_usec);

#endif
