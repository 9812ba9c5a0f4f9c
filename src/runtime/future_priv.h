/* Futures from the inside; what others may know of them is in task_priv.h. */
#ifndef RUNTIME_FUTURE_PRIV_H
#define RUNTIME_FUTURE_PRIV_H

#include "reeve/future.h"
#include "runtime/loop_priv.h"

struct rv_future {
	rv_loop *loop;            /* NULL once it is closed */
	struct rv_link link;      /* in loop->futures */
	struct rv_link waiters;   /* struct waiter */
	struct rv_link watches;   /* struct future_watch */
	struct rv_link callbacks; /* struct future_cb, by registration */
	/* zeroed when it is made, from here on */
	struct rv_task *task; /* whose completion this is; NULL: nobody's */
	rv_future *source;    /* whose value and text it shows; NULL: its own */
	rv_future *shielded;  /* pending: what will end it; borrowed, for dumps */
	void *val;
	rv_dtor val_dtor;
	char *errmsg;
	unsigned refs;
	uint32_t last_id;
	int result; /* 0 or a task's result, an error, -ECANCELED */
	bool done, error_read;
};

/* f is not done yet. It is now, and who waits is woken or told. */
void future_complete(rv_future *f, int result);

#endif
