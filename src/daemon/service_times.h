/*
 * Planned restarts of services: restart-at, calendar expressions. At such a time all instances
 * that were started before it are started again, one after the other.
 *
 * As with schedules a time that passed while no daemon ran, or more than a minute ago by a
 * clock that was set or a machine that slept, is missed, and nothing is done about it. Which
 * instances have not had their turn is in memory only: after a daemon that was killed meanwhile
 * they run on until the next time. Loop thread only.
 */
#ifndef DAEMON_SERVICE_TIMES_H
#define DAEMON_SERVICE_TIMES_H

#include "reeve/base.h"

struct config_zones;
struct service;
struct services;

/* What all of them say, from now on: after services_apply. zones may be NULL: files are read.
 * An expression that cannot be read any more is logged and left out. 0, -ENOMEM */
int services_apply_times(struct services *ss, struct config_zones *zones);
void service_times_free(struct service *s);
/* wall clock; 0: none */
int64_t service_next_restart_usec(const struct service *s);

#endif
