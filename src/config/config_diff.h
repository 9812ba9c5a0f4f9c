/*
 * What is different between two configurations, in the spelling of `config get`: what
 * `config diff` says of a reload before it is done.
 */
#ifndef CONFIG_CONFIG_DIFF_H
#define CONFIG_CONFIG_DIFF_H

#include "config/config_get.h"

enum config_diff {
	CONFIG_DIFF_VALUE,       /* before becomes after */
	CONFIG_DIFF_NEW_SECTION, /* place.key NULL; what it says comes next, before NULL */
	CONFIG_DIFF_GONE,        /* the section; place.key NULL */
};

struct config_difference {
	enum config_diff what;
	struct config_place place;
	const char *before,
		*after; /* of VALUE, as config_get gives them; NULL: no value */
	const struct config_origin *origin; /* of what is new; of GONE: where it was */
	/* of a VALUE of [defaults], an environment or a service: names of the services that are in both
	 * and start otherwise because of it; NULL: none does */
	char *const *services;
};

/* Nothing of it is to be kept. 0, or a negative error that ends it. */
typedef int (*config_diff_fn)(const struct config_difference *d, void *arg);

/**
 * All differences, by section, name and key. Of a new section only what it says itself is
 * told, of one that is gone only that. What a section has of another one is told of that one
 * alone, but where its own is or was another value, with the one that holds. Where a value was given makes no difference.
 *
 * Time: n log n of all that both say. What fn returned, -ENOMEM.
 */
int config_diff(const struct config *before, const struct config *after,
	config_diff_fn fn, void *arg);

#endif
