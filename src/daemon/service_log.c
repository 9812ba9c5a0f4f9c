#include "config.h"

#include "daemon/service_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/log.h"
#include "base/macro.h"

/* of a service, in the window that goes on */
struct ends {
	char name[65];
	unsigned n_told;
	unsigned n;        /* counted, not told */
	unsigned instance; /* of the last */
	char what[160];
};

struct service_log {
	rv_loop *loop;
	rv_timer timer; /* runs during a window */
	rv_time begun;
	struct hashmap *by_name; /* of struct ends */
	unsigned n_others;       /* ends for which there was no memory */
};

static void window_is_over(void *arg);

int service_log_new(struct service_log **ret, rv_loop *loop)
{
	struct service_log *l = calloc(1, sizeof(*l));

	if (!l || hashmap_new(&l->by_name, HASHMAP_STRING) < 0) {
		free(l);
		return -ENOMEM;
	}
	l->loop = loop;
	rv_timer_init(&l->timer, loop, window_is_over, l);
	*ret = l;
	return 0;
}

static void tell_one(
	int level, const char *service, unsigned instance, const char *what)
{
	log_at(level, "service", "service '%s', instance %u: %s", service, instance,
		what);
}

static const char *since(const struct service_log *l, char buf[DURATION_TEXT_MAX])
{
	int64_t usec = (rv_loop_time(l->loop) - l->begun) / 1000;

	/* whole seconds, and never none */
	return duration_format(
		buf, DURATION_TEXT_MAX, MAX(usec / 1000000, (int64_t)1) * 1000000);
}

static void tell_counted(const struct service_log *l, struct ends *e)
{
	char text[DURATION_TEXT_MAX];

	if (e->n > 0)
		log_at(LOG_NOTICE, "service",
			"service '%s': %u more end%s in the last %s, the last of "
			"instance %u: %s",
			e->name, e->n, e->n > 1 ? "s" : "", since(l, text), e->instance,
			e->what);
	e->n = 0;
}

/* the most first, and by name */
static int by_number(const void *a, const void *b)
{
	const struct ends *x = *(struct ends *const *)a, *y = *(struct ends *const *)b;

	return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->name, y->name);
}

/* a line for each of the first, one for the rest; all are freed */
static void tell_all(struct service_log *l)
{
	size_t n = hashmap_size(l->by_name), i = 0, n_rest = 0;
	struct ends **v = calloc(n + 1, sizeof(*v)), *e;
	uint64_t n_ends = l->n_others;
	char text[DURATION_TEXT_MAX];

	HASHMAP_FOREACH(e, l->by_name) {
		if (v)
			v[i++] = e;
		else
			tell_counted(l, e); /* no memory to sort them */
	}
	if (v)
		qsort(v, n, sizeof(struct ends *), by_number);
	for (i = 0; v && i < n; i++) {
		if (i < SERVICE_LOG_SERVICES_MAX) {
			tell_counted(l, v[i]);
		} else if (v[i]->n > 0) {
			n_ends += v[i]->n;
			n_rest++;
		}
	}
	if (n_ends > 0)
		log_at(LOG_NOTICE, "service",
			"%zu other service%s: %" PRIu64 " more end%s in the last %s",
			n_rest, n_rest == 1 ? "" : "s", n_ends, n_ends == 1 ? "" : "s",
			since(l, text));
	free(v);
	HASHMAP_FOREACH(e, l->by_name) {
		hashmap_remove(l->by_name, e->name);
		free(e);
	}
	l->n_others = 0;
}

static void window_is_over(void *arg)
{
	tell_all(arg);
}

struct service_log *service_log_free(struct service_log *l)
{
	if (!l)
		return NULL;
	rv_timer_stop(&l->timer);
	tell_all(l);
	hashmap_free(l->by_name);
	free(l);
	return NULL;
}

/* NULL: out of memory */
static struct ends *ends_of(struct service_log *l, const char *service)
{
	struct ends *e = hashmap_get(l->by_name, service);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	snprintf(e->name, sizeof(e->name), "%s", service);
	if (hashmap_put(l->by_name, e->name, e) < 0) {
		free(e);
		return NULL;
	}
	return e;
}

void service_log_again(struct service_log *l, const char *service, unsigned instance,
	const char *what, bool is_more)
{
	struct ends *e;

	if (!rv_timer_active(&l->timer)) {
		l->begun = rv_loop_time(l->loop);
		rv_timer_start(&l->timer, l->begun + RV_SEC(SERVICE_LOG_WINDOW_SEC));
	}
	e = ends_of(l, service);
	if (!e) {
		l->n_others++;
		return;
	}
	if (!is_more && e->n_told < SERVICE_LOG_LINES_MAX) {
		tell_one(LOG_NOTICE, service, instance, what);
		e->n_told++;
		return;
	}
	e->n++;
	e->instance = instance;
	snprintf(e->what, sizeof(e->what), "%s", what);
}

void service_log_end(struct service_log *l, int level, const char *service,
	unsigned instance, const char *what)
{
	struct ends *e = hashmap_get(l->by_name, service);

	if (e)
		tell_counted(l, e);
	tell_one(level, service, instance, what);
}
