/*
 * Writing without SIGPIPE where there is no MSG_NOSIGNAL: to pipes, terminals, whatever
 * descriptor somebody gave us, and by sendfile.
 */
#ifndef BASE_SIGPIPE_H
#define BASE_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe_hold {
	sigset_t old;
	bool was_pending;
};

/*
 * Between the two no SIGPIPE is delivered to this thread: the one that a write with EPIPE
 * brings is taken away at the end, unless one was pending before. errno stays.
 */
void sigpipe_hold(struct sigpipe_hold *h);
/* raised: a write said EPIPE meanwhile */
void sigpipe_release(const struct sigpipe_hold *h, bool raised);

#endif
