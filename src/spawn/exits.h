/*
 * The exits file: what a spawner still had in its table when it left in good order, because
 * it was told to or because nobody needed it any more. Written by the spawner, read and
 * removed by reeved once what it says is committed.
 *
 * A line "reeve-exits 1", then for each spawner that wrote to it a hello record and the
 * run records (wire.h) of its runs: ends that nobody had acknowledged, and runs that not
 * even SIGKILL had ended. The hello alone says something too: a run that was recorded with
 * this spawner, has no end on disk and does not stand here, was never started.
 */
#ifndef SPAWN_EXITS_H
#define SPAWN_EXITS_H

#include "base/buf.h"
#include "spawn/wire.h"

/**
 * Put a spawner's table into the file, after those that are in it already.
 *
 * @dir_fd   state directory
 * @records  one hello and any number of runs, encoded
 *
 * Returns when the file is on disk: 0, -errno. What was there and cannot be read is
 * kept under the name with ".bad".
 */
int spawn_exits_write(int dir_fd, const struct buf *records);

/**
 * Read the file.
 *
 * @fn  is called for each spawner, info being NULL, and then for each of its runs; a
 *      negative result ends the reading and is returned
 *
 * Returns how many runs there were; 0 without a file; -RV_ECORRUPT; -errno. The file
 * stays: remove it with spawn_exits_remove once what it says is safe elsewhere.
 */
int spawn_exits_load(int dir_fd,
	int (*fn)(const struct wire_hello *from, const struct spawn_run_info *info,
		void *arg),
	void *arg);
int spawn_exits_remove(int dir_fd); /* 0 also without a file; -errno */

#endif
