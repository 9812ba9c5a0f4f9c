/* The starters' own: their state, and the two files that share it. */
#ifndef SPAWN_STARTER_PRIV_H
#define SPAWN_STARTER_PRIV_H

#include <pthread.h>

#include "spawn/starter.h"

#define CHILD_STACK_SIZE (256 << 10) /* mapped, touched only as far as used */

struct starter {
	struct starters *all;
	char *stack; /* of its children */
	int in_fd, out_fd, err_fd,
		ready_fd;         /* its low descriptors; /dev/null between starts */
	struct start *current;    /* under the lock */
	rv_time since, killed_at; /* under the lock; killed_at 0: not yet */
	bool returned; /* under the lock: clone is over, pidfd is no target */
};

struct starters {
	/* Guards the queue, done, what is counted below and the fields marked above;
	 * no lock but the gates' is taken while it is held, and it is never held over a
	 * clone. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list queue, done;
	size_t n_queued, n_idle;
	size_t n_staying;   /* threads that wait for the end of what they started */
	size_t n_pending;   /* submitted, or following another, and not given back */
	bool woken;         /* event_fd was written to, and nobody has looked since */
	bool quiet;         /* the loop looks by itself (starters_done) */
	size_t n_submitted; /* since the last kick; loop thread only */
	struct starter threads[STARTERS_MAX];
	unsigned int n_base, n_threads; /* loop thread only */
	struct child_common common;
	struct starters_ops ops;
	int event_fd;
};

/* Clone, and find out whether the child has become the program: sets the result in s. In
 * the starter's thread, with s as its current. */
void starter_perform(struct starter *t, struct start *s);
/* reap a child that nobody will ask for */
void start_reap(struct start *s, pid_t pid);
/* Waits a moment for the end of a start that has come to exec. True: it has ended, and says
 * when. */
bool starter_sees_end(struct start *s);

#endif
