/* Child processes from the inside. */
#ifndef RUNTIME_PROCESS_PRIV_H
#define RUNTIME_PROCESS_PRIV_H

#include "reeve/process.h"
#include "runtime/loop_priv.h"

enum { N_STDIO = 3 };

struct told;

struct rv_process {
	rv_loop *loop; /* NULL once it is closed */
	struct rv_link
		link; /* in loop->processes, until it has ended, and that was told */
	struct poll_fd poll;
	struct rv_link waiters;
	rv_stream *io[N_STDIO]; /* references; NULL: no pipe */
	struct told *told; /* whom callbacks go to; NULL: nobody, or all was told */
	pid_t pid;
	int pidfd;
	int status; /* once it has ended */
	unsigned refs;
	bool exited, has_group;
};

/* process_spawn.c: 0 and the child's pid, and our ends of its pipes (else -1) */
int process_spawn(
	pid_t *ret_pid, int ret_io[N_STDIO], char *const argv[], const rv_proc_opts *o);

/* process.c: told may have been the last that had it */
void process_free_unused(rv_process *p);

/* process_protocol.c: callbacks instead of streams */
/* 0: fds are its own, and proto will hear of p; else neither */
int told_new(rv_process *p, rv_protocol *proto, int fds[N_STDIO]);
/* The child has ended. */
void told_exited(struct told *t);
/* Nobody has the process any more. */
void told_drop(struct told *t);
/* The loop closes; p has ended or was killed. */
void told_close(struct told *t);
#endif
