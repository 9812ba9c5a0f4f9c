/* Pipes: what is different from sockets. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sigpipe.h"
#include "reeve/pipe.h"
#include "runtime/stream_priv.h"

ssize_t pipe_read(int fd, void *p, size_t cap)
{
	ssize_t n;

	do
		n = read(fd, p, cap);
	while (n < 0 && errno == EINTR);
	/* what the master of a terminal says when the last slave is closed */
	if (n < 0 && errno == EIO && isatty(fd))
		return 0;
	return n < 0 ? -errno : n;
}

/* There is no MSG_NOSIGNAL for pipes. */
ssize_t pipe_writev(int fd, const struct iovec *v, int n)
{
	struct sigpipe_hold hold;
	ssize_t k;
	int err;

	sigpipe_hold(&hold);
	do
		k = writev(fd, v, n);
	while (k < 0 && errno == EINTR);
	err = k < 0 ? errno : 0;
	sigpipe_release(&hold, err == EPIPE);
	return err ? -err : k;
}

int rv_pipe_reopen(int fd)
{
	char path[64];
	int flags = fcntl(fd, F_GETFL);
	int again;

	if (flags < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return again < 0 ? -errno : again;
}

static int check_pipe(int fd, enum transport_kind kind)
{
	struct stat st;
	int mode, r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return -EINVAL;
	mode = fcntl(fd, F_GETFL);
	if (mode < 0)
		return -errno;
	mode &= O_ACCMODE;
	if (mode == (kind == TRANSPORT_READER ? O_WRONLY : O_RDONLY))
		return -EINVAL;
	r = fd_set_nonblock(fd, true);
	return r < 0 ? r : fd_set_cloexec(fd, true);
}

static int open_pipe(
	int fd, rv_protocol *p, enum transport_kind kind, rv_transport **ret)
{
	rv_transport *t;
	int r;

	if (!p || !p->ops)
		return -EINVAL;
	if (!current.loop)
		return -RV_ENOTASK;
	r = check_pipe(fd, kind);
	if (r < 0)
		return r;
	r = transport_new(&t, current.loop, fd, p, kind);
	/* /dev/null and its like cannot be polled, nor need they be */
	if (r < 0)
		return r == -EPERM ? -EINVAL : r;
	if (ret)
		*ret = t;
	transport_start(t);
	return 0;
}

int rv_pipe_reader(int fd, rv_protocol *p, rv_transport **ret)
{
	return open_pipe(fd, p, TRANSPORT_READER, ret);
}

int rv_pipe_writer(int fd, rv_protocol *p, rv_transport **ret)
{
	return open_pipe(fd, p, TRANSPORT_WRITER, ret);
}

static int open_stream(int fd, enum transport_kind kind, rv_stream **ret)
{
	rv_stream *s;
	int r;

	if (!current.loop)
		return -RV_ENOTASK;
	r = stream_new(&s, current.loop);
	if (r < 0)
		return r;
	r = open_pipe(fd, &s->protocol, kind, NULL);
	return stream_opened(ret, s, r);
}

int rv_stream_open_reader(int fd, rv_stream **ret)
{
	return open_stream(fd, TRANSPORT_READER, ret);
}

int rv_stream_open_writer(int fd, rv_stream **ret)
{
	return open_stream(fd, TRANSPORT_WRITER, ret);
}
