/*
 * The processes of a run as they are now, from /proc, for people to look at.
 *
 * Which belong to a run is decided as the spawner does it: the main process and everything
 * below it, what is in its session, and what has its mark in the environment, with
 * everything below those. Another user's setuid program that left the session and has lost
 * its parents is not found, as nobody but root sees its mark.
 *
 * Blocking: for a worker. A process that ends meanwhile is left out, or shown in parts.
 */
#ifndef DAEMON_PROCESSES_H
#define DAEMON_PROCESSES_H

#include "spawn/procfs.h"

struct processes_of {
	struct spawn_token token;
	char instance[SPAWN_ID_LEN + 1]; /* of the spawner that started it */
	pid_t pid;                       /* of the main process */
	uint64_t start_time;             /* clock ticks since boot */
};

/* what ps shows of one */
struct process_usage {
	int64_t cpu_usec;
	int64_t memory_bytes; /* resident */
	int64_t age_usec;
};

/**
 * Add them, the main process first where it is there; the dead are left out, but not a main
 * process that waits to be reaped.
 *
 * Returns 0; -RV_ELIMIT: the list is a part of them; -ENOMEM; -errno of reading /proc.
 */
int processes_collect(struct proc_list *ret, const struct processes_of *of);

/* 0; -ESRCH: it has ended; -EBADMSG; -errno */
int process_usage_get(struct process_usage *ret, const struct proc_stat *st);

/* Its command line: arguments with blanks between them, at most max bytes and not cut inside
 * of a character; "[NAME]" where it has none. Appends. 0, -ESRCH, -ENOMEM, -errno */
int process_command_get(struct buf *out, const struct proc_stat *st, size_t max);

#endif
