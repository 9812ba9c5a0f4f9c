/*
 * What happened to jobs lately: a ring of changes of state, for those who follow them.
 *
 * Each event has a number, counting up by one as long as this reeved runs. A reader keeps
 * the number of the next one that it wants and nothing else, so that however slow it is it
 * costs no memory: what the ring has given up meanwhile is the difference of two numbers.
 * An event costs a few copied bytes, and an allocation where the job has a name, a pool of
 * its own, labels or a reason; JSON is made when somebody reads.
 *
 * Loop thread only.
 */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

#include "daemon/job.h"
#include "reeve/sync.h"

struct clock;
struct events;

/* in place of a state: the job was not there before, or is not any more */
#define EVENT_NO_JOB (-1)

/* of a service, whose state stays as it was: what else has become of it */
enum event_ready { EVENT_READY_AS_BEFORE, EVENT_IS_READY, EVENT_IS_UNREADY };

struct event {
	int64_t time_usec; /* wall clock */
	uint64_t job;
	uint32_t uid;
	uint32_t n_runs;
	int32_t exit_code, signal; /* once finished; -1, 0: none */
	int8_t from, to;           /* enum job_state, or EVENT_NO_JOB */
	uint8_t result;            /* enum job_result */
	bool callback_dropped;     /* its end called for one that was left out */
	uint8_t ready;             /* enum event_ready */
	uint32_t labels_len;
	/* NULL: the default pool and nothing else; or the pools, the name, the reason, each
	 * ended by NUL and empty where there is none, then labels, each ended by NUL */
	char *texts;
};

/* what the texts of an event are; borrowed */
struct event_texts {
	const char *pools, *name, *reason; /* name, reason: NULL for none */
	const char *labels;                /* labels_len bytes */
};

/* @max  events that are kept, > 0. 0, -ENOMEM */
int events_new(struct events **ret, const struct clock *clock, size_t max);
struct events *events_free(struct events *ev);
/* The newest stay. 0, -ENOMEM: it is as it was. */
int events_set_max(struct events *ev, size_t max);

/* Note that the job went from one state to another; its new state is published already.
 * Without memory for its texts the event is noted without them. */
void events_note(struct events *ev, const struct job *j, int from, int to);

/* That of a service is ready, or is not any more though its run goes on, and why that is: a
 * text, "" for none. */
void events_note_ready(
	struct events *ev, const struct job *j, bool ready, const char *why);

/* The number that the next event will have; the first of a reeved is 1. */
uint64_t events_next(const struct events *ev);
/* Of the oldest that is kept; events_next where none is. */
uint64_t events_oldest(const struct events *ev);
/* events_oldest <= number < events_next; valid until the next event is noted */
const struct event *events_at(const struct events *ev, uint64_t number);
void event_texts_get(const struct event *e, struct event_texts *ret);

/* The oldest kept event of that time or later, or events_next. *ret_lost: events of that
 * time or later may have been given up, so many at most. */
uint64_t events_since(const struct events *ev, int64_t usec, uint64_t *ret_lost);
/* when this reeved began to note: wall clock */
int64_t events_begin_usec(const struct events *ev);

/* Set, and cleared at once, with each event. */
rv_event *events_arrival(struct events *ev);

#endif
