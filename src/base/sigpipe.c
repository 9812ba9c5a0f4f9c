/* Writing without SIGPIPE. */
#include "config.h"

#include "base/sigpipe.h"

#include <errno.h>
#include <time.h>

void sigpipe_hold(struct sigpipe_hold *h)
{
	sigset_t sigpipe, pending;

	(void)sigemptyset(&sigpipe);
	(void)sigaddset(&sigpipe, SIGPIPE);
	(void)sigpending(&pending);
	h->was_pending = sigismember(&pending, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &sigpipe, &h->old);
}

void sigpipe_release(const struct sigpipe_hold *h, bool raised)
{
	static const struct timespec now;
	int saved = errno;
	sigset_t sigpipe;

	(void)sigemptyset(&sigpipe);
	(void)sigaddset(&sigpipe, SIGPIPE);
	/* The signal was sent to this thread: blocked, it is pending. */
	if (raised && !h->was_pending)
		while (sigtimedwait(&sigpipe, NULL, &now) < 0 && errno == EINTR)
			;
	(void)pthread_sigmask(SIG_SETMASK, &h->old, NULL);
	errno = saved;
}
