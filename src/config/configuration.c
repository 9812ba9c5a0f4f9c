#include "config/configuration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/invariant.h"
#include "base/strv.h"

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

int config_key_find(enum config_section section, const char *key)
{
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (config_key_info[k].section == section &&
			STREQ(config_key_info[k].key, key))
			return k;
	return -ENOENT;
}

int config_log_level(const struct config *c)
{
	static const int levels[] = {
		LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};
	int64_t i = config_num(c, LOG_LEVEL);

	INVARIANT(i >= 0 && i < (int64_t)ARRAY_LEN(levels));
	return levels[i];
}

const struct config_pool *config_pool_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_pools; i++)
		if (STREQ(c->pools[i].name, name))
			return &c->pools[i];
	return NULL;
}

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	for (int k = 0; k < CONFIG_KEY_N; k++)
		config_value_free(&c->v[k], (enum config_key)k);
	job_spec_deinit(&c->defaults);
	for (size_t i = 0; i < c->n_pools; i++)
		free(c->pools[i].name);
	free(c->pools);
	strv_free(c->files);
	free(c);
	return NULL;
}

int config_new(struct config **ret)
{
	_cleanup_(config_freep) struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	job_spec_init(&c->defaults);
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		const char *text = config_key_info[k].default_text;
		int r;

		if (!text)
			continue;
		r = config_value_parse(&c->v[k], (enum config_key)k, text, NULL);
		INVARIANT(r >= 0 || r == -ENOMEM);
		if (r < 0)
			return r;
	}
	c->pools = calloc(1, sizeof(*c->pools));
	if (!c->pools)
		return -ENOMEM;
	c->n_pools = 1;
	c->pools[0].slots = c->v[CONFIG_SLOTS].num;
	c->pools[0].name = strdup("default");
	if (!c->pools[0].name)
		return -ENOMEM;
	*ret = TAKE_PTR(c);
	return 0;
}
