/*
 * Output of runs that is to have times at the front of its lines: such a run writes into a pipe,
 * and a thread copies it into the file.
 *
 * One thread for all: what waits for a slow disk is the runs with times, not the loop, nor other
 * runs. What cannot be written (a full disk) is read all the same, so that no run hangs, and a
 * line tells of it as soon as one can be written again.
 *
 * A pipe lives as long as somebody can write into it, also beyond the end of its run. The end of
 * a run is told after what it wrote is in the file (stamper_drain). When the spawner is killed,
 * whoever still writes gets SIGPIPE.
 *
 * All functions are for the loop's thread.
 */
#ifndef SPAWN_STAMPER_H
#define SPAWN_STAMPER_H

#include <sys/types.h>

#include "base/list.h"

struct run;
struct stamped;
struct stamper;

/* The thread is made with the first stream. event_fd: eventfd that is written to when there is
 * something for stamper_drained; borrowed. 0, -errno. */
int stamper_new(struct stamper **ret, int event_fd);

/**
 * A stream of its own for a run.
 *
 * @fd   the file; replaced by the end of a pipe to write to
 * @uid, gid  whose the pipe is to be: who opens /dev/stdout finds it; -1: ours
 * @ret  the run's until stamped_forget
 *
 * 0, -errno: then fd is as it was.
 */
int stamper_add(struct stamper *st, struct stamped **ret, struct run *run, int *fd,
	uid_t uid, gid_t gid);
/* What was written so far is to be in the file; then it comes out of stamper_drained. */
void stamper_drain(struct stamper *st, struct stamped *s);
/* The run of a stream for which that is done; NULL: no more. */
struct run *stamper_drained(struct stamper *st);
/* The run needs it no more; none that is being drained. Takes NULL, returns NULL. */
struct stamped *stamped_forget(struct stamped *s);
/* pipes that somebody can still write to */
int stamper_n_open(const struct stamper *st);

#endif
