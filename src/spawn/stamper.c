#include "config.h"

#include "spawn/stamper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "spawn/stamp.h"

enum {
	READ_SIZE = 65536,
	PIPE_SIZE = 262144, /* where we may; a program writes so much ahead */
	/* as many are so large: a user has 64 MiB (fs.pipe-user-pages-soft), and above that
	 * each further pipe of any program of his is two pages large */
	LARGE_PIPES_MAX = 64,
	KEEP_SIZE = 2 * READ_SIZE,
	EVENTS = 64,
	THREAD_STACK = 256 << 10,
};

struct stamped {
	struct stamper *st;
	struct run *run;
	atomic_int refs;  /* of the run, and of the thread while the pipe is open */
	struct list link; /* under the lock: to be drained, or drained */
	/* the thread's */
	int pipe_fd, file_fd; /* -1: nobody can write any more */
	struct stamp stamp;
	int64_t lost; /* bytes that could not be written, not told yet */
	int error;    /* why */
};

struct stamper {
	pthread_mutex_t lock; /* guards the lists; no other lock is taken with it */
	struct list to_drain, drained;
	int event_fd;
	int wake_fd; /* eventfd: there is something to drain */
	int epoll_fd;
	bool has_thread;
	atomic_int n_open;
	/* the thread's */
	struct buf out;
	char in[READ_SIZE];
};

static void unref(struct stamped *s)
{
	if (atomic_fetch_sub(&s->refs, 1) == 1)
		free(s);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* 0; -errno: how much of it went before is not known, some of a line maybe */
static int write_out(struct stamped *s, const struct buf *out)
{
	return fd_write_all(s->file_fd, buf_head(out), buf_len(out));
}

/* what was not written is told where it would stand */
static int tell_lost(struct stamped *s, int64_t now_usec)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL, line = BUF_NULL;
	struct stamp stamp = {.mid_line = false};
	int r;

	r = buf_printf(&text, "reeve: %" PRId64 " bytes could not be written: %s\n",
		s->lost, rv_strerror(s->error));
	if (r == 0)
		r = buf_append_byte(&line, '\n');
	if (r == 0)
		r = stamp_lines(
			&stamp, &line, buf_head(&text), buf_len(&text), now_usec);
	if (r == 0)
		r = write_out(s, &line);
	return r;
}

static void put(struct stamper *st, struct stamped *s, size_t n)
{
	int64_t now_usec = clock_wall_usec(&clock_system);
	int r;

	if (s->lost > 0 && tell_lost(s, now_usec) == 0) {
		s->lost = 0;
		s->stamp.mid_line = false;
	}
	buf_clear(&st->out);
	r = s->lost > 0 ? s->error
			: stamp_lines(&s->stamp, &st->out, st->in, n, now_usec);
	if (r == 0)
		r = write_out(s, &st->out);
	if (r < 0) {
		s->lost += (int64_t)n;
		s->error = r;
	}
	buf_trim(&st->out, KEEP_SIZE);
}

static void close_stream(struct stamper *st, struct stamped *s)
{
	(void)epoll_ctl(st->epoll_fd, EPOLL_CTL_DEL, s->pipe_fd, NULL);
	if (s->lost > 0)
		(void)tell_lost(s, clock_wall_usec(&clock_system));
	s->pipe_fd = close_safe(s->pipe_fd);
	s->file_fd = close_safe(s->file_fd);
	if (atomic_fetch_sub(&st->n_open, 1) == 1)
		(void)eventfd_write(st->event_fd, 1); /* the spawner may leave now */
}

/* Bytes that were copied; 0: none is there; -EPIPE: nobody can write any more */
static ssize_t copy_some(struct stamper *st, struct stamped *s)
{
	ssize_t n;

	do
		n = read(s->pipe_fd, st->in, sizeof(st->in));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		put(st, s, (size_t)n);
	return n == 0 ? -EPIPE : MAX(n, 0);
}

/* No more than was there to begin with, and whether that was the end: something may go on to
 * write for ever. */
static void drain(struct stamper *st, struct stamped *s)
{
	int left = 0;
	ssize_t n = 0;

	if (s->pipe_fd >= 0) {
		(void)ioctl(s->pipe_fd, FIONREAD, &left);
		do {
			n = copy_some(st, s);
			left -= (int)n;
		} while (n > 0 && left >= 0);
	}
	if (n < 0) {
		close_stream(st, s);
		unref(s);
	}
	pthread_mutex_lock(&st->lock);
	list_append(&st->drained, &s->link);
	pthread_mutex_unlock(&st->lock);
	(void)eventfd_write(st->event_fd, 1);
}

static void drain_all(struct stamper *st)
{
	struct list *it;

	for (;;) {
		pthread_mutex_lock(&st->lock);
		it = list_pop(&st->to_drain);
		pthread_mutex_unlock(&st->lock);
		if (!it)
			return;
		drain(st, LIST_ENTRY(it, struct stamped, link));
	}
}

static void *stamper_main(void *arg)
{
	struct stamper *st = arg;
	struct epoll_event ev[EVENTS];
	eventfd_t count;

	for (;;) {
		int n = epoll_wait(st->epoll_fd, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct stamped *s = ev[i].data.ptr;

			if (!s) {
				(void)eventfd_read(st->wake_fd, &count);
			} else if (copy_some(st, s) < 0) {
				close_stream(st, s);
				unref(s);
			}
		}
		drain_all(st);
	}
	return NULL;
}

/* ---- the loop's side -------------------------------------------------------------------------- */

int stamper_new(struct stamper **ret, int event_fd)
{
	struct stamper *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	pthread_mutex_init(&st->lock, NULL);
	list_init(&st->to_drain);
	list_init(&st->drained);
	st->event_fd = event_fd;
	st->wake_fd = st->epoll_fd = -1;
	*ret = st;
	return 0;
}

/* with the first stream: most spawners never have one */
static int begin(struct stamper *st)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (st->has_thread)
		return 0;
	if (st->epoll_fd < 0)
		st->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (st->epoll_fd < 0)
		return -errno;
	if (st->wake_fd < 0) {
		st->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (st->wake_fd < 0)
			return -errno;
		if (epoll_ctl(st->epoll_fd, EPOLL_CTL_ADD, st->wake_fd, &ev) < 0) {
			r = -errno;
			st->wake_fd = close_safe(st->wake_fd);
			return r;
		}
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	r = pthread_create(&thread, &attr, stamper_main, st);
	pthread_attr_destroy(&attr);
	st->has_thread = r == 0;
	return -r;
}

/* ours to read, without waiting; the run's to write */
static int make_pipe(int fds[2], bool large, uid_t uid, gid_t gid)
{
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (large)
		(void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE);
	r = fd_set_nonblock(fds[0], true);
	if (r == 0 && uid != (uid_t)-1 && fchown(fds[1], uid, gid) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	close_safe(fds[0]);
	close_safe(fds[1]);
	return r;
}

int stamper_add(struct stamper *st, struct stamped **ret, struct run *run, int *fd,
	uid_t uid, gid_t gid)
{
	struct stamped *s;
	struct epoll_event ev = {.events = EPOLLIN};
	int fds[2], r = begin(st);

	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = make_pipe(fds, atomic_load(&st->n_open) < LARGE_PIPES_MAX, uid, gid);
	if (r < 0) {
		free(s);
		return r;
	}
	*s = (struct stamped){.st = st, .run = run, .pipe_fd = fds[0], .file_fd = *fd};
	atomic_init(&s->refs, 2);
	ev.data.ptr = s;
	atomic_fetch_add(&st->n_open, 1);
	/* the thread has it from here on */
	if (epoll_ctl(st->epoll_fd, EPOLL_CTL_ADD, fds[0], &ev) < 0) {
		r = -errno;
		atomic_fetch_sub(&st->n_open, 1);
		close_safe(fds[0]);
		close_safe(fds[1]);
		free(s);
		return r;
	}
	*fd = fds[1];
	*ret = s;
	return 0;
}

void stamper_drain(struct stamper *st, struct stamped *s)
{
	pthread_mutex_lock(&st->lock);
	list_append(&st->to_drain, &s->link);
	pthread_mutex_unlock(&st->lock);
	(void)eventfd_write(st->wake_fd, 1);
}

struct run *stamper_drained(struct stamper *st)
{
	struct list *it;

	pthread_mutex_lock(&st->lock);
	it = list_pop(&st->drained);
	pthread_mutex_unlock(&st->lock);
	return it ? LIST_ENTRY(it, struct stamped, link)->run : NULL;
}

struct stamped *stamped_forget(struct stamped *s)
{
	if (s)
		unref(s);
	return NULL;
}

int stamper_n_open(const struct stamper *st)
{
	return atomic_load(&st->n_open);
}
