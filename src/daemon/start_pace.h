/*
 * How many services may be being started at one time.
 *
 * A start takes the CPU from whoever else wants it, from the file for its output up to where
 * its program runs. Where a thousand services come again at once, a thousand of these would
 * keep this daemon from answering until the spawner has worked them off. So only some are
 * under way, and what comes of them is seen before there are more: a busy machine slows down
 * the starts, not the answers. Those that have to wait are queued.
 *
 * A start that hangs counts for a moment only: then the next one begins. What it waits for
 * may be a disk, a spawner that is not there, the program's file system.
 *
 * Nothing of this is on disk: what was being started when the daemon was killed is found and
 * gone on with all at once. Loop thread only.
 */
#ifndef DAEMON_START_PACE_H
#define DAEMON_START_PACE_H

#include "base/list.h"
#include "reeve/loop.h"

struct start_pace {
	rv_loop *loop;
	struct list going; /* of struct start_place.link, the oldest first */
	unsigned n, max;
	rv_timer
		timer; /* while one is under way: when the oldest counts no more, or before */
	void (*room)(void *arg);
	void *arg;
};

/* of one start; zeroed: it is not under way */
struct start_place {
	struct list link;
	rv_time until; /* it counts; CLOCK_MONOTONIC */
};

/* max: at a time. room is called whenever there is room again. */
void start_pace_init(struct start_pace *p, rv_loop *loop, unsigned max,
	void (*room)(void *arg), void *arg);
/* room is not called any more; those under way may still end. */
void start_pace_deinit(struct start_pace *p);

bool start_pace_has_room(const struct start_pace *p);
/* It begins, also where there is no room; place must stay until it has ended. */
void start_pace_begin(struct start_pace *p, struct start_place *place);
/* It has come off, or will not, or waits for something else; no effect where it does not
 * count. */
void start_pace_end(struct start_pace *p, struct start_place *place);

#endif
