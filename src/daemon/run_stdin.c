#include "config.h"

#include "daemon/run_stdin.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "daemon/core.h"
#include "daemon/run.h"
#include "daemon/spawner_link.h"

int run_stdin_new(struct run_stdin **ret)
{
	struct run_stdin *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	in->n_refs = 1;
	in->fd = -1;
	list_init(&in->senders);
	rv_event_init(&in->changed);
	*ret = in;
	return 0;
}

struct run_stdin *run_stdin_ref(struct run_stdin *in)
{
	in->n_refs++;
	return in;
}

static void drop_fd(struct run_stdin *in)
{
	rv_fd_unwatch(TAKE_PTR(in->watch));
	in->fd = close_safe(in->fd);
}

struct run_stdin *run_stdin_unref(struct run_stdin *in)
{
	if (!in || --in->n_refs > 0)
		return NULL;
	INVARIANT(list_is_empty(&in->senders));
	drop_fd(in);
	free(in);
	return NULL;
}

void run_stdin_wake(struct run_stdin *in)
{
	rv_event_set(&in->changed);
	if (in->state != RUN_STDIN_OVER && in->state != RUN_STDIN_LEFT)
		rv_event_clear(&in->changed);
}

static void set_state(struct run_stdin *in, enum run_stdin_state state)
{
	in->state = state;
	if (state != RUN_STDIN_OPEN)
		drop_fd(in);
	run_stdin_wake(in);
}

void run_stdin_end(struct run_stdin *in, enum run_stdin_state state)
{
	INVARIANT(state == RUN_STDIN_OVER || state == RUN_STDIN_LEFT);
	if (in && in->state != RUN_STDIN_OVER && in->state != RUN_STDIN_LEFT)
		set_state(in, state);
}

static void has_room(int fd, unsigned ev, void *arg)
{
	run_stdin_wake(arg);
}

ssize_t run_stdin_write(struct run_stdin *in, const void *p, size_t n)
{
	ssize_t done;
	int r;

	INVARIANT(n > 0);
	if (in->fd < 0)
		return -EBADF;
	do
		done = write(in->fd, p, n); /* SIGPIPE is ignored */
	while (done < 0 && errno == EINTR);
	if (done > 0)
		in->taken_at = rv_now();
	if (done >= 0 || errno != EAGAIN)
		return done < 0 ? -errno : done;
	if (!in->watch) {
		r = rv_fd_watch(
			rv_loop_current(), in->fd, RV_WRITE, has_room, in, &in->watch);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

void run_request_close_stdin(struct run *run)
{
	if (run->in->state != RUN_STDIN_OPEN)
		return;
	set_state(run->in, RUN_STDIN_CLOSING);
	rv_event_set(&run->wake);
}

void run_act_on_stdin(struct run *run)
{
	struct run_stdin *in = run->in;

	if (!in || in->state != RUN_STDIN_CLOSING || in->close_sent)
		return;
	if (run->spawner_gone)
		set_state(in, RUN_STDIN_CLOSED); /* ours was the last */
	else
		in->close_sent = spawner_link_close_stdin(
					 run->core->spawner, run, &in->close_seq) >= 0;
}

void run_told_stdin(struct run *run, int fd)
{
	_cleanup_close_ int given = fd;
	struct run_stdin *in = run->in;

	if (!in)
		return;
	switch (in->state) {
	case RUN_STDIN_AWAITED:
	case RUN_STDIN_OPEN:
		/* a second copy says only that it is open still */
		if (given >= 0 && in->fd < 0)
			in->fd = TAKE_FD(given);
		set_state(in, fd >= 0 ? RUN_STDIN_OPEN : RUN_STDIN_CLOSED);
		break;
	case RUN_STDIN_CLOSING:
		if (fd < 0) {
			set_state(in, RUN_STDIN_CLOSED);
			break;
		}
		/* the request went down with a connection */
		in->close_sent = false;
		rv_event_set(&run->wake);
		break;
	case RUN_STDIN_CLOSED:
	case RUN_STDIN_LOST:
	case RUN_STDIN_OVER:
	case RUN_STDIN_LEFT: break;
	}
}

void run_told_result(struct run *run, uint32_t seq)
{
	struct run_stdin *in = run->in;

	/* whatever it says: where it has not closed it there is nothing to be closed */
	if (in && in->state == RUN_STDIN_CLOSING && in->close_sent &&
		in->close_seq == seq)
		set_state(in, RUN_STDIN_CLOSED);
}

bool run_main_has_ended(const struct run *run)
{
	struct pollfd p = {.fd = run->pidfd, .events = POLLIN};

	return run->ended || (p.fd >= 0 && poll(&p, 1, 0) == 1);
}

void run_keep_stdin(struct run *run)
{
	struct run_stdin *in = run->in;

	if (!in)
		return;
	if (in->state == RUN_STDIN_CLOSING)
		set_state(in, RUN_STDIN_CLOSED);
	else if (in->state == RUN_STDIN_AWAITED)
		set_state(in, RUN_STDIN_LOST);
}
