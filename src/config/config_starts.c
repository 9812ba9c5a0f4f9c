#include "config/config_starts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_service.h"

/* what an instance of a service starts with */
struct start {
	struct job_spec spec;
	char **variables; /* of its environment */
};

struct pair {
	const char *name;                 /* the configuration's */
	const struct job_spec *was, *now; /* what its sections say */
	struct start before, after;
	bool is_other; /* not where its job would be too large for one of the two */
};

struct service_starts {
	const struct config *before, *after;
	struct pair *v;
	size_t n;
};

static void start_deinit(struct start *s)
{
	job_spec_deinit(&s->spec);
	strv_free(s->variables);
}

struct service_starts *service_starts_free(struct service_starts *ss)
{
	if (!ss)
		return NULL;
	for (size_t i = 0; i < ss->n; i++) {
		start_deinit(&ss->v[i].before);
		start_deinit(&ss->v[i].after);
	}
	free(ss->v);
	free(ss);
	return NULL;
}
DEFINE_CLEANUP(struct service_starts *, service_starts_free)

static int get_start(
	struct start *ret, const struct config *c, const struct config_named *service)
{
	int r = config_service_instance(&ret->spec, c, service, 0);
	const char *name;

	if (r < 0) {
		job_spec_init(&ret->spec);
		return r;
	}
	name = job_str(&ret->spec, ENVIRONMENT);
	return name ? environment_variables(&ret->variables, c, name) : 0;
}

static bool same_start(const struct start *a, const struct start *b)
{
	_cleanup_free_ void *x = NULL, *y = NULL;
	size_t x_len, y_len;

	return job_spec_pack(&x, &x_len, &a->spec) >= 0 &&
	       job_spec_pack(&y, &y_len, &b->spec) >= 0 && x_len == y_len &&
	       memcmp(x, y, x_len) == 0 && strv_equal(a->variables, b->variables);
}

static bool same_field(const struct start *a, const struct start *b, enum job_field f)
{
	_cleanup_(buf_deinitp) struct buf x = BUF_NULL, y = BUF_NULL;

	if (f == JOB_FIELD_ENV && !strv_equal(a->variables, b->variables))
		return false;
	if (job_spec_has(&a->spec, f) != job_spec_has(&b->spec, f))
		return false;
	return job_value_format(&x, f, &a->spec.v[f]) >= 0 &&
	       job_value_format(&y, f, &b->spec.v[f]) >= 0 &&
	       buf_len(&x) == buf_len(&y) &&
	       memcmp(buf_head(&x), buf_head(&y), buf_len(&x)) == 0;
}

static int add_pair(struct service_starts *ss, const struct config_named *was,
	const struct config_named *now)
{
	struct pair *p = &ss->v[ss->n++];
	int r;

	*p = (struct pair){
		.name = now->name, .was = &was->job->spec, .now = &now->job->spec};
	job_spec_init(&p->before.spec);
	job_spec_init(&p->after.spec);
	r = get_start(&p->before, ss->before, was);
	if (r >= 0)
		r = get_start(&p->after, ss->after, now);
	p->is_other =
		r >= 0 &&
		(!same_start(&p->before, &p->after) ||
			!config_value_equal(&was->v[CONFIG_SERVICE_USER],
				&now->v[CONFIG_SERVICE_USER], CONFIG_SERVICE_USER));
	return r == -ENOMEM ? r : 0;
}

int service_starts_new(struct service_starts **ret, const struct config *before,
	const struct config *after)
{
	const struct config_names *names = &after->named[CONFIG_SECTION_SERVICE];
	_cleanup_(service_starts_freep) struct service_starts *ss =
		calloc(1, sizeof(*ss));
	int r = 0;

	if (!ss)
		return -ENOMEM;
	ss->before = before;
	ss->after = after;
	ss->v = calloc(names->n + 1, sizeof(*ss->v));
	if (!ss->v)
		return -ENOMEM;
	for (size_t i = 0; i < names->n && r >= 0; i++) {
		const struct config_named *was =
			config_find(before, CONFIG_SECTION_SERVICE, names->v[i].name);

		if (was)
			r = add_pair(ss, was, &names->v[i]);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ss);
	return 0;
}

/* ---- because of what ---------------------------------------------------------------------- */

typedef bool (*concerns_fn)(
	const struct service_starts *ss, const struct pair *p, const void *arg);

static int find(char ***ret, const struct service_starts *ss, concerns_fn concerns,
	const void *arg)
{
	_cleanup_(strv_freep) char **v = NULL;

	for (size_t i = 0; i < ss->n; i++) {
		const struct pair *p = &ss->v[i];
		int r = p->is_other && concerns(ss, p, arg) ? strv_append(&v, p->name)
							    : 0;

		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(v);
	return 0;
}

static bool is_of_field(
	const struct service_starts *ss, const struct pair *p, const void *arg)
{
	const enum job_field *f = arg;

	(void)ss;
	/* what it says itself both times, and does not add to theirs, is none of theirs */
	if (!job_type_appends(job_field_info[*f].type) && job_spec_has(p->was, *f) &&
		job_spec_has(p->now, *f))
		return false;
	return !same_field(&p->before, &p->after, *f);
}

int service_starts_by_default(
	char ***ret, const struct service_starts *ss, enum job_field f)
{
	return find(ret, ss, is_of_field, &f);
}

static bool is_set_in(
	const struct config *c, const struct start *s, const char *environment)
{
	const char *name = job_str(&s->spec, ENVIRONMENT);
	struct environment_lineage l;
	size_t i = 0;

	if (!name || environment_lineage_get(&l, c, name) < 0)
		return false;
	while (i < l.n && !STREQ(l.v[i]->name, environment))
		i++;
	return i < l.n;
}

static bool is_of_environment(
	const struct service_starts *ss, const struct pair *p, const void *arg)
{
	return is_set_in(ss->before, &p->before, arg) &&
	       is_set_in(ss->after, &p->after, arg);
}

int service_starts_by_environment(
	char ***ret, const struct service_starts *ss, const char *environment)
{
	return find(ret, ss, is_of_environment, environment);
}

bool service_starts_by_own(
	const struct service_starts *ss, const char *name, const char *key)
{
	int f = config_field_find(CONFIG_SECTION_SERVICE, key);
	size_t i = 0;

	while (i < ss->n && !STREQ(ss->v[i].name, name))
		i++;
	if (i == ss->n || !ss->v[i].is_other)
		return false;
	if (config_key_find(CONFIG_SECTION_SERVICE, key) >= 0 || f < 0)
		return STREQ(key, config_key_info[CONFIG_SERVICE_USER].key);
	return !same_field(&ss->v[i].before, &ss->v[i].after, (enum job_field)f);
}
