/*
 * What a schedule says, in a [schedule NAME] section or at run time: read, and checked
 * against what holds across its keys and job fields.
 */
#ifndef CONFIG_CONFIG_SCHEDULE_H
#define CONFIG_CONFIG_SCHEDULE_H

#include "config/configuration.h"
#include "job/calendar.h"

/* the expressions of a schedule, read */
struct config_calendars {
	struct calendar **v; /* owned */
	size_t n;
};

/* The zones of many schedules, each read once. For one thread at a time. */
struct config_zones {
	struct zone_cache named;
	struct zone *local; /* the machine's; NULL: not read yet */
};

void config_zones_deinit(struct config_zones *zones);
/* Read those of all schedules and services of cf, in a worker, for who is not to wait for files later. 0,
 * -ENOMEM; one that cannot be read is left out. */
int config_zones_fill(struct config_zones *zones, const struct config *cf);

/**
 * Read expressions. Blocks: zones are files, where zones has not got them.
 *
 * @zone  where those hold that name none; NULL: the machine's
 * @zones NULL: none are kept
 * @err   what is wrong with which, for people, malloc'd
 *
 * Returns 0, -EINVAL, -ENOMEM.
 */
int config_calendars_read(struct config_calendars *ret, char *const *when,
	const char *zone, struct config_zones *zones, char **err);
void config_calendars_deinit(struct config_calendars *c);

/**
 * May a job of a schedule be like this? said: what the schedule itself says of it, and
 * spec, with the defaults, the whole.
 *
 * Returns 0; -EINVAL with the field and a message, malloc'd; -ENOMEM.
 */
int config_schedule_check_job(const struct job_spec *said, const struct job_spec *spec,
	enum job_field *ret_field, char **err);

/* all sections; used by config_validate */
void config_check_schedules(struct config *c, struct config_errors *errors);

#endif
