/*
 * Whether a run of a service that is ready is still alive: it is asked from time to time
 * (probe.h), or has to say so itself (WATCHDOG=1 of sd_notify(3)). So many questions in a row
 * that it did not answer, or one watchdog time without a word, and it is unresponsive: it is
 * ended, and what comes then is judged where its end is (services_judge); or, with live-action
 * = none, it is unready as long as that lasts.
 *
 * Nothing of this is on record. A new daemon begins anew, a full interval after it found the
 * run going on, so that none is ended for what nobody could hear. That a run is being ended is
 * on record with its job.
 *
 * The questions to a run come at times of their own, spread over the interval by its job's
 * id: those of many services cost no more at one time than at another, and nothing in between.
 * Loop thread only.
 */
#ifndef DAEMON_LIVENESS_H
#define DAEMON_LIVENESS_H

#include "config/config_ready.h"
#include "config/configuration.h"

struct run;
struct run_live;

#define LIVE_WHY_MAX 200 /* bytes of what is wrong, with the one that ends it */

/* what a service says of it; the rule is owned */
struct live_settings {
	struct ready_rule rule; /* READY_NONE: it is not asked */
	int64_t interval_usec, timeout_usec;
	int64_t watchdog_usec; /* INT64_MAX: it need not say anything */
	unsigned failures_max;
	enum config_live_action action;
};

/* Takes the settings, also on error. *ret is NULL where there is nothing to look after. 0,
 * -ENOMEM */
int run_live_new(
	struct run_live **ret, struct run *run, struct live_settings *settings);
struct run_live *run_live_free(struct run_live *l);
/* It is ready; nothing where it has begun already, or l is NULL, as in all of these. */
void run_live_begin(struct run_live *l);
/* It is ending. */
void run_live_end(struct run_live *l);

/* ---- what it says: WATCHDOG=1, WATCHDOG=trigger, WATCHDOG_USEC= ---- */
void run_live_pet(struct run_live *l);
void run_live_trigger(struct run_live *l);
void run_live_set_watchdog(struct run_live *l, int64_t usec);

/* ---- looking ---- */
/* It did not answer, or say what it should, and nothing has come of that but this. */
bool run_live_is_unresponsive(const struct run_live *l);
/* what was wrong with it last, for people; "": nothing */
const char *run_live_why(const struct run_live *l);
/* WATCHDOG_USEC= of its environment; 0: none. */
int64_t run_live_watchdog_usec(const struct run_live *l);

struct live_report {
	const struct ready_rule *rule; /* READY_NONE: it is not asked */
	unsigned n_failed, failures_max;
	int64_t ok_since_usec; /* of wall clock; 0: it did not answer yet */
	int64_t asked_usec;    /* when its last answer came, or did not; 0: none yet */
	const char *why;       /* what was wrong last; "" */
};
/* false: it is not looked after, or not yet */
bool run_live_report(const struct run_live *l, struct live_report *ret);

#endif
