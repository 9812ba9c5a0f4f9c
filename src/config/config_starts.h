/*
 * Which services start otherwise under another configuration, and because of what of it:
 * those that a reload restarts.
 */
#ifndef CONFIG_CONFIG_STARTS_H
#define CONFIG_CONFIG_STARTS_H

#include "config/configuration.h"

struct service_starts; /* of all services that are in two configurations */

/* What each of them starts with, under the one and the other, which both outlive it. 0, -ENOMEM */
int service_starts_new(struct service_starts **ret, const struct config *before,
	const struct config *after);
struct service_starts *service_starts_free(struct service_starts *ss); /* takes NULL */

/**
 * The names of those that start otherwise, in the order of the files.
 *
 * by_default: in a field of their job that [defaults] say; what a service says itself, and
 * what is not for services, is not touched by that. by_environment: and are set in that
 * environment, or in one that builds on it.
 *
 * @ret  strv, the caller's; NULL: none
 *
 * 0, -ENOMEM
 */
int service_starts_by_default(
	char ***ret, const struct service_starts *ss, enum job_field f);
int service_starts_by_environment(
	char ***ret, const struct service_starts *ss, const char *environment);
/* Is this one restarted because of such a key of its own section? */
bool service_starts_by_own(
	const struct service_starts *ss, const char *name, const char *key);

#endif
