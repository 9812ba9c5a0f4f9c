#include "config.h"

#include "spawn/stamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/macro.h"

/* the day and the second are written once a second */
static void set_time(struct stamp *st, int64_t now_usec)
{
	int64_t usec = now_usec % USEC_PER_SEC;
	time_t sec = (time_t)(now_usec / USEC_PER_SEC);
	char *digit = st->text + STAMP_LEN - 3;
	struct tm tm;

	if (st->sec != sec || !st->text[0]) {
		if (!gmtime_r(&sec, &tm))
			tm = (struct tm){.tm_year = 70, .tm_mday = 1};
		strftime(st->text, sizeof(st->text), "%Y-%m-%dT%H:%M:%S.000000Z ", &tm);
		st->sec = sec;
	}
	for (int i = 0; i < 6; i++, usec /= 10)
		*digit-- = (char)('0' + usec % 10);
}

int stamp_lines(
	struct stamp *st, struct buf *out, const char *p, size_t n, int64_t now_usec)
{
	int r = 0;

	set_time(st, now_usec);
	while (n > 0 && r == 0) {
		const char *newline = memchr(p, '\n', n);
		size_t take = newline ? (size_t)(newline - p) + 1 : n;

		if (!st->mid_line)
			r = buf_append(out, st->text, STAMP_LEN);
		if (r == 0)
			r = buf_append(out, p, take);
		st->mid_line = !newline;
		p += take;
		n -= take;
	}
	return r;
}
