/* Files with a buffer, read and written in threads. */
#include "config.h"

#include "reeve/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "reeve/executor.h"
#include "reeve/scope.h"
#include "runtime/task_priv.h"

enum { BUFFER_SIZE = 64 * 1024 };

struct rv_file {
	int fd;
	bool busy;  /* a task is at it, from the beginning of its call to the end */
	bool dirty; /* the buffer is to be written; else it is what was read */
	int err;    /* of writing, told until the end */
	size_t start, end; /* of what is in the buffer */
	char buffer[BUFFER_SIZE];
};

/* One call in a thread; what it needs stands on the waiting task's stack. */
struct file_call {
	rv_file *f;
	const char *path;
	int flags;
	mode_t mode;
	void *out;
	const void *in;
	size_t n;
	off_t at;
	struct stat *st;
	bool data;
	bool begun; /* a thread has taken it */
};

/* Open every call on f. 0: f is this task's until file_end, whoever runs meanwhile. */
static int file_begin(rv_file *f)
{
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (f->busy)
		return -EBUSY;
	f->busy = true;
	return 0;
}

/* Returns r. */
static ssize_t file_end(rv_file *f, ssize_t r)
{
	f->busy = false;
	return r;
}

/* between file_begin and file_end */
static int run_in(rv_file *f, rv_fn fn, struct file_call *c)
{
	c->f = f;
	return rv_run_blocking(NULL, fn, c);
}

static int run_on(rv_file *f, rv_fn fn, struct file_call *c)
{
	int r = file_begin(f);

	return r < 0 ? r : (int)file_end(f, run_in(f, fn, c));
}

/* -- opening and closing ---------------------------------------------------------------- */

static int open_in_thread(void *arg)
{
	struct file_call *c = arg;
	int fd = open(c->path, c->flags | O_CLOEXEC, c->mode);

	return fd < 0 ? -errno : fd;
}

int rv_file_open(rv_file **ret, const char *path, int flags, mode_t mode)
{
	_cleanup_free_ rv_file *f = NULL;
	struct file_call c = {.path = path, .flags = flags, .mode = mode};
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	r = rv_run_blocking(NULL, open_in_thread, &c);
	if (r < 0)
		return r;
	/* not the buffer: its pages are touched when they are used */
	f->fd = r;
	f->busy = f->dirty = false;
	f->err = 0;
	f->start = f->end = 0;
	*ret = TAKE_PTR(f);
	return 0;
}

int rv_file_fd(const rv_file *f)
{
	return f->fd;
}

/* what was read but not asked for is read again from where it was */
static int forget_read(rv_file *f)
{
	off_t back = (off_t)(f->end - f->start);

	f->start = f->end = 0;
	if (back && lseek(f->fd, -back, SEEK_CUR) < 0 && errno != ESPIPE)
		return -errno;
	return 0;
}

/* What could not be written stays, for another try. */
static int write_buffer(rv_file *f)
{
	while (f->start < f->end) {
		ssize_t n = write(f->fd, f->buffer + f->start, f->end - f->start);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			f->err = f->err < 0 ? f->err : -errno;
			return f->err;
		}
		f->start += (size_t)n;
	}
	f->start = f->end = 0;
	f->dirty = false;
	return 0;
}

static int flush_in_thread(void *arg)
{
	rv_file *f = ((struct file_call *)arg)->f;
	int r = f->dirty ? write_buffer(f) : 0;

	return r < 0 ? r : f->err;
}

static int close_in_thread(void *arg)
{
	struct file_call *c = arg;
	rv_file *f = c->f;
	int r;

	c->begun = true;
	r = flush_in_thread(arg);
	if (close(f->fd) < 0 && r == 0 && errno != EINTR)
		r = -errno;
	return r;
}

int rv_file_close(rv_file *f)
{
	struct file_call c = {.f = f};
	const unsigned flags = RV_SCOPE_SHIELD | SCOPE_UNREPORTED;
	rv_scope shield;
	int r;

	if (!f)
		return 0;
	if (f->busy)
		return -EBUSY;
	f->busy = true;
	/* a file with nothing to write is closed without a delay */
	if (!f->dirty || rv_scope_enter(&shield, flags, RV_FOREVER) < 0) {
		r = close_in_thread(&c);
	} else {
		r = rv_scope_exit(&shield, rv_run_blocking(NULL, close_in_thread, &c));
		if (!c.begun) /* no thread was to be had, so here */
			r = close_in_thread(&c);
	}
	r = f->err < 0 ? f->err : r;
	free(f);
	return r;
}

/* -- reading ----------------------------------------------------------------------------- */

/* more behind what is in the buffer. 0 at the end */
static int fill_in_thread(void *arg)
{
	rv_file *f = ((struct file_call *)arg)->f;
	ssize_t n;

	if (f->dirty) {
		int r = write_buffer(f);

		if (r < 0)
			return r;
	}
	if (f->start > 0) {
		memmove(f->buffer, f->buffer + f->start, f->end - f->start);
		f->end -= f->start;
		f->start = 0;
	}
	do
		n = read(f->fd, f->buffer + f->end, BUFFER_SIZE - f->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	f->end += (size_t)n;
	return (int)n;
}

static int fill(rv_file *f)
{
	struct file_call c = {.f = f};

	return run_in(f, fill_in_thread, &c);
}

static ssize_t read_some(rv_file *f, void *b, size_t n)
{
	int r = f->dirty || f->start == f->end ? fill(f) : 0;

	if (r < 0)
		return r;
	n = MIN(n, f->end - f->start);
	memcpy(b, f->buffer + f->start, n);
	f->start += n;
	return (ssize_t)n;
}

ssize_t rv_file_read(rv_file *f, void *b, size_t n)
{
	int r = file_begin(f);

	return r < 0 ? r : file_end(f, read_some(f, b, n));
}

static int read_line(rv_file *f, const char **out, size_t *n)
{
	size_t seen = 0;
	int r = f->dirty ? fill(f) : 0;

	while (r >= 0) {
		const char *from = f->buffer + f->start + seen;
		const char *end;

		end = memchr(from, '\n', f->end - f->start - seen);
		if (end) {
			*n = (size_t)(end + 1 - (f->buffer + f->start));
			break;
		}
		seen = f->end - f->start;
		if (seen == BUFFER_SIZE)
			return -RV_ELIMIT;
		r = fill(f);
		if (r == 0) { /* the end */
			*n = seen;
			break;
		}
	}
	if (r < 0)
		return r;
	*out = f->buffer + f->start;
	f->start += *n;
	return 0;
}

int rv_file_readline(rv_file *f, const char **out, size_t *n)
{
	int r = file_begin(f);

	*n = 0;
	*out = NULL;
	return r < 0 ? r : (int)file_end(f, read_line(f, out, n));
}

static int pread_in_thread(void *arg)
{
	struct file_call *c = arg;
	ssize_t n;

	do
		n = pread(c->f->fd, c->out, c->n, c->at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

ssize_t rv_file_pread(rv_file *f, void *b, size_t n, off_t at)
{
	struct file_call c = {.out = b, .n = MIN(n, (size_t)INT32_MAX), .at = at};

	return run_on(f, pread_in_thread, &c);
}

/* -- writing ----------------------------------------------------------------------------- */

static int write_in_thread(void *arg)
{
	struct file_call *c = arg;
	int r = flush_in_thread(arg);

	if (r == 0)
		r = fd_write_all(c->f->fd, c->in, c->n);
	if (r < 0)
		c->f->err = r;
	return r;
}

/* makes the buffer one to write into */
static int begin_writing(rv_file *f)
{
	int r = f->dirty ? 0 : forget_read(f);

	if (r == 0)
		f->dirty = true;
	return r;
}

static int write_some(rv_file *f, const void *b, size_t n)
{
	struct file_call c = {.in = b, .n = n};
	int r = f->err;

	if (r == 0)
		r = begin_writing(f);
	if (r < 0)
		return r;
	if (n > BUFFER_SIZE - f->end && n >= BUFFER_SIZE / 2)
		return run_in(f, write_in_thread, &c);
	if (n > BUFFER_SIZE - f->end) {
		r = run_in(f, flush_in_thread, &c);
		if (r < 0)
			return r;
		f->dirty = true;
	}
	memcpy(f->buffer + f->end, b, n);
	f->end += n;
	return 0;
}

int rv_file_write(rv_file *f, const void *b, size_t n)
{
	int r = file_begin(f);

	return r < 0 ? r : (int)file_end(f, write_some(f, b, n));
}

int rv_file_flush(rv_file *f)
{
	struct file_call c = {.f = f};

	return run_on(f, flush_in_thread, &c);
}

static int sync_in_thread(void *arg)
{
	struct file_call *c = arg;
	int r = flush_in_thread(arg);

	if (r < 0)
		return r;
	r = c->data ? fdatasync(c->f->fd) : fsync(c->f->fd);
	return r < 0 ? (c->f->err = -errno) : 0;
}

int rv_file_sync(rv_file *f, bool data)
{
	struct file_call c = {.data = data};

	return run_on(f, sync_in_thread, &c);
}

static int pwrite_in_thread(void *arg)
{
	struct file_call *c = arg;
	ssize_t n;

	do
		n = pwrite(c->f->fd, c->in, c->n, c->at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

ssize_t rv_file_pwrite(rv_file *f, const void *b, size_t n, off_t at)
{
	struct file_call c = {.in = b, .n = MIN(n, (size_t)INT32_MAX), .at = at};

	return run_on(f, pwrite_in_thread, &c);
}

static int stat_in_thread(void *arg)
{
	struct file_call *c = arg;

	return fstat(c->f->fd, c->st) < 0 ? -errno : 0;
}

int rv_file_stat(rv_file *f, struct stat *ret)
{
	struct file_call c = {.st = ret};

	return run_on(f, stat_in_thread, &c);
}

static int truncate_in_thread(void *arg)
{
	struct file_call *c = arg;
	int r = flush_in_thread(arg);

	if (r == 0 && !c->f->dirty)
		r = forget_read(c->f);
	if (r == 0 && ftruncate(c->f->fd, c->at) < 0)
		r = -errno;
	return r;
}

int rv_file_truncate(rv_file *f, off_t size)
{
	struct file_call c = {.at = size};

	return run_on(f, truncate_in_thread, &c);
}

/* -- whole files --------------------------------------------------------------------------- */

struct slurp {
	const char *path;
	size_t max;
	rv_buf buf;
};

static int read_whole(int fd, struct slurp *s)
{
	size_t room = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > s->max)
		return -RV_ELIMIT;
	for (;;) {
		ssize_t n;

		if (room - s->buf.n < 2) { /* one for the NUL, one to see the end */
			char *data;

			room = room ? room * 2 : (size_t)st.st_size + 2;
			data = realloc(s->buf.data, room);
			if (!data)
				return -ENOMEM;
			s->buf.data = data;
		}
		n = read(fd, s->buf.data + s->buf.n, room - s->buf.n - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		s->buf.n += n > 0 ? (size_t)n : 0;
		if (s->buf.n > s->max)
			return -RV_ELIMIT;
		if (n == 0) {
			s->buf.data[s->buf.n] = '\0';
			return 0;
		}
	}
}

static int slurp_in_thread(void *arg)
{
	struct slurp *s = arg;
	_cleanup_close_ int fd = open(s->path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_whole(fd, s);
}

int rv_file_slurp(const char *path, size_t max, rv_buf *ret)
{
	struct slurp s = {.path = path, .max = max};
	int r = rv_run_blocking(NULL, slurp_in_thread, &s);

	if (r < 0)
		rv_buf_free(&s.buf);
	else
		*ret = s.buf;
	return r;
}

struct spew {
	const char *path;
	const void *p;
	size_t n;
	mode_t mode;
};

static int spew_in_thread(void *arg)
{
	const struct spew *s = arg;

	return file_write_atomic(AT_FDCWD, s->path, s->p, s->n, s->mode);
}

int rv_file_spew(const char *path, const void *b, size_t n, mode_t mode)
{
	struct spew s = {.path = path, .p = b, .n = n, .mode = mode};

	return rv_run_blocking(NULL, spew_in_thread, &s);
}
