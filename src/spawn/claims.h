/*
 * What a spawner has begun to start, and how it ended, where it can be read after both
 * processes were killed.
 *
 * Before anything is done for a start it is written to a file in the state directory, and
 * once more when it has ended; not synced, for it is read on the same boot only. What is not
 * in the file of its spawner was never started. A place is used again once the end is
 * acknowledged, so that the file is as large as the table was at most.
 *
 * The spawner writes (claims_*), reeved reads (spawn_claims_*); neither needs the other.
 *
 * claims_write is for any thread, for a place that no other thread is writing; all else is
 * for the loop's thread.
 */
#ifndef SPAWN_CLAIMS_H
#define SPAWN_CLAIMS_H

#include <stdatomic.h>

#include "spawn/spawn.h"

#define SPAWN_CLAIMS_PREFIX "claims."

struct claims {
	int fd; /* -1: none is kept, and there is no file */
	char *path;
	atomic_bool broken; /* could not be written: the file is gone, none is kept */
	uint32_t n_places;
	uint32_t *free; /* places below n_places; room for all of them */
	uint32_t n_free, n_free_max;
};

/* A file for this instance. Where it cannot be made (logged) none is kept. */
void claims_open(struct claims *c, const char *state_dir, const char *instance);
/* A place for a run, in which nothing is written yet: from 1; 0: none is kept. */
uint32_t claims_reserve(struct claims *c);
/* What is known of the run now; place 0: no effect. When it cannot be written (logged) the
 * file is taken away: without it nothing counts as never started. */
void claims_write(struct claims *c, uint32_t place, const struct spawn_run_info *info);
void claims_drop(struct claims *c, uint32_t place); /* 0: no effect */
/* close, and remove the file */
void claims_remove(struct claims *c);

/**
 * Every file of claims that is whole, of whatever instance. Blocking.
 *
 * @fn  runs: in no order, those whose end is acknowledged among them; borrowed. A negative
 *      result ends the walk and is returned.
 *
 * Returns 0, -ENOMEM, -errno.
 */
int spawn_claims_load(int dir_fd,
	int (*fn)(const char *instance, const struct spawn_run_info *runs, size_t n,
		void *arg),
	void *arg);
/* remove all but that of one instance. 0, -errno */
int spawn_claims_sweep(int dir_fd, const char *instance);

#endif
