/*
 * What holds for the jobs of a [schedule NAME] or [service NAME]: what the section says, over
 * what its environment and [defaults] give, each with the place that says it.
 */
#ifndef CONFIG_CONFIG_EFFECTIVE_H
#define CONFIG_CONFIG_EFFECTIVE_H

#include "base/buf.h"
#include "config/configuration.h"

struct effective {
	struct job_spec spec; /* owned */
	const struct config *config;
	const struct config_job *job;
	bool is_in_environment; /* env has only what the section says itself */
	bool takes_no_slot;     /* a service that names no pool is in none */
};

/* section: one of config_section_has_job. 0, -RV_ELIMIT, -ENOMEM; then effective_deinit */
int effective_get(struct effective *ret, const struct config *c,
	enum config_section section, const struct config_named *named);
void effective_deinit(struct effective *e);

/* Where the value of a field was given: of a list the last place. ret_from: the kind of another
 * section that gives the value, "defaults" or "environment"; NULL: it is the section's own, or
 * the default. */
const struct config_origin *effective_origin(
	const struct effective *e, enum job_field f, const char **ret_from);

/* Does the section say it, alone or with others? */
static inline bool effective_is_own(const struct effective *e, enum job_field f)
{
	return job_spec_has(&e->job->spec, f);
}

/* As the section would say it, without a NUL; nothing where there is no value. own: only what it
 * says itself. 0, -ENOMEM */
int effective_format(
	struct buf *out, const struct effective *e, enum job_field f, bool own);

/* A value of a field as a file says it: nothing where there is none. escapes: a '%' in it is only
 * itself. 0, -ENOMEM */
int effective_format_value(
	struct buf *out, const struct job_spec *spec, enum job_field f, bool escapes);

#endif
