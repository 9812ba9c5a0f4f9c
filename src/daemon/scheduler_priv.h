/* The scheduler's own: what scheduler.c keeps, and scheduler_why.c explains. */
#ifndef DAEMON_SCHEDULER_PRIV_H
#define DAEMON_SCHEDULER_PRIV_H

#include "daemon/clock_jumps.h"
#include "daemon/scheduler.h"
#include "daemon/start_pace.h"

struct scheduler {
	struct core *core;
	rv_loop *loop;
	struct admission admission; /* of struct job.order */
	struct heap due;            /* of struct job.order, by struct job.due */
	unsigned blocks;            /* enum scheduler_block */
	struct clock_watch clock_watch;
	rv_handle look; /* valid while look_pending */
	rv_handle timer;
	bool look_pending, timer_armed;
	rv_time timer_at;
	rv_time due_until; /* jobs up to there are being put in the order; 0: none are */
	struct start_pace pace; /* of services */
	rv_timer rates;         /* a pool's rate lets the next one start */
	rv_timer retry;         /* ends BLOCK_RETRY */
	rv_time retry_delay;
	bool told_full; /* BLOCK_RUNS was said */
	bool unplaced;  /* some job has no place in the order for want of memory */
};

#endif
