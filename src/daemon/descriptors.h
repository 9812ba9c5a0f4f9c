/*
 * Descriptors: the limit of them is the daemon's to raise, and bounds how many runs there may
 * be at one time, so that neither the daemon nor the spawner ever has too few to take those
 * of a run that goes on.
 */
#ifndef DAEMON_DESCRIPTORS_H
#define DAEMON_DESCRIPTORS_H

#include <stddef.h>
#include <sys/resource.h>

/* Ours to the hard limit: each client, run and log that is followed takes some. What the soft
 * one was, for runs to begin with; 0: as it is. */
rlim_t descriptors_raise(void);
/* how many runs there is room for, beside the daemon's own and a share for clients */
size_t descriptors_runs_max(void);

#endif
