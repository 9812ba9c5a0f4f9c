/*
 * The processes of one run: finding and signalling them.
 *
 * What belongs to a run: its main process and everything below it, and the adopted
 * orphans known to be the run's with everything below them. Whatever a process did to
 * its session, group or parents, it is in one of the two, or it is unknown and left
 * alone.
 */
#ifndef SPAWN_TREE_H
#define SPAWN_TREE_H

#include "spawn/orphans.h"
#include "spawn/procfs.h"

/* Living processes of the run, the main process left out. 0, -ENOMEM, -RV_ELIMIT (then
 * the list is a part of them, which is good for a round of killing). */
int tree_collect(
	struct proc_list *ret, const struct orphans *os, const struct run *run);

enum tree_reach {
	TREE_MAIN,    /* the main process alone */
	TREE_GROUP,   /* its process group */
	TREE_ESCAPED, /* everything that is not in its group */
	TREE_ALL,
};

/**
 * Send a signal.
 *
 * The main process must not be reaped: as long as it is there, as a zombie even, its
 * pid and group can be nobody else's.
 *
 * Returns how many processes outside of the group were signalled.
 */
size_t tree_signal(const struct orphans *os, const struct run *run,
	enum tree_reach reach, int sig);

/* Signal everything, again while new ones turn up, a bounded number of times: what is
 * forked while one looks is found in the next round. */
void tree_signal_all(const struct orphans *os, const struct run *run, int sig);

/* SIGKILL for everything that can be found now; also by the cgroup, which no fork
 * escapes. Returns how many are still there, besides the main process. */
size_t tree_kill(struct orphans *os, const struct run *run);

/* is somebody in the run's cgroup leaf, besides a dead main process? */
bool tree_cgroup_is_populated(const struct run *run);

#endif
