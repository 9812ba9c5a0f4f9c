#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/jobs.h"
#include "daemon/notify.h"

struct notify {
	rv_loop *loop;
	rv_timer watchdog;
	rv_time period; /* 0: no watchdog */
	int ready_fd;
	const struct jobs *jobs; /* that the status text tells of; NULL: not ready, or
				  * stopping */
};

static void tell(const struct notify *n, const char *what)
{
	size_t n_active = 0;

	if (!n->jobs) {
		sd_notify(0, what);
		return;
	}
	for (int s = 0; s < JOB_STATE_N; s++)
		if (job_state_is_active((enum job_state)s))
			n_active += jobs_count(n->jobs, (enum job_state)s);
	sd_notifyf(0, "%s\nSTATUS=%zu running, %zu queued", what, n_active,
		jobs_count(n->jobs, JOB_QUEUED));
}

/* From the loop: a loop that hangs does not feed it. */
static void feed(void *arg)
{
	struct notify *n = arg;

	tell(n, "WATCHDOG=1");
	rv_timer_start(&n->watchdog, rv_loop_time(n->loop) + n->period);
}

int notify_new(struct notify **ret, rv_loop *loop, int ready_fd)
{
	struct notify *n = calloc(1, sizeof(*n));
	uint64_t usec = 0;

	if (!n)
		return -ENOMEM;
	n->loop = loop;
	n->ready_fd = ready_fd;
	rv_timer_init(&n->watchdog, loop, feed, n);
	if (sd_watchdog_enabled(0, &usec) > 0 && usec) {
		n->period = RV_US((int64_t)usec) / 2;
		feed(n);
	}
	*ret = n;
	return 0;
}

struct notify *notify_free(struct notify *n)
{
	if (!n)
		return NULL;
	rv_timer_stop(&n->watchdog);
	close_safe(n->ready_fd);
	free(n);
	return NULL;
}

void notify_ready(struct notify *n, const struct jobs *jobs)
{
	n->jobs = jobs;
	tell(n, "READY=1");
	if (n->ready_fd < 0)
		return;
	(void)!fd_write_all(
		n->ready_fd, "READY=1\n", 8); /* nobody may be there any more */
	n->ready_fd = close_safe(n->ready_fd);
}

void notify_stopping(struct notify *n)
{
	n->jobs = NULL;
	sd_notify(0, "STOPPING=1\nSTATUS=Shutting down");
}

void notify_reloading(struct notify *n, bool done)
{
	/* while starting, READY=1 would come too early, and while stopping, too late */
	if (!n->jobs)
		return;
	if (done)
		tell(n, "READY=1");
	else
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIi64, rv_now() / 1000);
}

int notify_listen_fds(int *ret_first)
{
	int n = sd_listen_fds(1);

	*ret_first = SD_LISTEN_FDS_START;
	return n > 0 ? n : 0;
}
