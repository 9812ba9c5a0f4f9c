/* A configuration for people: `reeved --check-config`, `reeve config check`. */
#ifndef CONFIG_CONFIG_PRINT_H
#define CONFIG_CONFIG_PRINT_H

#include <stdio.h>

#include "config/config_get.h"
#include "config/config_load.h"

/**
 * Load and say what came of it: on out which files were read and that they are good, or
 * on err all that is wrong.
 *
 * Returns 0 (good), -EINVAL (told on err), -ENOMEM (told on err).
 */
int config_check_print(FILE *out, FILE *err, const struct config_paths *paths);

/* which of them: all of a kind, or one of it; both NULL: all there are */
struct config_only {
	const char *section, *name;
};
bool config_only_has(const struct config_only *only, const struct config_place *place);

/**
 * All values in effect, as a file that gives the same configuration, each with a
 * comment that names its origin.
 *
 * @only          NULL: all sections
 * @only_changed  leave out what is at its default
 *
 * Returns 0, -ENOMEM.
 */
int config_print(FILE *out, const struct config *c, const struct config_only *only,
	bool only_changed);

#endif
