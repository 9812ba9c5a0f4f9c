#include "config.h"

#include "daemon/service_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strv.h"

int service_record_format(struct buf *out, const struct service_record *rec)
{
	int r = 0;

	if (rec->stopped)
		r = buf_append_str(out, "stopped = yes\n");
	if (r >= 0 && rec->scaled)
		r = buf_printf(
			out, "instances = %u of %u\n", rec->instances, rec->defined);
	if (r >= 0 && rec->rolling)
		r = buf_printf(out, "rolling = %u%s%s\n", rec->roll_next,
			*rec->roll_behind ? " after " : "", rec->roll_behind);
	if (r >= 0 && *rec->roll_failed)
		r = buf_printf(out, "roll-failed = %s\n", rec->roll_failed);
	if (r >= 0 && rec->acknowledged_usec)
		r = buf_printf(
			out, "acknowledged = %" PRId64 "\n", rec->acknowledged_usec);
	if (r >= 0 && rec->restart_usec)
		r = buf_printf(
			out, "restart-before = %" PRId64 "\n", rec->restart_usec);
	return r;
}

/* "N of M" */
static int parse_scale(struct service_record *rec, char *value)
{
	char *of = strstr(value, " of ");
	int64_t n, m;

	if (!of)
		return -EINVAL;
	*of = '\0';
	if (parse_i64(&n, value, 0, SERVICE_INSTANCES_MAX) < 0 ||
		parse_i64(&m, of + 4, 0, SERVICE_INSTANCES_MAX) < 0)
		return -EINVAL;
	rec->scaled = true;
	rec->instances = (unsigned)n;
	rec->defined = (unsigned)m;
	return 0;
}

static int parse_moment(int64_t *ret, const char *value)
{
	return parse_i64(ret, value, 1, INT64_MAX) < 0 ? -EINVAL : 0;
}

/* "K", or "K after NAME" */
static int parse_roll(struct service_record *rec, char *value)
{
	char *after = strstr(value, " after ");
	int64_t next;

	if (after)
		*after = '\0';
	if (parse_i64(&next, value, 0, SERVICE_INSTANCES_MAX) < 0 ||
		(after && !name_is_valid(after + 7)))
		return -EINVAL;
	rec->rolling = true;
	rec->roll_next = (unsigned)next;
	snprintf(rec->roll_behind, sizeof(rec->roll_behind), "%s",
		after ? after + 7 : "");
	return 0;
}

static int parse_line(struct service_record *rec, const char *key, char *value)
{
	if (STREQ(key, "instances"))
		return parse_scale(rec, value);
	if (STREQ(key, "rolling"))
		return parse_roll(rec, value);
	if (STREQ(key, "roll-failed")) {
		snprintf(rec->roll_failed, sizeof(rec->roll_failed), "%s", value);
		return 0;
	}
	if (STREQ(key, "restart-before"))
		return parse_moment(&rec->restart_usec, value);
	if (STREQ(key, "acknowledged"))
		return parse_moment(&rec->acknowledged_usec, value);
	if (!STREQ(key, "stopped"))
		return 0;
	rec->stopped = STREQ(value, "yes");
	return rec->stopped ? 0 : -EINVAL;
}

int service_record_parse(struct service_record *ret, const char *text)
{
	_cleanup_(strv_freep) char **lines = NULL;
	struct service_record rec = {.stopped = false};
	int r = strv_split(&lines, text, "\n");

	STRV_FOREACH(line, lines) {
		char *eq = r >= 0 ? strstr(*line, " = ") : NULL;

		if (!eq)
			continue;
		*eq = '\0';
		r = parse_line(&rec, *line, eq + 3);
	}
	if (r < 0)
		return r;
	*ret = rec;
	return 0;
}
