/*
 * What a [service NAME] section says: its job, when that is started again, and what is
 * checked across its keys and job fields.
 */
#ifndef CONFIG_CONFIG_SERVICE_H
#define CONFIG_CONFIG_SERVICE_H

#include "config/config_ready.h"
#include "config/configuration.h"

/* The job of one of its instances, but for what the daemon adds: what the section says over
 * the defaults, without what makes no sense of a service; in SERVICE_POOL, where it names
 * none. 0, -RV_ELIMIT, -ENOMEM */
int config_service_job(struct job_spec *ret, const struct job_spec *said,
	const struct job_spec *defaults);

/* That of one instance, with what stands for its specifiers. 0, -RV_ELIMIT, -ENOMEM */
int config_service_instance(struct job_spec *ret, const struct config *c,
	const struct config_named *s, unsigned instance);

/* What tells of one instance that it is ready, and what that it is alive; the caller's to
 * deinit. 0; -EINVAL, with what is wrong, malloc'd, in *err, unless that is NULL; -ENOMEM */
int config_service_ready(struct ready_rule *ret, const struct config *c,
	const struct config_named *s, unsigned instance, char **err);
int config_service_live(struct ready_rule *ret, const struct config *c,
	const struct config_named *s, unsigned instance, char **err);

/* a config_check_job_fn; spec is one that config_service_job made */
int config_service_check_job(const struct job_spec *said, const struct job_spec *spec,
	unsigned *at, enum job_field *ret_field, char **err);

/* all sections; used by config_validate */
void config_check_services(struct config *c, struct config_errors *errors);

#endif
