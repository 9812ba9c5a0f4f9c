/* Worker processes: both ends of the socket between them. */
#include "config.h"

#include "reeve/procpool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/parse.h"
#include "reeve/process.h"
#include "reeve/sync.h"
#include "runtime/loop_priv.h"

#define ENV_FD "REEVE_PROCPOOL_FD"

enum { NAME_LEN_MAX = 255 };
static const size_t bytes_max_default = (size_t)64 << 20;

/* Both ends are this program on this machine: numbers go as they are in memory. */
struct call_header {
	uint64_t n_in;
	uint64_t n_out_max;
	uint32_t n_name;
	uint32_t unused;
};

struct answer_header {
	uint64_t n_out;
	int32_t result;
	uint32_t unused;
};

/* -- in the worker ------------------------------------------------------------------------- */

static int serve_one(
	int fd, const struct call_header *h, const rv_procpool_fn *fns, size_t n)
{
	_cleanup_free_ char *in = malloc(h->n_in + 1);
	char name[NAME_LEN_MAX + 1];
	struct answer_header a = {.result = -ENOENT};
	rv_buf out = {NULL, 0};
	int r;

	if (!in || h->n_name > NAME_LEN_MAX)
		return -EPROTO;
	r = fd_read_all(fd, name, h->n_name);
	if (r >= 0)
		r = fd_read_all(fd, in, h->n_in);
	if (r < 0)
		return r;
	name[h->n_name] = '\0';
	for (size_t i = 0; i < n; i++)
		if (STREQ(fns[i].name, name))
			a.result = fns[i].fn(in, h->n_in, &out);
	if (a.result < 0 || out.n > h->n_out_max) {
		a.result = a.result < 0 ? a.result : -EMSGSIZE;
		rv_buf_free(&out);
	}
	a.n_out = out.n;
	r = fd_write_all(fd, &a, sizeof(a));
	if (r >= 0)
		r = fd_write_all(fd, out.data, out.n);
	rv_buf_free(&out);
	return r;
}

int rv_procpool_main(const rv_procpool_fn *fns, size_t n)
{
	const char *text = getenv(ENV_FD);
	struct call_header h;
	int64_t fd;
	int r;

	if (!text || parse_i64(&fd, text, 3, INT32_MAX) < 0)
		return -1;
	(void)unsetenv(ENV_FD); /* a child of ours is none */
	do {
		r = fd_read_all((int)fd, &h, sizeof(h));
		if (r >= 0)
			r = serve_one((int)fd, &h, fns, n);
	} while (r >= 0);
	close_safe((int)fd);
	/* the pool has closed its end */
	return r == -RV_EINCOMPLETE || r == -EPIPE || r == -ECONNRESET ? EXIT_SUCCESS
								       : EXIT_FAILURE;
}

/* -- in the pool ------------------------------------------------------------------------------ */

struct worker {
	struct rv_link link; /* in pool->idle while it has nothing to do */
	rv_process *process;
	rv_stream *stream;
};

struct rv_procpool {
	struct rv_link idle; /* used last first: its memory is warm */
	rv_sem free;         /* workers that may be taken, or started */
	unsigned n_workers, n_calls;
	char *program;
	size_t bytes_max;
	bool shut;
};

int rv_procpool_new(rv_procpool **ret, const rv_procpool_opts *o)
{
	static const rv_procpool_opts defaults;
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	rv_procpool *p;

	if (!current.loop)
		return -RV_ENOTASK;
	if (!o)
		o = &defaults;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->program = strdup(o->program ? o->program : "/proc/self/exe");
	if (!p->program) {
		free(p);
		return -ENOMEM;
	}
	link_init(&p->idle);
	(void)rv_sem_init(&p->free, o->workers ? (long)o->workers : MAX(n, 1L), 0);
	p->bytes_max = o->bytes_max ? o->bytes_max : bytes_max_default;
	*ret = p;
	return 0;
}

static void worker_free(rv_procpool *p, struct worker *w)
{
	p->n_workers--;
	rv_stream_abort(w->stream);
	rv_stream_unref(w->stream);
	rv_process_unref(w->process); /* kills it, if it has not ended */
	free(w);
}

/*
 * A worker begins when it has read the whole call; one that ended before has left bytes in
 * its socket (ECONNRESET), or not all of them could be sent (EPIPE).
 */
static bool never_began(int r)
{
	return r == -EPIPE || r == -ECONNRESET;
}

/* the environment with our variable; the strings are not copied */
static char **make_env(char *ours)
{
	extern char **environ;
	char **env;
	size_t n = 0, k = 0;

	while (environ && environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	for (size_t i = 0; env && i < n; i++)
		if (strncmp(environ[i], ENV_FD "=", strlen(ENV_FD) + 1) != 0)
			env[k++] = environ[i];
	if (env)
		env[k] = ours;
	return env;
}

static int exec_worker(const rv_procpool *p, int fd, rv_process **ret)
{
	char *const argv[] = {p->program, NULL};
	_cleanup_free_ char **env = NULL;
	rv_proc_opts o = {.in.kind = RV_STDIO_NULL,
		.pass_fds = &fd,
		.n_pass_fds = 1,
		.flags = RV_PROC_NEW_GROUP};
	char ours[64];

	(void)snprintf(ours, sizeof(ours), ENV_FD "=%d", fd);
	env = make_env(ours);
	if (!env)
		return -ENOMEM;
	o.env = env;
	return rv_exec(argv, &o, ret);
}

static int worker_start(rv_procpool *p, struct worker **ret)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	struct worker *w;
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	ours = fds[0];
	theirs = fd_above_standard(fds[1]);
	close_safe(fds[1]);
	if (theirs < 0)
		return theirs;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	r = exec_worker(p, theirs, &w->process);
	if (r >= 0)
		r = rv_stream_open_fd(ours, &w->stream);
	if (r < 0) {
		rv_process_unref(w->process);
		free(w);
		return r;
	}
	TAKE_FD(ours);
	p->n_workers++;
	*ret = w;
	return 0;
}

static int send_call(const rv_procpool *p, struct worker *w, const char *name,
	const void *in, size_t n_in)
{
	struct call_header h = {.n_in = n_in,
		.n_out_max = p->bytes_max,
		.n_name = (uint32_t)strlen(name)};
	int r = rv_stream_write(w->stream, &h, sizeof(h));

	if (r >= 0)
		r = rv_stream_write(w->stream, name, h.n_name);
	return r < 0 ? r : rv_stream_send(w->stream, in, n_in);
}

/* the function's result, with its output; or why there is none, with *ret_broken */
static int read_answer(
	const rv_procpool *p, struct worker *w, rv_buf *out, bool *ret_broken)
{
	struct answer_header a;
	rv_buf b = {NULL, 0};
	int r = rv_stream_readexactly(w->stream, &a, sizeof(a), NULL);

	*ret_broken = true;
	if (r < 0)
		return r;
	if (a.n_out > p->bytes_max)
		return -EPROTO;
	b.data = malloc(a.n_out + 1);
	if (!b.data)
		return -ENOMEM;
	b.n = a.n_out;
	b.data[b.n] = '\0';
	r = b.n ? rv_stream_readexactly(w->stream, b.data, b.n, NULL) : 0;
	if (r < 0) {
		rv_buf_free(&b);
		return r;
	}
	*ret_broken = false;
	if (out && b.n)
		*out = b;
	else
		rv_buf_free(&b);
	return a.result;
}

static int say_how_it_ended(struct worker *w, int r)
{
	int status = 0;

	if (r != -RV_EINCOMPLETE && r != -EPIPE && r != -ECONNRESET)
		return r;
	/* its end of the socket is closed: so it has ended, or is about to */
	(void)rv_process_kill(w->process);
	if (rv_process_wait(w->process, &status) < 0)
		return -EPIPE;
	if (status < 0)
		return rv_fail(-EPIPE, "worker %d was ended by signal %d",
			(int)rv_process_pid(w->process), -status);
	return rv_fail(-EPIPE, "worker %d ended with exit code %d",
		(int)rv_process_pid(w->process), status);
}

/* One that is idle and, as far as is known, alive; NULL. */
static struct worker *worker_idle(rv_procpool *p)
{
	struct rv_link *it;

	while ((it = link_pop(&p->idle))) {
		struct worker *w = LINK_ENTRY(it, struct worker, link);

		if (!rv_stream_at_eof(w->stream) && !rv_stream_is_closing(w->stream))
			return w;
		worker_free(p, w);
	}
	return NULL;
}

static int call_in(
	rv_procpool *p, const char *name, const void *in, size_t n_in, rv_buf *out)
{
	struct worker *w;
	bool broken;
	int r;

	for (;;) {
		bool was_idle;

		w = worker_idle(p);
		was_idle = w;
		r = w ? 0 : worker_start(p, &w);
		if (r < 0)
			return r;
		broken = true;
		r = send_call(p, w, name, in, n_in);
		if (r >= 0 || never_began(r))
			r = read_answer(p, w, out, &broken);
		/* it died while it had nothing to do: the call goes to another */
		if (!broken || !was_idle || !never_began(r) || p->shut)
			break;
		worker_free(p, w);
	}
	if (broken) {
		r = say_how_it_ended(w, r);
		worker_free(p, w);
	} else if (p->shut) {
		worker_free(p, w);
	} else {
		link_prepend(&p->idle, &w->link);
	}
	return r;
}

int rv_procpool_call(
	rv_procpool *p, const char *name, const void *in, size_t n_in, rv_buf *out)
{
	int r;

	if (!name || strlen(name) > NAME_LEN_MAX || (n_in && !in))
		return -EINVAL;
	if (n_in > p->bytes_max)
		return -EMSGSIZE;
	if (out)
		*out = (rv_buf){NULL, 0};
	if (p->shut)
		return -RV_ESHUTDOWN;
	p->n_calls++;
	r = rv_sem_acquire(&p->free);
	if (r >= 0) {
		r = p->shut ? -RV_ESHUTDOWN : call_in(p, name, in, n_in, out);
		(void)rv_sem_release(&p->free);
	}
	p->n_calls--;
	return r;
}

unsigned rv_procpool_workers(const rv_procpool *p)
{
	return p->n_workers;
}

void rv_procpool_shutdown(rv_procpool *p)
{
	struct rv_link *it;

	p->shut = true;
	while ((it = link_pop(&p->idle)))
		worker_free(p, LINK_ENTRY(it, struct worker, link));
}

void rv_procpool_free(rv_procpool *p)
{
	if (!p)
		return;
	INVARIANT(p->n_calls == 0);
	rv_procpool_shutdown(p);
	free(p->program);
	free(p);
}
