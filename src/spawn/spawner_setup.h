/*
 * What a spawner does to itself before it works: options, descriptors, limits, signals,
 * log, the lock. Tells whoever started it when it can be connected to.
 *
 * Readiness: on the descriptor of --ready-fd comes one byte, then its end:
 *   R  it listens
 *   B  another spawner has the state directory and listens
 *   E  followed by an int32 errno: it could not start
 * and in any case READY=1 to $NOTIFY_SOCKET, where that is set (systemd, Type=notify).
 */
#ifndef SPAWN_SPAWNER_SETUP_H
#define SPAWN_SPAWNER_SETUP_H

#include <sys/resource.h>

#include "reeve/base.h"

struct setup {
	char *state_dir; /* absolute */
	bool stay;
	bool log_to_file;
	int ready_fd; /* -1: nobody waits */
	int lock_fd;
	rlim_t nofile_soft; /* of runs, where it was said; 0: what we were started with */
	struct rlimit nofile; /* what runs get */
};

/* 0: go on; 1: done (--help, --version, another spawner is there); -1: failed, said why
 */
int setup_process(struct setup *ret, int argc, char **argv);
/* error 0: ready; -EBUSY: another one is; else -errno. Once. */
void setup_tell_ready(struct setup *setup, int error);

#endif
