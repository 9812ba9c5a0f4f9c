/*
 * What services and groups say of each other: that the services they name are there, that none
 * waits for itself, over however many others, and that each is in one group at most.
 */
#ifndef CONFIG_CONFIG_SERVICE_DEPS_H
#define CONFIG_CONFIG_SERVICE_DEPS_H

#include "config/configuration.h"

/* all sections; used by config_validate */
void config_check_service_deps(struct config *c, struct config_errors *errors);

#endif
