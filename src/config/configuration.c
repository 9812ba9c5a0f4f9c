#include "config/configuration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/invariant.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_specifiers.h"

const struct config_key_info config_key_info[CONFIG_KEY_N] = {
#define X(section_, id, key_, type_, default_, min_, max_, metavar_, help_) \
	[CONFIG_##id] = {                                                   \
		.section = CONFIG_SECTION_##section_,                       \
		.key = (key_),                                              \
		.type = CONFIG_TYPE_##type_,                                \
		.default_text = (default_),                                 \
		.min = (min_),                                              \
		.max = (max_),                                              \
		.metavar = (metavar_),                                      \
		.help = (help_),                                            \
	},
#include "config/config_keys.def"
#undef X
};

const char *const config_section_name[CONFIG_SECTION_N] = {
	[CONFIG_SECTION_REEVED] = "reeved",
	[CONFIG_SECTION_POOL] = "pool",
	[CONFIG_SECTION_RESOURCE] = "resource",
	[CONFIG_SECTION_SCHEDULE] = "schedule",
	[CONFIG_SECTION_SERVICE] = "service",
	[CONFIG_SECTION_GROUP] = "group",
	[CONFIG_SECTION_ENVIRONMENT] = "environment",
};

int config_key_find(enum config_section section, const char *key)
{
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (config_key_info[k].section == section &&
			STREQ(config_key_info[k].key, key))
			return k;
	return -ENOENT;
}

int config_field_find(enum config_section section, const char *key)
{
	if (section == CONFIG_SECTION_SERVICE && STREQ(key, "stop-timeout"))
		return JOB_FIELD_KILL_GRACE;
	if (section == CONFIG_SECTION_ENVIRONMENT)
		return environment_field_by_key(key);
	return job_field_by_key(key);
}

int config_log_level(const struct config *c)
{
	static const int levels[] = {
		LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};
	int64_t i = config_num(c, LOG_LEVEL);

	INVARIANT(i >= 0 && i < (int64_t)ARRAY_LEN(levels));
	return levels[i];
}

const struct config_named *config_find(
	const struct config *c, enum config_section section, const char *name)
{
	const struct config_names *names = &c->named[section];

	for (size_t i = 0; i < names->n; i++)
		if (STREQ(names->v[i].name, name))
			return &names->v[i];
	return NULL;
}

static int set_defaults(union config_value *v, enum config_section section)
{
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		const char *text = config_key_info[k].default_text;
		int r;

		if (config_key_info[k].section != section || !text)
			continue;
		r = config_value_parse(&v[k], (enum config_key)k, text, NULL);
		INVARIANT(r >= 0 || r == -ENOMEM);
		if (r < 0)
			return r;
	}
	return 0;
}

void config_named_deinit(struct config_named *named, enum config_section section)
{
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (config_key_info[k].section == section)
			config_value_free(&named->v[k], (enum config_key)k);
	if (named->job) {
		job_spec_deinit(&named->job->spec);
		config_raw_deinit(named->job);
	}
	free(named->job);
	free(named->uids);
	free(named->name);
	*named = (struct config_named){.name = NULL};
}

int config_named_init(
	struct config_named *ret, enum config_section section, const char *name)
{
	int r;

	*ret = (struct config_named){.name = strdup(name)};
	r = ret->name ? set_defaults(ret->v, section) : -ENOMEM;
	if (r >= 0 && config_section_has_fields(section)) {
		ret->job = calloc(1, sizeof(*ret->job));
		if (ret->job)
			job_spec_init(&ret->job->spec);
		else
			r = -ENOMEM;
	}
	if (r < 0)
		config_named_deinit(ret, section);
	return r;
}

/* There is room for the next power of two: a section is large, and there may be a thousand. */
static int make_room(struct config_names *names)
{
	struct config_named *v;

	if (names->n & (names->n - 1))
		return 0;
	v = reallocarray(names->v, names->n ? 2 * names->n : 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	names->v = v;
	return 0;
}

int config_add(struct config_named **ret, struct config *c, enum config_section section,
	const char *name)
{
	struct config_names *names = &c->named[section];
	struct config_named *v = (struct config_named *)config_find(c, section, name);
	int r;

	if (!v) {
		r = make_room(names);
		if (r < 0)
			return r;
		v = &names->v[names->n];
		r = config_named_init(v, section, name);
		if (r < 0)
			return r;
		names->n++;
	}
	*ret = v;
	return 0;
}

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	for (int k = 0; k < CONFIG_KEY_N; k++)
		config_value_free(&c->v[k], (enum config_key)k);
	job_spec_deinit(&c->defaults);
	for (int s = CONFIG_SECTION_POOL; s < CONFIG_SECTION_N; s++) {
		for (size_t i = 0; i < c->named[s].n; i++)
			config_named_deinit(&c->named[s].v[i], (enum config_section)s);
		free(c->named[s].v);
	}
	strv_free(c->files);
	free(c);
	return NULL;
}

int config_new(struct config **ret)
{
	_cleanup_(config_freep) struct config *c = calloc(1, sizeof(*c));
	struct config_named *pool;
	int r;

	if (!c)
		return -ENOMEM;
	job_spec_init(&c->defaults);
	r = set_defaults(c->v, CONFIG_SECTION_REEVED);
	if (r >= 0)
		r = config_add(&pool, c, CONFIG_SECTION_POOL, "default");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}
