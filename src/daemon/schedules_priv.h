/* The schedules' own: what schedules.c keeps, schedules_apply.c reads, schedules_change.c
 * changes and schedule_look.c looks at. */
#ifndef DAEMON_SCHEDULES_PRIV_H
#define DAEMON_SCHEDULES_PRIV_H

#include "base/hashmap.h"
#include "config/config_schedule.h"
#include "daemon/clock_jumps.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/schedules.h"
#include "reeve/sync.h"

struct schedules {
	struct core *core;
	rv_loop *loop;
	const struct config *config; /* that was applied last */
	struct hashmap *by_name;     /* of struct schedule */
	size_t n_added;
	char **unreadable;    /* names of records that make no sense; owned */
	int64_t started_usec; /* the daemon: wall clock */
	rv_lock changing;
	rv_event look; /* something may be due */
	rv_handle timer;
	bool timer_armed;
	rv_timer retry; /* a look could not be written */
	struct clock_watch clock_watch;
	int64_t ahead_usec; /* the wall clock of the time since boot, when last asked */
	struct schedule_due due[SCHEDULE_MAKE_UP_MAX]; /* of the look that goes on */
};

/* something may be due; arg is the schedules */
void schedules_look_again(void *arg);
/* the one of that name, made where there is none; NULL: out of memory */
struct schedule *schedules_get(struct schedules *ss, const char *name);
/* Has the store a record of it that makes no sense? It is kept until it is removed, or one
 * of its name is added. */
bool schedules_is_unreadable(const struct schedules *ss, const char *name);
void schedules_drop_unreadable(struct schedules *ss, const char *name);
void schedules_forget(struct schedules *ss, struct schedule *s);
/* Its expressions are new: it begins now, and owes nothing. 0, -ENOMEM */
int schedules_begin(struct schedules *ss, struct schedule *s);
/* Read its expressions, and their zones, where zones has not got them. What cannot be read is
 * logged, and what was read before goes on. 0, -ENOMEM */
int schedule_read_calendars(struct schedule *s, struct config_zones *zones);
void schedule_drop_calendars(struct schedule *s);
/* nothing of it starts by itself */
bool schedule_is_off(const struct schedule *s);
/* as schedule_next, of what it has come to */
int64_t schedule_next_of(struct schedule *s);
void schedule_rule_get(const struct schedule *s, struct schedule_rule *ret);
/* The record and how far it has come, as operations of a txn; NULL: left as it is. 0,
 * -ENOMEM */
int schedule_put(struct txn *t, const char *name, const struct schedule_record *rec,
	const struct schedule_progress *p);
/* nothing of it is left on disk. 0, -ENOMEM */
int schedule_put_gone(struct txn *t, const char *name);
/* the timer stands where something is due next */
void schedules_arm(struct schedules *ss);

#endif
