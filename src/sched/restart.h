/*
 * Whether a service whose process has ended is started again, when, and which of its group
 * with it. Pure: times are handed in, of one clock that does not go back.
 *
 * A run that lasted min-uptime was up: the delay falls back to its first value after it.
 * Shorter ones make it grow. However long they were, more than `burst` restarts within
 * `interval` are not made (Erlang's restart intensity, MaxR in MaxT; systemd's
 * StartLimitBurst= counts starts, the first one too): the service is given up.
 */
#ifndef SCHED_RESTART_H
#define SCHED_RESTART_H

#include "job/backoff.h"
#include "sched/rate.h"

enum restart_policy {
	RESTART_NO,
	RESTART_ALWAYS,
	RESTART_ON_FAILURE,
	RESTART_ON_SUCCESS,
};

/* how a run ended */
enum restart_end {
	RESTART_SUCCEEDED,
	RESTART_FAILED,
	RESTART_EXCLUDED, /* with one of no-restart-codes */
	RESTART_STOPPED,  /* because it was asked to: by a person, or for its group */
};

struct restart_rule {
	enum restart_policy policy;
	struct backoff backoff; /* restart-delay, -max, -factor, -jitter; not 0 */
	int64_t min_uptime_usec;
};

/* What is kept of a service. All zero but for limit: nothing has happened. */
struct restart_state {
	struct rate limit; /* restart-burst in restart-interval, by rate_set */
	unsigned n_short;  /* runs in a row that were not up */
};

enum restart_what {
	RESTART_STAYS_DOWN, /* its policy does not want it again */
	RESTART_COMES,      /* after the delay */
	RESTART_GIVEN_UP,   /* too often: give-up says what then happens */
};

struct restart_verdict {
	enum restart_what what;
	int64_t delay_usec; /* of COMES */
};

/**
 * Judge the end of a run. Only one that comes again is counted.
 *
 * @uptime_usec  from ready (or started, where nothing tells of readiness) to the end
 * @random       of the delay's jitter, 0 .. 2^32-1
 */
struct restart_verdict restart_judge(const struct restart_rule *rule,
	struct restart_state *state, enum restart_end end, int64_t uptime_usec,
	rv_time now, uint32_t random);

/* As if nothing had happened: a person started it, or said `reset`. */
void restart_forget(struct restart_state *state);

/* ---- groups ---- */

/* Of Erlang/OTP's supervisors. */
enum restart_strategy {
	RESTART_ONE_FOR_ONE,  /* only the one that ended */
	RESTART_ONE_FOR_ALL,  /* all of the group are stopped, then all are started */
	RESTART_REST_FOR_ONE, /* the same for it and those that start after it */
};

/* of one service, in the order of their starts */
struct restart_member {
	bool is_up;     /* it has a process, or is on its way to one */
	bool is_wanted; /* nobody has stopped it; one that ended and did not come again is,
			 * as with OTP */
};

/**
 * What a restart of one comes to for its group.
 *
 * @members      n, in the order of their starts
 * @ended        the one that comes again; not up
 * @ret_stop     room for n: those to stop, one after the other, in this order: the reverse
 *               of the starts, as OTP has it
 * @ret_n_stop   how many
 * @ret_start    room for n: those to start after that, in this order
 * @ret_n_start  how many; ended is one of them
 *
 * Unlike OTP, one that was stopped by a person is not started with the others.
 */
void restart_plan(enum restart_strategy strategy, const struct restart_member *members,
	size_t n, size_t ended, size_t *ret_stop, size_t *ret_n_stop, size_t *ret_start,
	size_t *ret_n_start);

#endif
