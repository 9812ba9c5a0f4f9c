/* Connections to a service that is to take them; see readiness.h. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/unix_socket.h"
#include "daemon/readiness_priv.h"

/* between the beginnings of two attempts: doubles from the first to the last */
static const rv_time pause_first = RV_MS(20), pause_last = RV_MS(500);
/* an attempt that hangs is given up: one that would have been taken is, at once */
static const rv_time attempt_max = RV_SEC(5);

static void stop_attempt(struct run_ready *rr)
{
	rv_fd_unwatch(TAKE_PTR(rr->watch));
	rr->fd = close_safe(rr->fd);
}

/* 0: connected; -EINPROGRESS: rr->fd is connecting; else why not */
static int connect_tcp(struct run_ready *rr)
{
	/* one after the other, for a service may listen on either */
	bool v6 = rr->n_tries % 2 == 0;
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(rr->rule.port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons(rr->rule.port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int r;

	rr->fd = socket(
		v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (rr->fd < 0)
		return -errno;
	r = v6 ? connect(rr->fd, (struct sockaddr *)&in6, sizeof(in6))
	       : connect(rr->fd, (struct sockaddr *)&in, sizeof(in));
	return r < 0 ? -errno : 0;
}

static int connect_unix(struct run_ready *rr)
{
	int r = unix_connect(&rr->fd, rr->rule.path, SOCK_STREAM, true);

	/* somebody listens there, for another kind of connection */
	return r == -EPROTOTYPE ? 0 : r;
}

static void plan(struct run_ready *rr)
{
	rv_time pause = pause_first;

	for (unsigned i = 1; i < rr->n_tries && pause < pause_last; i++)
		pause *= 2;
	rv_timer_start(&rr->timer, rv_loop_now(rr->rd->loop) + MIN(pause, pause_last));
}

static void connecting(int fd, unsigned ev, void *arg)
{
	struct run_ready *rr = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	(void)ev;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	stop_attempt(rr);
	rv_timer_stop(&rr->timer);
	if (error)
		plan(rr);
	else
		run_became_ready(rr);
}

static void attempt(void *arg)
{
	struct run_ready *rr = arg;
	int r;

	stop_attempt(rr); /* that one hung */
	rr->n_tries++;
	r = rr->rule.kind == READY_TCP ? connect_tcp(rr) : connect_unix(rr);
	if (r == -EINPROGRESS) {
		r = rv_fd_watch(
			rr->rd->loop, rr->fd, RV_WRITE, connecting, rr, &rr->watch);
		if (r >= 0) {
			rv_timer_start(
				&rr->timer, rv_loop_now(rr->rd->loop) + attempt_max);
			return;
		}
	}
	stop_attempt(rr);
	if (r < 0)
		plan(rr);
	else
		run_became_ready(rr);
}

void ready_tries_begin(struct run_ready *rr)
{
	rv_timer_init(&rr->timer, rr->rd->loop, attempt, rr);
	rv_timer_start(&rr->timer, rv_loop_now(rr->rd->loop));
}

void ready_tries_end(struct run_ready *rr)
{
	rv_timer_stop(&rr->timer);
	stop_attempt(rr);
}
