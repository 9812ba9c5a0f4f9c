/*
 * What the store keeps of a schedule, as text, a line each.
 *
 * Of kind "schedule": what was said of it at run time.
 *   added = yes                 no file defines it
 *   paused = yes
 *   user = UID GID NAME HOME    as whom its jobs run
 *   set KEY = VALUE             in the notation of files; of a list once each
 *   job = BASE64                its job fields, packed
 *
 * Of kind "schedule-state": how far it has come.
 *   begun = USEC, last = USEC, interval-last = USEC, off = yes
 *   when = EXPRESSION, zone = ZONE                    what it was when it began
 *   pending = NOMINAL START FLAGS                     starts that are owed
 *   history = WHAT COUNT FIRST NOMINAL AT JOB TEXT    what it did
 */
#ifndef DAEMON_SCHEDULE_RECORD_H
#define DAEMON_SCHEDULE_RECORD_H

#include "config/configuration.h"
#include "sched/schedule.h"

#define SCHEDULE_HISTORY_MAX 50 /* entries that are kept */
/* Starts that one schedule may owe, and as many that make up for missed ones: those on time
 * find room beside them. */
#define SCHEDULE_PENDING_MAX SCHEDULE_MAKE_UP_MAX

/* what was said at run time */
struct schedule_record {
	bool added, paused;
	struct config_named def; /* where it was added; its name is the schedule's */
};

struct schedule_pending {
	int64_t nominal_usec, start_usec;
	bool made_up;
	bool waits; /* its time has come, and a job before it has not ended */
};

/* the order is stored: only add at the end */
#define SCHEDULE_DID(X)                                                       \
	X(STARTED, "started")                                                 \
	X(MADE_UP, "made-up")   /* started, for one that was missed */        \
	X(MANUAL, "manual")     /* started by reeve schedule run */           \
	X(OVERLAP, "overlap")   /* left out: the one before had not ended */  \
	X(MISSED, "missed")     /* left out, as missed says; at least one */  \
	X(FULL, "full")         /* left out: too many were owed */            \
	X(REPLACED, "replaced") /* left out: a later one came */              \
	X(PAUSED, "paused")     /* owed, and given up as it was turned off */ \
	X(REFUSED, "refused")   /* it could not be made a job: text says why */

enum schedule_did {
#define X(id, name) SCHEDULE_##id,
	SCHEDULE_DID(X)
#undef X
		SCHEDULE_DID_N
};
extern const char *const schedule_did_name[SCHEDULE_DID_N];

struct schedule_event {
	enum schedule_did what;
	uint64_t count; /* of those left out for one reason, in a row; else 1 */
	int64_t first_usec, nominal_usec; /* nominal times of the first and the last */
	int64_t at_usec;                  /* when it happened */
	uint64_t job;                     /* 0: none */
	char *text;                       /* owned; NULL: none */
};

/* how far it has come */
struct schedule_progress {
	struct schedule_state state;
	bool off;                         /* it was paused or not enabled */
	char **when;                      /* owned */
	char *zone;                       /* owned; NULL: the machine's */
	struct schedule_pending *pending; /* by start_usec; owned */
	size_t n_pending;
	struct schedule_event history[SCHEDULE_HISTORY_MAX]; /* oldest first */
	size_t n_history;
};

void schedule_record_deinit(struct schedule_record *rec);
/* 0, -ENOMEM */
int schedule_record_format(struct buf *out, const struct schedule_record *rec);
/* Lines that are not known, of a later version, are left out, and so are values that are none
 * any more. 0; -ENOMEM; another where it makes no sense: of one that was added, its job or its
 * user is missing or broken */
int schedule_record_parse(
	struct schedule_record *ret, const char *name, const char *text);

void schedule_progress_deinit(struct schedule_progress *p);
int schedule_progress_copy(
	struct schedule_progress *ret, const struct schedule_progress *p);
int schedule_progress_format(struct buf *out, const struct schedule_progress *p);
int schedule_progress_parse(struct schedule_progress *ret, const char *text);

/* One more that is owed, in its place. 0, -RV_ELIMIT, -ENOMEM */
int schedule_progress_owe(struct schedule_progress *p, struct schedule_pending owed);
/* It is off from now on: what is owed goes into the history, as given up. */
void schedule_progress_give_up(struct schedule_progress *p, int64_t at_usec);
/* By start_usec again, where these were changed. */
void schedule_progress_sort(struct schedule_progress *p);
/* Into the history; those of one kind that were left out in a row are one entry. Takes
 * e.text. */
void schedule_progress_note(struct schedule_progress *p, struct schedule_event e);

#endif
