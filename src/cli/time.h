/*
 * Times as people write and read them: "2h ago", "today 10:00", "3 min ago". Local
 * time. Pure but for the time zone; now is given.
 */
#ifndef CLI_TIME_H
#define CLI_TIME_H

#include "reeve/base.h"

/**
 * A moment in the past, for --since.
 *
 * "2h", "2h ago", "1d 3h" (before now); "now", "today", "yesterday" (their beginnings);
 * "2026-11-22", "2026-11-22 10:00", "2026-11-22T10:00:05", "10:00" (today);
 * "@1700000000" (seconds since the epoch).
 *
 * @ret  microseconds since the epoch, >= 0
 *
 * Returns 0, -EINVAL, -ERANGE.
 */
int time_parse(int64_t *ret_usec, const char *text, int64_t now_usec);

#define TIME_TEXT_MAX 64

/* "5s ago", "3min ago", "2h ago", "4d ago", from 30 days on the date; "in 5s" */
char *time_format_relative(char *buf, size_t size, int64_t usec, int64_t now_usec);
/* "2026-11-22 10:00:05" */
char *time_format(char *buf, size_t size, int64_t usec);
/* length of a time in at most two units and 7 columns: "350ms", "4.2s", "3min12s",
 * "2h05min", "4d03h" */
char *time_format_span(char *buf, size_t size, int64_t usec);

#endif
