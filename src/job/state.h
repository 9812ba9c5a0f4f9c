/*
 * Life of a job: states, the legal moves between them, results. The lists give enum and
 * names; a job's one setter (daemon/jobs.c) checks the matrix.
 */
#ifndef JOB_STATE_H
#define JOB_STATE_H

#include "reeve/base.h"

#define JOB_STATES(X)                                                              \
	X(HELD, "held")         /* not before it is released */                    \
	X(WAITING, "waiting")   /* for other jobs */                               \
	X(DELAYED, "delayed")   /* for a time */                                   \
	X(QUEUED, "queued")     /* for a slot */                                   \
	X(STARTING, "starting") /* its run is recorded, no process is known yet */ \
	X(RUNNING, "running")                                                      \
	X(PAUSED, "paused")     /* its processes are stopped */                    \
	X(STOPPING, "stopping") /* asked to end */                                 \
	X(BACKOFF, "backoff")   /* failed, will be run again later */              \
	X(FINISHED, "finished")

enum job_state {
#define X(id, name) JOB_##id,
	JOB_STATES(X)
#undef X
		JOB_STATE_N
};

#define JOB_RESULTS(X)                                                 \
	X(NONE, "")                                                    \
	X(SUCCEEDED, "succeeded")                                      \
	X(FAILED, "failed")                                            \
	X(TIMEOUT, "timeout")                                          \
	X(CANCELLED, "cancelled")                                      \
	X(SKIPPED, "skipped") /* what it waited for did not succeed */ \
	X(LOST, "lost")       /* nobody can tell how it ended, or nobody's fault */

enum job_result {
#define X(id, name) JOB_RESULT_##id,
	JOB_RESULTS(X)
#undef X
		JOB_RESULT_N
};

extern const char *const job_state_name[JOB_STATE_N];
extern const char *const job_result_name[JOB_RESULT_N];
extern const bool job_may_go[JOB_STATE_N][JOB_STATE_N];
int job_state_by_name(const char *name);  /* -EINVAL */
int job_result_by_name(const char *name); /* -EINVAL */

/* a run is going on: a slot is taken and a supervising task drives it */
static inline bool job_state_is_active(enum job_state s)
{
	return s >= JOB_STARTING && s <= JOB_STOPPING;
}

/* How one run ended, as far as anybody knows. */
enum run_end_kind {
	RUN_END_EXITED,       /* wait_status holds */
	RUN_END_START_FAILED, /* error and step hold; no process ran the program */
	RUN_END_LOST,         /* unknown */
	RUN_END_FUNCTION,     /* function: error holds (0 or negative) */
};

struct run_end {
	enum run_end_kind kind;
	int wait_status; /* as from wait4 */
	int error;       /* negative errno */
	bool timed_out;  /* the run-time limit ended it */
	bool cancelled;  /* a user's cancel ended it */
	bool shutdown;   /* the shutdown of daemon or machine ended it */
};

struct job_spec;

/* what becomes of the job after a run; pure */
struct job_verdict {
	enum job_result result; /* of the run, and of the job when it finishes */
	enum job_state next;    /* FINISHED, BACKOFF, HELD or QUEUED */
	int exit_code;          /* -1: none */
	int signal;             /* 0: none */
	int64_t delay_usec;     /* with BACKOFF */
	bool uses_retry;        /* counts against retries */
};

/**
 * Judge a finished run: success-codes, timeout, cancel, retries with backoff and
 * jitter, on-reboot and on-lost (BEHAVIOUR.md, "Ends that are nobody's fault").
 *
 * @n_failed  runs that used up a retry before this one
 * @random    0 .. 2^32-1, for the jitter: a delay is between a half and the whole
 */
void job_judge(struct job_verdict *ret, const struct job_spec *s,
	const struct run_end *end, unsigned n_failed, uint32_t random);

#endif
