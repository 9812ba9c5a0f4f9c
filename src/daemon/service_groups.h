/*
 * Groups of services: what the end of one comes to for the others, as with supervisors of
 * Erlang/OTP.
 *
 * Where a run ends and comes again, the strategy of its group says who is restarted with it
 * (sched/restart.h); where somebody has the group restarted, all are. Those are on record from the
 * transaction of that end on, or before that somebody is answered, until all of them are down: whatever moment a daemon is killed at, the next one goes on with stopping them. As
 * soon as the record is gone they are started, in the order that holds anyway (service_deps.h).
 * That a group was given up is on record until somebody starts a service of it.
 *
 * Record, of kind "service-group", a line each:
 *   restarting = NAME...   services that are stopped, to be started after that
 *   given-up = REASON
 *   acknowledged = yes  somebody knows that; it is no problem any more
 *   restarts = TIME...  those that count for restart-burst, as service_counts.h has them
 *
 * Loop thread only.
 */
#ifndef DAEMON_SERVICE_GROUPS_H
#define DAEMON_SERVICE_GROUPS_H

#include "daemon/services_priv.h"

struct service_group {
	char name[65];
	const struct config_named *section; /* NULL: it is gone */
	struct service **v;                 /* in the order of their starts */
	size_t n;
	struct rate limit; /* restart-burst in restart-interval */
	char **restarting; /* names; NULL: none. The same as struct service.restarts */
	char *given_up;    /* why; NULL: it was not */
	bool acknowledged; /* that it was given up */
	bool unwritten;    /* its record is not what is in memory */
	unsigned n_plans; /* how often somebody was added to those that are restarted */
};

/* Groups are what the configuration says, once all services have their sections. 0, -ENOMEM */
int groups_apply(struct services *ss);
void groups_free(struct services *ss);
/* Restarts that were counted count no more. True: some were */
bool group_forget_restarts(struct service_group *g);
/* When that was given up, and not acknowledged since, where that is to be escalated: the last of
 * the ends of its instances. 0: it was not */
int64_t service_given_up_usec(const struct services *ss, const struct service *s);
/* a service of it is about to be freed */
void group_forget_service(struct service *s);

/* ---- an end ---- */

/* A run of a service of it comes again: that is counted. False: there were too many, and all of
 * the group is given up. reason: of the job of that run, then */
bool group_may_restart(
	struct services *ss, struct service_group *g, char *reason, size_t size);
/* It comes again: whoever is restarted with it will be. all: all of the service itself is,
 * whatever the strategy. True: some are */
bool group_restart(struct services *ss, struct service *s, bool all);
/* These, of the group, are restarted as if one of them had come again; that is not counted.
 * *ret_added: those that were not restarted already, the caller's to free, also on failure. 0,
 * -ENOMEM */
int group_restart_these(
	struct service_group *g, struct service **v, size_t n, char ***ret_added);
/* they are not, as that could not be recorded */
void group_restart_not(struct service_group *g, char *const *added);
/* a job was given up with its group; it is started when somebody starts one of that */
bool job_was_given_up_with_group(const struct job *j);

/* ---- what is on record ---- */

/* as an operation of a txn. 0, -ENOMEM */
int group_put(const struct services *ss, struct txn *t, const struct service_group *g);
/* All that are restarted are down: they may be started. */
bool group_is_down(const struct services *ss, const struct service_group *g);
/* That is on record. n_plans: when it was to be */
void group_restart_is_over(
	struct services *ss, struct service_group *g, unsigned n_plans);
/* It is not given up any more; the caller has the text, to put it back where that cannot be
 * recorded. NULL: it was not */
char *group_take_given_up(struct service_group *g);

#endif
