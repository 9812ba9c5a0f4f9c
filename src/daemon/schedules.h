/*
 * Schedules: from the configuration, or added at run time; when their jobs start, and what
 * they did.
 *
 * What is due says sched/schedule.h. The starts that it names are owed from then on: each
 * becomes a job when its time has come, or is left out, as overlap says, which is decided
 * from the jobs that are there then. What is owed, how far the schedule has come, and the
 * jobs that were made go to disk in one transaction: a crash makes nothing twice and
 * forgets nothing.
 *
 * overlap, when a start's time has come and a job of the schedule is not finished:
 *   skip     it is left out; one that makes up for a missed one waits, as with queue
 *   queue    it waits until that one has ended, queue-max of them at most
 *   replace  the others are cancelled, and it starts when they have ended
 *   allow    it starts
 *
 * Loop thread only.
 */
#ifndef DAEMON_SCHEDULES_H
#define DAEMON_SCHEDULES_H

#include "daemon/schedule_record.h"
#include "reeve/loop.h"

struct config_zones;
struct core;
struct hashmap;
struct schedules;

/* one of them, as others may look at it */
struct schedule {
	char name[65];
	const struct config_named *section; /* of the configuration; NULL: none */
	struct schedule_record rec;         /* what was said at run time */
	struct config_calendars *calendars; /* NULL: cannot be read, nothing is due */
	struct schedule_progress progress;
	/* What schedule_next said, and of what state: an expression that elapses every few
	 * years costs 50 us to ask, and all are asked at each look. */
	struct schedule_state next_of;
	int64_t next_usec;
	bool next_known;
	bool away;  /* it was not looked at since the daemon started */
	bool check; /* look at it although nothing seems to be due */
	bool moved; /* its state is not what is on disk */
	bool listed;
};

int schedules_new(struct schedules **ret, struct core *core, rv_loop *loop);
struct schedules *schedules_free(struct schedules *ss);
/* Records of the store, of the two kinds. 0, -ENOMEM */
int schedules_load(
	struct schedules *ss, const char *kind, const char *name, const char *text);
/* Bring them to what the configuration says, once all is loaded (zones NULL: they are read),
 * and after a reload, with the lock. 0, -ENOMEM */
int schedules_apply(
	struct schedules *ss, const struct config *cf, struct config_zones *zones);
/* From now on all hold in these zones, whose files may be others than they were. With the
 * lock. 0, -ENOMEM, -ECANCELED */
RV_AWAIT int schedules_read_anew(struct schedules *ss, struct config_zones *zones);
/* Names that were added at run time, and that files define too: each is an error. */
void schedules_check(const struct schedules *ss, const struct config *cf,
	struct config_errors *errors);
/* One change, or look, after the other. 0, -ECANCELED */
RV_AWAIT int schedules_lock(struct schedules *ss);
void schedules_unlock(struct schedules *ss);
/* the task that looks; a service task */
int schedules_main(void *schedules);

/* ---- changes ---------------------------------------------------------------------------- */

/**
 * @def  what it is; taken, also on failure
 *
 * 0; -EEXIST, -RV_ELIMIT (schedules-max), or why it cannot be written.
 */
RV_AWAIT int schedules_add(
	struct schedules *ss, const char *name, struct config_named *def);
/* One that was added at run time; its jobs go on. -ENOENT, -EPERM: a file defines it. */
RV_AWAIT int schedules_remove(struct schedules *ss, const char *name);
/* What elapses while it is paused is nobody's. -ENOENT */
RV_AWAIT int schedules_pause(
	struct schedules *ss, const char *name, bool on, bool *ret_changed);
/* A job of it now, whatever goes on. -ENOENT; -EINVAL, -RV_ELIMIT with a message */
RV_AWAIT int schedules_run(
	struct schedules *ss, const char *name, uint64_t *ret_id, char **ret_message);

/* ---- looking ------------------------------------------------------------------------------ */

/* NULL: none */
struct schedule *schedules_find(const struct schedules *ss, const char *name);
/* all of them by name; NULL-terminated, the caller's to free; NULL: out of memory */
struct schedule **schedules_list(const struct schedules *ss);
const struct config_named *schedule_def(const struct schedule *s);
/* "paused", "disabled", "broken", or "active" */
const char *schedule_status(const struct schedule *s);
/* as whom its jobs run */
uint32_t schedule_uid(const struct schedule *s);
/* The next n nominal times, how many there are. */
size_t schedule_next_times(
	const struct schedules *ss, struct schedule *s, int64_t *usec, size_t n);

#endif
