/* Waiting for several futures: what wait, gather and as_completed share. */
#ifndef RUNTIME_WAIT_PRIV_H
#define RUNTIME_WAIT_PRIV_H

#include "reeve/wait.h"
#include "runtime/loop_priv.h"

enum { WAIT_SET_INLINE = 8 };

struct wait_set;

struct wait_member {
	struct future_watch watch;
	struct wait_set *set;
	rv_future *future;      /* a reference */
	struct rv_link by_time; /* in set->done, from when it is done */
};

struct wait_set {
	struct wait_member *members;
	size_t n, n_left;
	struct rv_link done;   /* struct wait_member.by_time; nobody takes them out but
				as_completed */
	int first_error;       /* < 0: of the first that failed or was cancelled */
	bool has_failed;       /* one has failed; being cancelled does not count */
	struct waiter *waiter; /* NULL as soon as it is woken: who wakes it takes it */
	rv_timer timer;        /* stopped by whatever else wakes the waiter */
	/* whether that is enough for the waiter; asked each time one is done */
	bool (*is_enough)(const struct wait_set *s);
	struct wait_member few[WAIT_SET_INLINE]; /* room for the usual */
};

/* 0; -RV_EWRONGLOOP, -EDEADLK, -ENOMEM. s must stay where it is. */
int wait_set_init(struct wait_set *s, rv_future *const *fs, size_t n,
	const struct rv_task *self, bool (*is_enough)(const struct wait_set *s));
void wait_set_deinit(struct wait_set *s);
/* 0: enough; -ETIMEDOUT at until (loop time); -ECANCELED */
int wait_set_wait(
	struct wait_set *s, struct rv_task *self, rv_time until, const char *site);
/* until all are done, whatever is cancelled meanwhile */
void wait_set_wait_shielded(struct wait_set *s, struct rv_task *self, const char *site);
bool wait_set_is_over(const struct wait_set *s);
/* when that is, from now; RV_FOREVER stays that */
rv_time wait_deadline(const rv_loop *l, rv_time timeout);

#endif
