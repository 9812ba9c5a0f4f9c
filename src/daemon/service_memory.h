/*
 * max-memory of services: what the processes of each instance take is looked at every
 * memory-interval, in a worker, in one pass over /proc for all of them. A run that takes more
 * is ended as one that has failed, and comes again as its policy says.
 *
 * What counts is the resident memory of its main process, of all below it, and of what is in
 * its session. Where the sum of that is too much, and only there, what they share is
 * divided among those that share it (PSS), as far as the kernel tells.
 *
 * Where no service has a max-memory, no timer goes. Nothing of it is kept but that a run is
 * being ended for it (STORE_JOB_MEMORY): the next daemon looks anew. Loop thread only.
 */
#ifndef DAEMON_SERVICE_MEMORY_H
#define DAEMON_SERVICE_MEMORY_H

#include "reeve/task.h"

struct core;
struct run;
struct service_memory;

int service_memory_new(struct service_memory **ret, struct core *core);
struct service_memory *service_memory_free(struct service_memory *m);
/* The task that looks; a service task. */
RV_AWAIT int service_memory_main(void *service_memory);
/* The configuration is another one. NULL is fine. */
void service_memory_changed(struct service_memory *m);

/* a process whose memory is added up, and those below it */
struct memory_of {
	pid_t pid; /* leads its session */
	uint64_t start_time;
	int64_t max_bytes; /* PSS is asked for above it */
	int64_t bytes;     /* -1: it is not there */
};
/* All of them, ordered by pid. Blocking: for a worker. 0, -ENOMEM, -errno */
int memory_measure(struct memory_of *v, size_t n);

#endif
