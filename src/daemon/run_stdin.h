/*
 * The stdin of a run whose job was submitted with stdin-open: a pipe that the spawner keeps
 * open, so that it outlives the daemon, and to which clients send bytes (control_send.c)
 * until one of them says that this was all.
 *
 * One object for a run; the run and the calls that send to it each hold a reference, for a
 * call may find that the run is over. Loop thread only.
 */
#ifndef DAEMON_RUN_STDIN_H
#define DAEMON_RUN_STDIN_H

#include <sys/types.h>

#include "base/list.h"
#include "reeve/loop.h"
#include "reeve/sync.h"

struct run;

enum run_stdin_state {
	RUN_STDIN_AWAITED, /* nobody has told yet that the process was started */
	RUN_STDIN_OPEN,
	RUN_STDIN_CLOSING, /* that was all: the spawner has not said yet that it closed it */
	RUN_STDIN_CLOSED,
	RUN_STDIN_LOST, /* the spawner that kept it open is gone, and nobody else did */
	RUN_STDIN_OVER, /* the run has ended */
	RUN_STDIN_LEFT, /* the daemon goes; it may stay open */
};

struct run_stdin {
	unsigned n_refs;
	enum run_stdin_state state;
	int fd;          /* OPEN: the end to write to; else -1 */
	rv_watch *watch; /* of fd; NULL: it was never full */
	bool close_sent; /* CLOSING: the spawner was asked */
	uint32_t close_seq;
	rv_time taken_at; /* when the pipe last took something; CLOCK_MONOTONIC */
	struct list
		senders; /* calls, in the order in which they write; the first one does */
	size_t n_senders;
	rv_event
		changed; /* something above; there is room; another is the first. Set and
			     cleared, but stays set when it is OVER or LEFT */
};

int run_stdin_new(struct run_stdin **ret);
struct run_stdin *run_stdin_ref(struct run_stdin *in);
struct run_stdin *run_stdin_unref(struct run_stdin *in); /* takes NULL, returns NULL */

/**
 * Write as much as there is room for; the caller is the first of the senders.
 *
 * Returns bytes, more than 0; -EAGAIN: it is full, and changed tells when it is not;
 * -EPIPE: nobody reads any more; -EBADF: it is not open; -ENOMEM.
 */
ssize_t run_stdin_write(struct run_stdin *in, const void *p, size_t n);
/* the senders look again */
void run_stdin_wake(struct run_stdin *in);
/* final: OVER or LEFT. Takes NULL. */
void run_stdin_end(struct run_stdin *in, enum run_stdin_state state);

/* That was all. What was written before is read before the end; soon. */
void run_request_close_stdin(struct run *run);
/* Ask the spawner, where that is due; the supervising task calls it. */
void run_act_on_stdin(struct run *run);

/* Told by the spawner, for a process that runs; takes the descriptor. -1: it is not open any
 * more. Runs without an open stdin are left alone. */
void run_told_stdin(struct run *run, int fd);
/* its answer to the request of that number */
void run_told_result(struct run *run, uint32_t seq);
/* the process of a run is no more; it may have left others behind */
bool run_main_has_ended(const struct run *run);
/* the spawner is gone: what this daemon has is all there is */
void run_keep_stdin(struct run *run);

#endif
