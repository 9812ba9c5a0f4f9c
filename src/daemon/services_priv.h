/* The services' own: what services.c keeps, services_apply.c makes of the configuration, and
 * service_settle.c brings about. */
#ifndef DAEMON_SERVICES_PRIV_H
#define DAEMON_SERVICES_PRIV_H

#include "base/hashmap.h"
#include "daemon/clock_jumps.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/services.h"
#include "reeve/sync.h"

struct service_log;

struct services {
	struct core *core;
	rv_loop *loop;
	const struct config *config; /* that was applied last */
	struct hashmap *by_name;     /* of struct service */
	struct hashmap *groups;      /* of struct service_group */
	struct list dirty;           /* of struct service.dirty */
	struct list noting;          /* of struct service.noting; empty between calls */
	unsigned mark;               /* of the search that was last */
	rv_lock changing;
	rv_event look;
	rv_event moved;  /* set and cleared each time: a job of one has another state */
	rv_timer retry;  /* a look could not be written */
	rv_time aged_at; /* CLOCK_BOOTTIME: when the first is too old; RV_FOREVER */
	rv_handle age_timer;
	bool age_timer_armed;
	struct clock_watch clock_watch; /* for restart-at */
	struct service_log *log;
};

/* what an instance is to be */
enum instance_target {
	INSTANCE_GONE, /* ended, and forgotten */
	INSTANCE_DOWN,
	INSTANCE_WAITS, /* ended, and not started yet: its group restarts */
	INSTANCE_UP,
};

/* of that job, which may be NULL, being its own */
enum instance_target instance_target(const struct instance *in, const struct job *j);
/* Is the job what the configuration has it be? */
bool instance_is_current(const struct instance *in, const struct job *j);
struct job *instance_job(
	const struct services *ss, const struct instance *in); /* NULL */
/* the one that a job is; NULL */
struct instance *services_instance_of(const struct services *ss, const struct job *j);

/* it is on its way up or down, and nothing but time is in its way */
bool instance_moves(const struct instance *in, const struct job *j);

/* something of it may be left to do */
void service_mark(struct services *ss, struct service *s);
/* the same, and it is not what it was for others */
void service_look_again(struct services *ss, struct service *s);
/* whoever waits for services looks again */
void services_tell_moved(struct services *ss);
/* the one of that name, made where there is none; NULL: out of memory */
struct service *services_get(struct services *ss, const char *name);
/* It has so many instances at least. 0, -ENOMEM */
int service_grow(struct service *s, size_t n);
void instance_free(struct services *ss, struct instance *in);
/* Instances at its end that are over; the service itself, where it is gone and has none left,
 * and no record. True: it was freed. */
bool service_shrink(struct services *ss, struct service *s);
/* its record, as an operation of a txn. 0, -ENOMEM */
int service_put(struct txn *t, const char *name, const struct service_record *rec);
/* Its instances are to be what its section says. 0, -ENOMEM */
int service_set_wanted(struct services *ss, struct service *s);
/* instances of all of them that there are to be */
int64_t services_n_wanted(const struct services *ss);
void service_rule_get(const struct service *s, struct restart_rule *ret);

#endif
