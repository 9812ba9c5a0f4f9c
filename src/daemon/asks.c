#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/configuration.h"
#include "daemon/asks.h"
#include "daemon/core.h"
#include "daemon/scheduler.h"

struct check {
	struct core *core;
	char *message;
};

static int refuse(struct check *c, const char *fmt, ...) PRINTF(2, 3);
static int refuse(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&c->message, fmt, ap) < 0)
		c->message = NULL;
	va_end(ap);
	return c->message ? -EINVAL : -ENOMEM;
}

/* the name of a pool that is most like this one; NULL */
static const char *nearest_pool(const struct scheduler *s, const char *name)
{
	size_t n = scheduler_n_pools(s), n_names = 0;
	_cleanup_free_ const char **names = calloc(n + 1, sizeof(*names));

	for (size_t i = 0; names && i < n; i++)
		if (!scheduler_pool_at(s, i)->gone &&
			name_is_valid(scheduler_pool_at(s, i)->name))
			names[n_names++] = scheduler_pool_at(s, i)->name;
	return names ? str_nearest(name, names, n_names) : NULL;
}

static int check_pool(const char *name, void *arg)
{
	struct check *c = arg;
	const struct scheduler *s = c->core->scheduler;
	const struct pool *p = scheduler_pool(s, name);
	const char *nearest;

	if (p && !p->gone && !p->draining)
		return 0;
	if (p && !p->gone)
		return refuse(c,
			"pool '%s' is draining, it takes no new jobs: reeve pool "
			"resume %s",
			name, name);
	nearest = nearest_pool(s, name);
	if (!nearest)
		return refuse(c, "no such pool: '%s'", name);
	return refuse(c, "no such pool: '%s', did you mean '%s'?", name, nearest);
}

static int check_need(struct check *c, const char *need)
{
	char name[65];
	int64_t amount;

	if (job_need_parse(need, name, &amount) < 0)
		return -EINVAL; /* it was checked already */
	if (!config_find(c->core->config, CONFIG_SECTION_RESOURCE, name))
		return refuse(c,
			"no such resource: '%s'; the configuration has no [resource "
			"%s]",
			name, name);
	return 0;
}

/* More than there is of something would wait for ever. */
static int check_amounts(struct check *c, const struct job_spec *spec)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct demand *d;
	int r = scheduler_demand(c->core->scheduler, spec, &d);

	if (r < 0)
		return r == -ENOMEM ? r : 0; /* told by whoever takes it */
	r = demand_explain_excess(d, &text);
	scheduler_demand_put(c->core->scheduler, d);
	if (r < 0 || buf_len(&text) == 0)
		return r;
	return refuse(c, "%.*s", (int)buf_len(&text), buf_head(&text));
}

int asks_check(struct core *core, const struct job_spec *spec,
	enum job_field *ret_field, char **ret_message)
{
	struct check c = {.core = core};
	int r;

	*ret_field = JOB_FIELD_POOL;
	r = STREQ(job_str(spec, POOL), SERVICE_POOL)
		    ? 0
		    : job_pools_each(job_str(spec, POOL), check_pool, &c);
	STRV_FOREACH(need, job_strv(spec, NEED)) {
		if (r < 0)
			break;
		*ret_field = JOB_FIELD_NEED;
		r = check_need(&c, *need);
	}
	if (r >= 0) {
		*ret_field = job_num(spec, SLOTS) > 1 ? JOB_FIELD_SLOTS
			     : job_num(spec, MEMORY)  ? JOB_FIELD_MEMORY
						      : JOB_FIELD_NEED;
		r = check_amounts(&c, spec);
	}
	*ret_message = c.message;
	return r < 0 ? r : 0;
}
