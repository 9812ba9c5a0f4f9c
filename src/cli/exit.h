/*
 * Exit codes: the numbers that scripts rely on. reeve(1) has the same table, and a test
 * compares them. Those of the daemon's errors are in reply_error.c.
 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include "reeve/base.h"

/* X(ID, number, "meaning") in every verb but `run`, whose code is the job's */
#define CLI_EXIT_CODES(X)                                                           \
	X(OK, 0, "done")                                                            \
	X(SOME, 1, "some of it was refused or failed")                              \
	X(USAGE, 2, "usage")                                                        \
	X(NOTHING, 3, "nothing matched")                                            \
	X(PERMISSION, 4, "not permitted")                                           \
	X(NO_DAEMON, 5, "no daemon")                                                \
	X(REFUSED, 6, "the daemon refuses: disk full, a limit, shutting down")      \
	X(TIMED_OUT, 124, "wait: waited too long; run: the job ran into its limit") \
	X(RUN_FAILED, 125, "run: skipped, lost, or reeve itself failed")            \
	X(RUN_CANNOT, 126, "run: the command could not be started")                 \
	X(RUN_NOT_FOUND, 127, "run: the command was not found")                     \
	X(RUN_CANCELLED, 130, "run: cancelled")

enum cli_exit {
#define X(id, number, text) CLI_EXIT_##id = number,
	CLI_EXIT_CODES(X)
#undef X
};

/* exit code of a negative error of this side (connect, I/O) */
int exit_code_of_errno(int err);

/* How a finished job ended, as Job and Run of the protocol tell it. */
struct job_end {
	const char *result; /* "succeeded" ... */
	int64_t exit_code;  /* -1: none */
	int64_t signal;     /* 0: none */
	const char
		*start_step; /* step of the start that failed, NULL when it started */
	const char *start_error; /* name or text of the errno, with start_step */
};

/* exit code of `reeve run` for a job that ended so */
int exit_code_of_job(const struct job_end *e);

#endif
