/* Connecting, and awaiting on bare sockets. */
#include "config.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/sigpipe.h"
#include "base/unix_socket.h"
#include "runtime/net_priv.h"

#define CONNECT_DELAY_MIN RV_MS(1)
#define CONNECT_DELAY_MAX RV_MS(50)

/* 0 and a non-blocking descriptor */
static int connect_unix(int *ret_fd, const char *path)
{
	rv_time delay = CONNECT_DELAY_MIN;
	int r;

	/* -EAGAIN is no "in progress": the backlog is full and nothing tells when it is
	 * not any more. */
	while ((r = unix_connect(ret_fd, path, SOCK_STREAM, true)) == -EAGAIN) {
		r = rv_sleep(delay);
		if (r < 0)
			return r;
		delay = MIN(delay * 2, CONNECT_DELAY_MAX);
	}
	return r;
}

int rv_net_connect_unix(const char *path, rv_protocol *p, rv_transport **ret)
{
	_cleanup_close_ int fd = -1;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (!path || !p || !p->ops)
		return -EINVAL;
	r = connect_unix(&fd, path);
	if (r < 0)
		return r;
	r = rv_net_open_fd(fd, p, ret);
	if (r < 0)
		return r;
	TAKE_FD(fd);
	return 0;
}

int await_begin_on(struct rv_task **ret_self, int fd, const char *fn)
{
	int r = task_await_begin_of(ret_self, fn);

	/* also where nothing has to be waited for: the bytes are the transport's */
	return r >= 0 && watch_is_claimed((*ret_self)->loop, fd) ? -EBUSY : r;
}

ssize_t rv_recv(int fd, void *b, size_t n, int flags)
{
	struct rv_task *self;
	ssize_t k;
	int r = await_begin_on(&self, fd, __func__);

	if (r < 0)
		return r;
	for (;;) {
		k = recv(fd, b, n, flags | MSG_DONTWAIT);
		if (k >= 0)
			return k;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = errno == EINTR ? 0 : rv_wait_fd(fd, RV_READ);
		if (r < 0)
			return r;
	}
}

int rv_send_all(int fd, const void *b, size_t n)
{
	const char *p = b;
	struct rv_task *self;
	int r = await_begin_on(&self, fd, __func__);

	while (r >= 0 && n) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (k >= 0) {
			p += k;
			n -= (size_t)k;
		} else if (errno == EAGAIN) {
			r = rv_wait_fd(fd, RV_WRITE);
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	return MIN(r, 0);
}

int rv_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
	struct rv_task *self;
	int r = await_begin_on(&self, fd, __func__);

	while (r >= 0) {
		int conn = accept4(fd, sa, len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn >= 0)
			return conn;
		if (errno == EAGAIN)
			r = rv_wait_fd(fd, RV_READ);
		else if (errno != EINTR && errno != ECONNABORTED)
			r = -errno;
	}
	return r;
}

/* It has no MSG_NOSIGNAL. Bytes, or -errno. */
static ssize_t send_piece(int out, int in, off_t *off, size_t n)
{
	struct sigpipe_hold hold;
	ssize_t k;
	int err;

	sigpipe_hold(&hold);
	k = sendfile(out, in, off, n);
	err = k < 0 ? errno : 0;
	sigpipe_release(&hold, err == EPIPE);
	return err ? -err : k;
}

ssize_t rv_sendfile(int out, int in, off_t *off, size_t n)
{
	size_t left = n;
	struct rv_task *self;
	int r = await_begin_on(&self, out, __func__);

	while (r >= 0 && left > 0) {
		ssize_t k = send_piece(out, in, off, left);

		if (k > 0)
			left -= (size_t)k;
		else if (k == 0)
			break;
		else if (k == -EAGAIN)
			r = rv_wait_fd(out, RV_WRITE);
		else if (k == -EINVAL || k == -ENOSYS)
			r = left == n ? -RV_ENOSENDFILE : (int)k;
		else if (k != -EINTR)
			r = (int)k;
	}
	return r < 0 ? r : (ssize_t)(n - left);
}

int rv_send_fds(int sock, const int *fds, size_t n, const void *b, size_t nb)
{
	struct rv_task *self;
	int r = await_begin_on(&self, sock, __func__);

	while (r >= 0) {
		ssize_t k = unix_send_fds(sock, b, nb, fds, n);

		/* the descriptors went with the first byte */
		if (k >= 0)
			return (size_t)k == nb ? 0
					       : rv_send_all(sock, (const char *)b + k,
							 nb - (size_t)k);
		r = k == -EAGAIN ? rv_wait_fd(sock, RV_WRITE) : (int)k;
	}
	return r;
}

int rv_recv_fds(int sock, int *fds, size_t *n, void *b, size_t *nb)
{
	struct rv_task *self;
	int r = await_begin_on(&self, sock, __func__);

	while (r >= 0) {
		ssize_t k = unix_recv_fds(sock, b, *nb, fds, n);

		if (k >= 0) {
			*nb = (size_t)k;
			return 0;
		}
		r = k == -EAGAIN ? rv_wait_fd(sock, RV_READ) : (int)k;
	}
	return r;
}
