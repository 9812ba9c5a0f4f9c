/*
 * Following one job until it is finished: its output comes to our stdout and stderr, or with
 * --json as pages of Logs to stdout; Ctrl-C goes to it, a daemon that vanishes is waited for.
 */
#ifndef CLI_RUN_FOLLOW_H
#define CLI_RUN_FOLLOW_H

#include <jansson.h>

#include "reeve/base.h"

struct cli;
struct client;

struct follow_result {
	json_t *job;        /* as it ended; owned */
	int64_t lost_bytes; /* of output that was trimmed before we had it */
	int write_error;    /* on FOLLOW_OUTPUT_FAILED: -errno */
	/* on -ECANCELED: what the daemon answered; owned */
	char *error;
	json_t *error_params;
};

enum {
	FOLLOW_ENDED = 0,
	FOLLOW_OUTPUT_CLOSED = 1, /* nobody reads our output: the job goes on */
	FOLLOW_OUTPUT_FAILED = 2, /* it cannot be written: likewise */
};

/* SIGINT is taken by a descriptor from here on: call it before the job is submitted, so
 * that a Ctrl-C between then and follow_job is not lost, and does not leave a job
 * behind. The descriptor, or -errno. */
int follow_catch_interrupts(void);

/**
 * @client     connection for further calls; taken
 * @signal_fd  of follow_catch_interrupts; borrowed
 * @quiet      no notes about waiting and cancelling
 *
 * Returns FOLLOW_ENDED with *ret; FOLLOW_OUTPUT_CLOSED; FOLLOW_OUTPUT_FAILED; -ENOTCONN the
 * daemon is gone and did not come back; -ESRCH the job was removed; -ECANCELED the daemon
 * refused it, with ret->error; other errors.
 */
int follow_job(struct follow_result *ret, const struct cli *c, struct client *client,
	int64_t id, int signal_fd, bool quiet);

#endif
