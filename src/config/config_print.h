/* A configuration for people: `reeved --check-config`, `reeve config check`. */
#ifndef CONFIG_CONFIG_PRINT_H
#define CONFIG_CONFIG_PRINT_H

#include <stdio.h>

#include "config/config_load.h"

/**
 * Load and say what came of it: on out which files were read and that they are good, or
 * on err all that is wrong.
 *
 * Returns 0 (good), -EINVAL (told on err), -ENOMEM (told on err).
 */
int config_check_print(FILE *out, FILE *err, const struct config_paths *paths);

/**
 * All values in effect, as a file that gives the same values, each with a comment that
 * names its origin, and the kind of that section where it is another one.
 *
 * @only_changed  leave out what is at its default
 * @sections      only these, see config_place_is_in; NULL: all
 *
 * Returns 0, -ENOMEM.
 */
int config_print(
	FILE *out, const struct config *c, bool only_changed, char *const *sections);

#endif
