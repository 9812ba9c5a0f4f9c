/*
 * One look at the schedules, and what it carries from the question what is due to the
 * transaction: schedule_look.c begins and ends it, schedule_settle.c decides what becomes of
 * each start, schedule_start.c makes the jobs. Loop thread, with the lock of the schedules.
 */
#ifndef DAEMON_SCHEDULE_LOOK_H
#define DAEMON_SCHEDULE_LOOK_H

#include "daemon/job.h"
#include "daemon/schedules_priv.h"

#define SCHEDULE_LOOK_JOBS_MAX 200 /* made or cancelled in one transaction */
/* of an entry of the history, until its job has a number: its place in the look, from 1 */
#define SCHEDULE_NOT_NUMBERED (UINT64_C(1) << 63)

/* one that is looked at, and what becomes of it */
struct schedule_change {
	struct schedule *s;
	struct schedule_progress next;
};

struct look {
	struct schedules *ss;
	int64_t now;
	struct txn *txn;
	struct job *made[SCHEDULE_LOOK_JOBS_MAX];
	size_t n_made;
	size_t n_refused; /* of these: callbacks, of jobs that could not be made */
	struct job *cancelled[SCHEDULE_LOOK_JOBS_MAX]; /* those that did not run */
	struct store_job cancelled_rec[SCHEDULE_LOOK_JOBS_MAX];
	size_t n_cancelled;
	struct schedule_change *changes;
	size_t n_changes;
	bool more;  /* there was no room for all */
	bool noted; /* the txn says that a run is to be cancelled */
	bool again; /* a job could not be made to go yet */
};

/* Its job for this nominal time, into l->made. 0; -EINVAL, -RV_ELIMIT with a message that is
 * the caller's: then its on-failure is there, if it has one; -ENOMEM */
int schedule_make_job(
	struct look *l, const struct schedule *s, int64_t nominal, char **ret_message);

/* Into the history; takes text, which may be NULL. */
void schedule_note(struct look *l, struct schedule_progress *p, enum schedule_did what,
	int64_t nominal, char *text);
/* Bring p, a copy of what s has come to, to now: what has elapsed is owed, and of what is
 * owed jobs are made as overlap says. 0, -ENOMEM */
int schedule_settle(
	struct look *l, const struct schedule *s, struct schedule_progress *p);

#endif
