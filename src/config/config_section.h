/*
 * Sections that say what jobs are, [schedule NAME] and [service NAME]: their jobs over the
 * defaults, and what is checked of them in the same way.
 */
#ifndef CONFIG_CONFIG_SECTION_H
#define CONFIG_CONFIG_SECTION_H

#include "config/configuration.h"

/* A job of its own: what the section says, over what [defaults] say. 0, -RV_ELIMIT,
 * -ENOMEM */
int config_section_job(struct job_spec *ret, const struct job_spec *said,
	const struct job_spec *defaults);

/**
 * May a job of such a section be like this? said: what the section itself says of it, and
 * spec, with the defaults, the whole. One fault after the other: *at is 0 at first, and moves
 * on.
 *
 * Returns 0: there is no other; -EINVAL with the field and a message, malloc'd; -ENOMEM.
 */
typedef int (*config_check_job_fn)(const struct job_spec *said,
	const struct job_spec *spec, unsigned *at, enum job_field *ret_field,
	char **err);
/* for such a function: -EINVAL with the text in *err; -ENOMEM */
int config_refuse(char **err, const char *text);

/* a section that is looked at */
struct config_look {
	const struct config *c;
	const struct config_named *s;
	struct config_errors *errors;
	enum config_section section;
};

/* told at the place, else, where that is nowhere, at the section */
void config_look_error(const struct config_look *l, const struct config_origin *at,
	const char *key, const char *text);
/* the key that says as whom: required in system mode, and nobody else in that of a user */
void config_look_user(const struct config_look *l, enum config_key key);
/* Makes such a job, as config_section_job does. */
typedef int (*config_make_job_fn)(struct job_spec *ret, const struct job_spec *said,
	const struct job_spec *defaults);
/* its job fields, and the pools and resources that they name */
void config_look_job(const struct config_look *l, config_make_job_fn make,
	config_check_job_fn check);
/* An expression of a key, which is told if it is none; whether it is one after an interval. In
 * config_schedule.c. */
bool config_look_calendar(const struct config_look *l, enum config_key key,
	const char *text, const char *zone);

#endif
