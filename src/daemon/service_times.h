/*
 * Planned restarts of services: restart-at, calendar expressions. At such a time all instances
 * that were started before it are started again, one after the other.
 *
 * As with schedules a time that passed while no daemon ran, or more than a minute ago by a
 * clock that was set or a machine that slept, is missed, and nothing is done about it.
 *
 * The time goes on record (service_record.h) before anything ends because of it, and off it when
 * all have had their turn. A daemon that is killed before the record leaves a time that was
 * missed; after it, the next one goes on with those runs that were started before that time,
 * and none else. By the wall clock, that is: where it was set back meanwhile some of them are
 * started once more, by that next daemon, and no more than that.
 *
 * Where the clock is set back no time comes twice, and what was started before that at a later
 * time is not older. Set back by more than SCHEDULE_BACK_MAX it had been wrong: times go on from
 * the new one, and all that was started by the wrong one is older. Loop thread only.
 */
#ifndef DAEMON_SERVICE_TIMES_H
#define DAEMON_SERVICE_TIMES_H

#include "daemon/service_settle.h"

struct config_zones;

/* What all of them say, from now on: after services_apply. zones may be NULL: files are read.
 * An expression that cannot be read any more is logged and left out. 0, -ENOMEM */
int services_apply_times(struct services *ss, struct config_zones *zones);
void service_times_free(struct service *s);
/* A time that has passed goes on record, in the transaction; one that nobody is left of, off
 * it. 0, -ENOMEM */
int settle_times(struct settle *st, struct service *s);
/* It is on record: those that were started before have their turn, as services are looked at. */
void service_is_due(struct services *ss, struct service *s);
/* Whether it is one of these, as soon as that is known; j: its job, NULL where it has none. */
void instance_look_due(
	const struct services *ss, struct instance *in, const struct job *j);
/* The wall clock was set. */
void services_clock_jumped(struct services *ss);
/* wall clock; 0: none */
int64_t service_next_restart_usec(const struct service *s);

#endif
