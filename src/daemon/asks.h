/* What a job asks for, pools and resources, against what there is. */
#ifndef DAEMON_ASKS_H
#define DAEMON_ASKS_H

#include "job/spec.h"

struct core;

/**
 * May a new job ask for this: are its pools and resources there, do they take new jobs, and
 * is there as much in all as it asks for?
 *
 * Returns 0; -EINVAL with *ret_field, and *ret_message malloc'd; -ENOMEM.
 */
int asks_check(struct core *core, const struct job_spec *spec,
	enum job_field *ret_field, char **ret_message);

#endif
