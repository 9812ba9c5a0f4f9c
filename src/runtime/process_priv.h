/* Child processes from the inside. */
#ifndef RUNTIME_PROCESS_PRIV_H
#define RUNTIME_PROCESS_PRIV_H

#include "reeve/process.h"
#include "runtime/loop_priv.h"

enum { N_STDIO = 3 };

struct rv_process {
	rv_loop *loop;       /* NULL once it is closed */
	struct rv_link link; /* in loop->processes, until it has ended */
	struct poll_fd poll;
	struct rv_link waiters;
	rv_stream *io[N_STDIO]; /* references; NULL: no pipe */
	pid_t pid;
	int pidfd;
	int status; /* once it has ended */
	unsigned refs;
	bool exited, has_group;
};

/* process_spawn.c: 0 and the child's pid, and our ends of its pipes (else -1) */
int process_spawn(
	pid_t *ret_pid, int ret_io[N_STDIO], char *const argv[], const rv_proc_opts *o);

#endif
