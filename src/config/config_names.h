/*
 * Names of sections and keys: which there are, and which was meant by one that there is not.
 */
#ifndef CONFIG_CONFIG_NAMES_H
#define CONFIG_CONFIG_NAMES_H

#include "config/config_edit.h"
#include "config/configuration.h"

/* All keys of a section, its own and the job fields that it takes; of [defaults] with is_defaults,
 * whatever the section is then. How many. */
enum { CONFIG_KEYS_OF_MAX = CONFIG_KEY_N + JOB_FIELD_N + 1 };
size_t config_keys_of(const char *out[CONFIG_KEYS_OF_MAX], bool is_defaults,
	enum config_section section);

/* The section that was meant by a name of none: by how it is written, or as other programs name
 * theirs. NULL: nobody knows. */
const char *config_section_meant(const char *name);

/* The key of a service that is called so in systemd's units or by supervisord. NULL: none */
const char *config_key_meant(enum config_section section, const char *key);

/* Is there such a key, or, where the place has none, such a section? 1; 0, with what is wrong,
 * malloc'd; -ENOMEM. Names of sections may be any. */
int config_place_check(const struct config_place *place, char **ret_why);

#endif
