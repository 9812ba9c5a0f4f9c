/*
 * Times as people write and read them: "2h ago", "today 10:00", "3 min ago". Local
 * time. Pure but for the time zone; now is given.
 */
#ifndef CLI_TIME_H
#define CLI_TIME_H

#include "reeve/base.h"

/**
 * A moment in the past, for --since: a duration is before now ("2h", "2h ago", "1d 3h"; over
 * all of time: the epoch), anything else as time_parse has it, in the zone of the process.
 *
 * @ret_usec  microseconds since the epoch, >= 0
 * @err       on -EINVAL and -ERANGE a message for people, malloc'd
 *
 * Returns 0, -EINVAL, -ERANGE, -ENOMEM.
 */
int time_parse_since(int64_t *ret_usec, const char *text, int64_t now_usec, char **err);

/**
 * A moment to come, for --at and --deadline: a duration is from now ("2h"), anything else as
 * time_parse has it; a time of day that has passed today is tomorrow's, as with at(1), also with a zone.
 * Otherwise as time_parse_since.
 */
int time_parse_ahead(int64_t *ret_usec, const char *text, int64_t now_usec, char **err);

#define TIME_TEXT_MAX 64

/* "5s ago", "3min ago", "2h ago", "4d ago", from 30 days on the date; "in 5s" */
char *time_format_relative(char *buf, size_t size, int64_t usec, int64_t now_usec);
/* "2026-11-22 10:00:05" */
char *time_format(char *buf, size_t size, int64_t usec);
/* length of a time in at most two units and 7 columns: "350ms", "4.2s", "3min12s",
 * "2h05min", "4d03h" */
char *time_format_span(char *buf, size_t size, int64_t usec);

#endif
