/*
 * The jobs of a world: long ones, and a steady stream of short ones that a thread
 * submits whatever happens to the daemon. A call whose answer was lost is made again
 * with its key until there is one; calls that were answered are now and then repeated
 * as well.
 */
#ifndef TESTS_CRASH_STREAM_H
#define TESTS_CRASH_STREAM_H

#include "tests/crash/world.h"

struct known_job {
	uint64_t id;
	int code; /* it exits with this */
	bool is_long;
};

struct stream {
	struct world *w;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool paused, quit;
	bool idle;              /* the thread waits to be resumed */
	struct known_job *jobs; /* every acknowledged one */
	size_t n_jobs, n_jobs_max;
	unsigned n_batches;  /* acknowledged */
	unsigned n_repeated; /* calls made again because there was no answer */
};

/* Submits the long jobs; the stream is paused. */
void stream_init(struct stream *s, struct world *w, unsigned n_long);
void stream_deinit(struct stream *s);
void stream_resume(struct stream *s);
/* until as many more batches are acknowledged */
void stream_await_batches(struct stream *s, unsigned n);
/* returns when all that was begun is acknowledged: then jobs may be read */
void stream_pause(struct stream *s);

#endif
