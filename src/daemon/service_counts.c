#include "config.h"

#include "daemon/service_counts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"

#define KIND "service-restarts"

int counts_format(struct buf *out, const struct rate *r, const struct clock *clock)
{
	int64_t wall = clock_wall_usec(clock);
	rv_time now = clock_boottime(clock);
	int e = 0;

	for (unsigned i = 0; i < r->n_at && e >= 0; i++)
		e = buf_printf(out, "%s%" PRId64, i > 0 ? " " : "",
			wall - (now - rate_noted(r, i)) / 1000);
	return e;
}

int counts_parse(struct rate *r, const char *text, const struct clock *clock)
{
	_cleanup_(strv_freep) char **times = NULL;
	int64_t wall = clock_wall_usec(clock), at;
	rv_time now = clock_boottime(clock);
	int e = strv_split(&times, text, " ");

	if (e >= 0)
		e = rate_set(r, (unsigned)MIN(strv_len(times), (size_t)RATE_N_MAX), 1);
	if (e < 0)
		return e;
	STRV_FOREACH(s, times) {
		if (parse_i64(&at, *s, 0, INT64_MAX) < 0 ||
			at < wall - CONFIG_RATE_USEC_MAX)
			continue;
		rate_note(r, now - RV_US(MAX(wall - at, 0)));
	}
	return 0;
}

static int put(struct txn *t, const struct instance *in, char *text)
{
	char name[80];

	snprintf(name, sizeof(name), "%s/%u", in->service->name, in->number);
	return txn_define(t, KIND, name, text);
}

int instance_drop_counts(struct instance *in, struct txn *t)
{
	return in->counts_recorded ? put(t, in, NULL) : 0;
}

int instance_put_counts(struct services *ss, struct instance *in, struct txn *t)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	char *text = NULL;
	int r;

	if (in->restart.limit.n_at == 0) {
		r = instance_drop_counts(in, t);
		in->counts_recorded = false;
		return r;
	}
	r = counts_format(&b, &in->restart.limit, ss->core->clock);
	text = r >= 0 ? buf_steal_str(&b, NULL) : NULL;
	if (!text)
		return -ENOMEM;
	in->counts_recorded = true;
	return put(t, in, text);
}

int counts_load(struct services *ss, const char *name, const char *text)
{
	char service[65];
	const char *slash = strchr(name, '/');
	struct service *s;
	int64_t n;
	int r;

	if (!slash || (size_t)(slash - name) >= sizeof(service) ||
		parse_i64(&n, slash + 1, 0, SERVICE_INSTANCES_MAX) < 0)
		return 0;
	snprintf(service, sizeof(service), "%.*s", (int)(slash - name), name);
	s = services_get(ss, service);
	r = s ? service_grow(s, (size_t)n + 1) : -ENOMEM;
	if (r < 0)
		return r;
	s->v[n]->counts_recorded = true;
	return counts_parse(&s->v[n]->restart.limit, text, ss->core->clock);
}

void services_drop_gone(struct services *ss)
{
	struct txn *t = txn_new();
	struct service *s;
	int r = t ? 0 : -ENOMEM;
	bool some = false;

	HASHMAP_FOREACH(s, ss->by_name)
		for (size_t i = 0; i < s->n && r >= 0; i++) {
			if (s->section && i < service_wanted(s))
				continue;
			some |= s->v[i]->counts_recorded;
			r = instance_drop_counts(s->v[i], t);
			s->v[i]->counts_recorded = false;
		}
	if (r >= 0 && some)
		committer_post(ss->core->committer, t, COMMIT_MUST, NULL, NULL);
	else
		txn_free(t);
}
