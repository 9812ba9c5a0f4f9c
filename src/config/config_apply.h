/*
 * Entries of files into a configuration: which section, which key, what an empty value
 * or a second one means. Used by config_load.
 */
#ifndef CONFIG_CONFIG_APPLY_H
#define CONFIG_CONFIG_APPLY_H

#include "config/config_file.h"
#include "config/configuration.h"

#define CONFIG_NAMED_MAX 1000 /* sections of one kind */

enum config_scope {
	CONFIG_SCOPE_SKIP, /* of an unknown section: said once, not for each key */
	CONFIG_SCOPE_REEVED,
	CONFIG_SCOPE_DEFAULTS,
	CONFIG_SCOPE_NAMED
};

struct config_loader {
	struct config *config;
	struct config_errors *errors;
	const char *file; /* that is being read: an element of config->files */
	enum config_scope scope;
	/* of CONFIG_SCOPE_NAMED: which kind, and its place among them */
	enum config_section section;
	size_t named;
};

/* from here on entries are of this file; the pointer tells files apart */
void config_loader_next_file(struct config_loader *l, const char *file);
/* a config_entry_fn; arg is the loader */
int config_loader_entry(const struct config_entry *e, void *arg);
/* A property of jobs as files write it: job_value_parse, but for the specifiers of command. */
int config_job_value_parse(
	union job_value *ret, enum job_field f, const char *text, char **err);
/* All files are read. */
void config_loader_end(struct config_loader *l);

#endif
