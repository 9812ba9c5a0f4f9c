/*
 * One value of a configuration by its name, as `config get` and `set` spell it:
 * SECTION.KEY, and SECTION.NAME.KEY where a section has a name.
 */
#ifndef CONFIG_CONFIG_GET_H
#define CONFIG_CONFIG_GET_H

#include "config/config_edit.h"
#include "config/configuration.h"

/**
 * Take a name apart in place: "pool.gpu.slots" and "pool gpu.slots" are [pool gpu] slots.
 * Neither a section's word nor a key has a '.' in it; what is between is the argument.
 *
 * ret points into name. 0; -EINVAL: not of this form.
 */
int config_place_parse(struct config_place *ret, char *name);

/**
 * The value in effect, as a file would say it: of a job's field in a section that says what jobs
 * are with what its environment and [defaults] give, which is then the place (see
 * config_effective.h).
 *
 * @out     gets it, without a NUL; nothing where the key has no value
 * @ret_at  where it was given; file NULL: nowhere. May be NULL.
 *
 * 0; -ENOENT: no such section or key; -ESRCH: no section of this name; -ENOMEM
 */
int config_get(struct buf *out, const struct config_origin **ret_at,
	const struct config *c, const struct config_place *place);

/* one value in effect; key NULL: a section begins */
struct config_item {
	struct config_place place;
	const char *value; /* as config_get gives it; NULL with key NULL */
	const char *own;   /* what the section says of it itself; NULL: nothing */
	const struct config_origin *origin; /* of the value, or of the section */
	const char
		*from; /* "defaults", "environment": it is of there; NULL: it is not */
};

/* Is it in one of those sections? names: as "service.web" or "service", globs, up to NULL;
 * none at all means every section. */
bool config_place_is_in(const struct config_place *place, char *const *names);

/* Nothing of the item is to be kept. 0, or a negative error that ends it. */
typedef int (*config_item_fn)(const struct config_item *item, void *arg);

/* All that is in effect, section by section: what has neither a value nor a default is left
 * out. What fn returned, -ENOMEM. */
int config_each(const struct config *c, config_item_fn fn, void *arg);

#endif
