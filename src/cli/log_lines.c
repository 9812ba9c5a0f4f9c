#include "config.h"

#include "cli/log_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/macro.h"

/* ---- lines --------------------------------------------------------------------------------- */

void log_lines_deinit(struct log_lines *ls)
{
	for (int s = 0; s < LOG_STREAMS; s++)
		buf_deinit(&ls->part[s]);
}

/* what is held of a stream, and then these bytes */
static int tell(struct log_lines *ls, int stream, const char *p, size_t n, bool whole,
	log_line_fn fn, void *arg)
{
	struct buf *part = &ls->part[stream];
	struct log_line line = {.text = p,
		.n = n,
		.whole = whole,
		.stream = stream,
		.split = ls->split,
		.run = ls->run,
		.offset = ls->offset[stream]};
	int r;

	if (buf_len(part) > 0) {
		r = buf_append(part, p, n);
		if (r < 0)
			return r;
		line.text = buf_head(part);
		line.n = buf_len(part);
	}
	ls->offset[stream] += (int64_t)line.n + whole;
	r = fn(arg, &line);
	buf_clear(part);
	return r;
}

int log_lines_end(struct log_lines *ls, log_line_fn fn, void *arg)
{
	int r = 0;

	for (int s = 0; s < LOG_STREAMS && r == 0; s++)
		if (buf_len(&ls->part[s]) > 0)
			r = tell(ls, s, "", 0, false, fn, arg);
	return r;
}

static int feed(struct log_lines *ls, int stream, const char *p, size_t n,
	log_line_fn fn, void *arg)
{
	struct buf *part = &ls->part[stream];
	int r = 0;

	while (n > 0 && r == 0) {
		size_t room = LOG_LINE_MAX - buf_len(part);
		size_t take = MIN(n, room);
		const char *newline = memchr(p, '\n', take);

		if (newline)
			take = (size_t)(newline - p);
		if (newline || take == room)
			r = tell(ls, stream, p, take, newline, fn, arg);
		else
			r = buf_append(part, p, take);
		take += newline != NULL;
		p += take;
		n -= take;
	}
	return r;
}

int log_lines_feed(
	struct log_lines *ls, const struct log_chunk *chunk, log_line_fn fn, void *arg)
{
	int s = chunk->stream;
	int64_t offset = chunk->offset + (int64_t)chunk->cut;
	int r = 0;

	/* what follows a gap does not go on with what was before it */
	if (chunk->run != ls->run || chunk->lost > 0)
		r = log_lines_end(ls, fn, arg);
	ls->run = chunk->run;
	ls->split = chunk->split;
	if (buf_len(&ls->part[s]) == 0)
		ls->offset[s] = offset;
	return r == 0 ? feed(ls, s, chunk->data + chunk->cut, chunk->n - chunk->cut, fn,
				arg)
		      : r;
}

/* ---- times --------------------------------------------------------------------------------- */

/* "2026-01-31T10:00:00.123456Z " */
static const char time_shape[] = "dddd-dd-ddTdd:dd:dd.ddddddZ ";

static int number(const char *p, size_t n)
{
	int v = 0;

	while (n-- > 0)
		v = v * 10 + (*p++ - '0');
	return v;
}

size_t log_line_time(int64_t *ret_usec, const char *text, size_t n)
{
	struct tm tm = {0};
	size_t len = sizeof(time_shape) - 1;
	time_t t;

	if (n + 1 < len)
		return 0;
	/* an empty line may have lost the space */
	len = MIN(len, n);
	for (size_t i = 0; i < len; i++)
		if (time_shape[i] == 'd' ? text[i] < '0' || text[i] > '9'
					 : text[i] != time_shape[i])
			return 0;
	tm.tm_year = number(text, 4) - 1900;
	tm.tm_mon = number(text + 5, 2) - 1;
	tm.tm_mday = number(text + 8, 2);
	tm.tm_hour = number(text + 11, 2);
	tm.tm_min = number(text + 14, 2);
	tm.tm_sec = number(text + 17, 2);
	t = timegm(&tm);
	*ret_usec = (int64_t)t * USEC_PER_SEC + number(text + 20, 6);
	return len;
}

/* ---- the filter ---------------------------------------------------------------------------- */

int log_filter_set_regex(
	struct log_filter *f, const char *regex, bool ignore_case, char **err)
{
	int flags = REG_EXTENDED | REG_NOSUB | (ignore_case ? REG_ICASE : 0);
	int r = regcomp(&f->regex, regex, flags);
	size_t n;

	*err = NULL;
	if (r == 0) {
		f->has_regex = true;
		f->text = malloc(LOG_LINE_MAX + 1);
		return f->text ? 0 : -ENOMEM;
	}
	if (r == REG_ESPACE)
		return -ENOMEM;
	n = regerror(r, &f->regex, NULL, 0);
	*err = malloc(n);
	if (*err)
		regerror(r, &f->regex, *err, n);
	return -EINVAL;
}

void log_filter_deinit(struct log_filter *f)
{
	if (f->has_regex)
		regfree(&f->regex);
	free(f->text);
	*f = (struct log_filter){.has_regex = false};
}

static bool matches(const struct log_filter *f, const char *text, size_t n)
{
	regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)n};

	/* a NUL within is a character like others, but one at the end has to be there */
	memcpy(f->text, text, n);
	f->text[n] = '\0';
	return regexec(&f->regex, f->text, 0, &range, REG_STARTEND) == 0;
}

bool log_filter_wants(const struct log_filter *f, struct log_filter_state *state,
	const struct log_line *line)
{
	int64_t *time_usec = &state->time_usec[line->stream];
	size_t skip;

	if (!log_filter_is_set(f))
		return true;
	if (line->run != state->run)
		*state = (struct log_filter_state){.run = line->run};
	skip = log_line_time(time_usec, line->text, line->n);
	if (f->has_times && *time_usec &&
		(*time_usec < f->since_usec || *time_usec > f->until_usec))
		return false;
	return !f->has_regex || matches(f, line->text + skip, line->n - skip);
}

bool log_filter_wants_run(
	const struct log_filter *f, int64_t started_usec, int64_t ended_usec)
{
	return !f->has_times || ((!ended_usec || ended_usec >= f->since_usec) &&
					started_usec <= f->until_usec);
}
