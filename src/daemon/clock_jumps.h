/*
 * Who wants to know when the wall clock was set. The loop tells one; this one tells all.
 * Loop thread only.
 */
#ifndef DAEMON_CLOCK_JUMPS_H
#define DAEMON_CLOCK_JUMPS_H

#include "base/list.h"
#include "reeve/loop.h"

struct clock_jumps {
	rv_loop *loop;
	struct list watches; /* of struct clock_watch */
};

/* caller-owned; it may not go while it is linked */
struct clock_watch {
	struct list link;
	void (*fn)(void *arg); /* must not unlink a watch */
	void *arg;
};

/* Where the loop cannot tell, which is logged, a time that was set shows at the next start. */
void clock_jumps_init(struct clock_jumps *cj, rv_loop *loop);
void clock_jumps_deinit(struct clock_jumps *cj); /* of one that is all zero: nothing */
void clock_jumps_add(struct clock_jumps *cj, struct clock_watch *w,
	void (*fn)(void *arg), void *arg);
void clock_jumps_remove(struct clock_watch *w);

#endif
