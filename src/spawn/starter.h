/*
 * Starter threads: the only threads that fork.
 *
 * A vfork suspends its caller until the child execs or dies, and a child can hang
 * before that (a dead network directory, a SIGSTOP). So the loop's thread hands starts
 * over and gets them back; a start that hangs costs one thread. There is a thread for
 * each CPU, two to four; one more is made for each that hangs, up to STARTERS_MAX.
 *
 * Threads never end: the kernel would give their children to the main thread, and whose
 * children are listed with the main thread is how leftovers are found (orphans.h).
 *
 * A start with stay set keeps its thread a moment longer: if its process ends by then, the
 * owner is asked what is to follow, and that begins in the same thread at once, without a
 * turn of the loop in between. For each thread that stays there may be one more.
 *
 * A start belongs to the caller until starters_submit, to the starters until
 * starters_done gives it back; what follows another belongs to the starters from then on.
 * All functions are for the loop's thread.
 */
#ifndef SPAWN_STARTER_H
#define SPAWN_STARTER_H

#include "spawn/child.h"

#define STARTERS_MAX 64

struct starters;

struct starters_ops {
	/* s has come to exec: is there anything to stay for? As follow. */
	bool (*expects)(struct start *s, void *arg);
	/* The process of s, which came to exec, has ended. Returns the start that begins
	 * now, with s->quiet set if nobody need hear of it at once; or NULL. In the
	 * starter's thread; takes locks of its own only. */
	struct start *(*follow)(struct start *s, void *arg);
	void *arg;
};

/**
 * @n         threads to begin with
 * @nofile    the limit that children get back
 * @event_fd  eventfd that is written to when there is something for starters_done;
 *            borrowed
 *
 * All signals must be blocked already, descriptor 0 be /dev/null, and those from 3 to
 * STARTERS_FDS_END taken by copies of it. 0, -errno.
 */
int starters_new(struct starters **ret, unsigned int n, const struct rlimit *nofile,
	int event_fd, const struct starters_ops *ops);

/* Descriptors below are the starters' own: a child gets a copy of these and of nothing
 * else that the spawner has. */
#define STARTERS_FDS_END (3 + 4 * STARTERS_MAX)

/* queue one; threads are woken by starters_kick, once for many */
void starters_submit(struct starters *st, struct start *s);
/* true: something was submitted since the last kick */
bool starters_kick(struct starters *st);

/* Move what has come back to the end of done. True: from now on a start that is followed
 * quietly does not write to event_fd; call again within a moment. That is so after some were
 * stayed with to the end; keep_quiet: and remains so when there was nothing. */
bool starters_done(struct starters *st, struct list *done, bool keep_quiet);

/* starts that were submitted, or followed another, and have not come back */
size_t starters_n_pending(struct starters *st);

/* True: it was still queued, and is the caller's again. */
bool starters_unqueue(struct starters *st, struct start *s);

/* End a start that is not queued any more: its process is sent SIGKILL, or will be, and
 * it comes back with error as its errno; as started, if it came to run before. */
void starters_cancel(struct starters *st, struct start *s, int error);

/**
 * What time brings: kills starts over their timeout, makes threads for those that hang.
 *
 * @dropped  gets the starts that must be told as failed now: those that not even
 * SIGKILL ends (abandoned is set, the starters keep them: only read step and run), and
 *           those queued behind STARTERS_MAX hanging ones (the caller's again, error
 * set)
 *
 * Returns when to call again (CLOCK_MONOTONIC), RV_FOREVER: not before the next submit.
 */
rv_time starters_tick(struct starters *st, rv_time now,
	void (*dropped)(struct start *s, void *arg), void *arg);

#endif
