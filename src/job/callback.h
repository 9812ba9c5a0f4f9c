/*
 * Callbacks: commands that run because a job has ended, or because a pool is empty.
 *
 * A callback is a job. Here is which of them an end calls for, and what such a job is: the
 * command, in the surroundings of the job that ended, with its facts in the environment.
 * Facts are never a part of the command's text, so that none of them can be taken for shell.
 *
 * Pure: no clock, no ids; the daemon makes the job (daemon/callbacks.h).
 */
#ifndef JOB_CALLBACK_H
#define JOB_CALLBACK_H

#include "job/spec.h"
#include "job/state.h"

#define CALLBACKS(X)                                                   \
	X(SUCCESS, "success")                                          \
	X(FAILURE, "failure") /* failed, or past its run-time limit */ \
	X(FINISH, "finish")   /* whatever the end was */               \
	X(EMPTY, "empty")     /* of a pool */

enum callback {
#define X(id, name) CALLBACK_##id,
	CALLBACKS(X)
#undef X
		CALLBACK_N
};
extern const char *const callback_name[CALLBACK_N];

/* The pool that all callbacks are in: no name that a user can give to one. */
#define CALLBACK_POOL ".callbacks"
/* output that is kept of one */
#define CALLBACK_OUTPUT_MAX (1024 * 1024)

/* what a callback is told of the job, beside what its spec says; borrowed */
struct callback_facts {
	uint64_t id;  /* 0: there is no job, a schedule could not make it */
	uint32_t run; /* number of its last run; 0: there was none */
	enum job_result result;
	const char *reason;                               /* NULL: none */
	int exit_code;                                    /* -1: none */
	int signal;                                       /* 0: none */
	int64_t submitted_usec, started_usec, ended_usec; /* 0: never */
};

/* who a pool's callback runs as; borrowed, each may be NULL */
struct callback_user {
	const char *name, *home;
};

/**
 * Which callbacks an end calls for: a bit for each enum callback, of those that the job has.
 *
 * @shutdown  the end came of the shutdown of the daemon or the machine: it calls for none
 */
unsigned callbacks_of_end(
	const struct job_spec *s, enum job_result result, bool shutdown);

/**
 * The job that runs one of these.
 *
 * @of            the job that has ended; has this callback
 * @has_env       that job has a caller's environment, which the callback shares
 * @timeout_usec  its run-time limit
 *
 * Returns 0, -ENOMEM; *ret is set on success only, and the caller's to deinit.
 */
int callback_make(struct job_spec *ret, enum callback what, const struct job_spec *of,
	bool has_env, const struct callback_facts *facts, int64_t timeout_usec);

/* The job that runs the command of an empty pool; the shell is that of the defaults. The
 * same results. */
int callback_make_empty(struct job_spec *ret, const char *pool, const char *command,
	const struct job_spec *defaults, const struct callback_user *user,
	int64_t timeout_usec);

#endif
