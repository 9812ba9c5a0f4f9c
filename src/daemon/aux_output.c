/* What auxiliary commands print, as far as it is kept; see aux.h. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/aux_priv.h"
#include "daemon/run_steps.h"

void aux_end_reading(struct aux *a)
{
	rv_fd_unwatch(TAKE_PTR(a->out_watch));
	a->out_fd = close_safe(a->out_fd);
}

/* The last bytes stay. */
static void keep(struct aux *a, const char *p, size_t n)
{
	size_t over;

	if (n > a->out_max) {
		p += n - a->out_max;
		n = a->out_max;
		a->out_cut = true;
	}
	over = a->n_out + n > a->out_max ? a->n_out + n - a->out_max : 0;
	if (over) {
		memmove(a->out, a->out + over, a->n_out - over);
		a->n_out -= over;
		a->out_cut = true;
	}
	memcpy(a->out + a->n_out, p, n);
	a->n_out += n;
}

/* So much in one turn: one that prints without end is not all that there is to do. */
void aux_read_some(struct aux *a)
{
	char buf[4096];

	for (int i = 0; i < 16 && a->out_fd >= 0; i++) {
		ssize_t n = read(a->out_fd, buf, sizeof(buf));

		if (n > 0) {
			keep(a, buf, (size_t)n);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			aux_end_reading(a);
		} else if (errno == EAGAIN) {
			return;
		}
	}
	if (a->out_fd >= 0) /* the watch tells of an edge, and there is none */
		rv_event_set(&a->wake);
}

static void readable(int fd, unsigned ev, void *arg)
{
	(void)fd;
	(void)ev;
	aux_read_some(arg);
}

int aux_open_output(struct aux *a, struct run_request *rr, size_t max)
{
	int fds[2], r;

	aux_end_reading(a); /* of a start that came to nothing */
	free(a->out);
	a->n_out = 0;
	a->out_max = max;
	a->out = malloc(max + 1);
	if (!a->out)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	a->out_fd = fds[0];
	close_safe(rr->stdout_fd);
	rr->stdout_fd = rr->req.stdout_fd = fds[1];
	rr->req.stdout_kind = SPAWN_STDIO_FD;
	/* nor may the one thread that writes times wait for who reads this */
	rr->req.stamped = false;
	rr->stderr_fd = rr->req.stderr_fd = close_safe(rr->stderr_fd);
	rr->req.stderr_kind = SPAWN_STDIO_STDOUT;
	r = fd_set_nonblock(a->out_fd, true);
	return r < 0 ? r
		     : rv_fd_watch(rv_loop_current(), a->out_fd, RV_READ, readable, a,
			       &a->out_watch);
}

void aux_take_output(struct aux *a, struct aux_end *ret)
{
	if (!a->out)
		return;
	a->out[a->n_out] = '\0';
	ret->output = TAKE_PTR(a->out);
	ret->n_output = a->n_out;
	ret->cut = a->out_cut;
	a->n_out = a->out_max = 0;
	aux_end_reading(a);
}
