/*
 * The log's thread. Lines are pushed on a stack with compare-and-swap and taken all at
 * once, as the loop's inbox is; the thread sleeps on a semaphore, which is posted only when
 * it sleeps.
 */
#include "config.h"

#include "reeve/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/macro.h"
#include "runtime/log_priv.h"

enum { LINE_MAX_BYTES = 4096, LIMIT_DEFAULT = 1024 * 1024 };

struct line {
	struct line *next;
	struct timespec at;
	enum rv_log_level level;
	size_t n;
	char text[];
};

static struct {
	_Atomic(struct line *) head;
	atomic_size_t waiting; /* bytes */
	atomic_uint_fast64_t dropped;
	atomic_int level; /* the last that is written; -1: no thread */
	atomic_bool parked, stop;
	uint64_t told_dropped; /* the thread's */
	size_t limit;
	int fd;
	bool times;
	sem_t wake;
	/* Guards has_ended; nothing else is locked, and nothing written, meanwhile. */
	pthread_mutex_t end_lock;
	pthread_cond_t ended;
	bool has_ended;
	/* Guards starting and stopping against each other; writers never take it. */
	pthread_mutex_t lock;
	bool running;
} logger = {.level = -1,
	.end_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const level_name[] = {"error", "warning", "notice", "info", "debug"};

/* -- the thread ---------------------------------------------------------------------------- */

static void write_line(const struct line *l)
{
	char head[64];
	size_t n = 0;
	struct tm tm;

	if (logger.times && gmtime_r(&l->at.tv_sec, &tm)) {
		n = strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &tm);
		n += (size_t)snprintf(
			head + n, sizeof(head) - n, ".%06ldZ ", l->at.tv_nsec / 1000);
	}
	n += (size_t)snprintf(head + n, sizeof(head) - n, "%s: ", level_name[l->level]);
	/* one that cannot be written is lost, and there is nowhere to say so */
	if (fd_write_all(logger.fd, head, n) == 0)
		(void)fd_write_all(logger.fd, l->text, l->n);
}

static void write_dropped(uint64_t n)
{
	char text[80];
	int len = snprintf(text, sizeof(text),
		"warning: %" PRIu64 " lines were dropped here\n", n);

	(void)fd_write_all(logger.fd, text, (size_t)len);
}

static struct line *in_order(struct line *l)
{
	struct line *first = NULL;

	while (l) {
		struct line *next = l->next;

		l->next = first;
		first = l;
		l = next;
	}
	return first;
}

static void write_waiting(void)
{
	struct line *l = in_order(atomic_exchange(&logger.head, NULL));

	while (l) {
		struct line *next = l->next;
		uint64_t dropped;

		write_line(l);
		(void)atomic_fetch_sub(&logger.waiting, sizeof(*l) + l->n);
		free(l);
		l = next;
		dropped = atomic_load(&logger.dropped);
		if (dropped != logger.told_dropped)
			write_dropped(dropped - logger.told_dropped);
		logger.told_dropped = dropped;
	}
}

static void *writer(void *arg)
{
	(void)pthread_setname_np(pthread_self(), "rv-log");
	for (;;) {
		write_waiting();
		/* say that we sleep, then look once more: one of the two sides sees it */
		atomic_store(&logger.parked, true);
		if (!atomic_load(&logger.head) && !atomic_load(&logger.stop))
			while (sem_wait(&logger.wake) < 0 && errno == EINTR)
				;
		atomic_store(&logger.parked, false);
		if (atomic_load(&logger.stop) && !atomic_load(&logger.head))
			break;
	}
	(void)pthread_mutex_lock(&logger.end_lock);
	logger.has_ended = true;
	(void)pthread_cond_signal(&logger.ended);
	(void)pthread_mutex_unlock(&logger.end_lock);
	return NULL;
}

static void wake_writer(void)
{
	if (atomic_exchange(&logger.parked, false))
		(void)sem_post(&logger.wake);
}

/* -- from anywhere --------------------------------------------------------------------------- */

uint64_t rv_log_dropped(void)
{
	return atomic_load(&logger.dropped);
}

static size_t format(char *text, const char *fmt, va_list ap) RV_PRINTF(2, 0);
static size_t format(char *text, const char *fmt, va_list ap)
{
	int n = vsnprintf(text, LINE_MAX_BYTES, fmt, ap);
	size_t len = n < 0 ? 0 : MIN((size_t)n, (size_t)LINE_MAX_BYTES - 1);

	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	text[len++] = '\n'; /* where the NUL was */
	return len;
}

static void push(struct line *l)
{
	struct line *head = atomic_load(&logger.head);

	do
		l->next = head;
	while (!atomic_compare_exchange_weak(&logger.head, &head, l));
	wake_writer();
}

bool log_takes(enum rv_log_level level)
{
	return (int)level <= atomic_load(&logger.level);
}

void rv_log(enum rv_log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	int saved = errno;
	struct line *l;
	va_list ap;
	size_t n;

	if ((int)level > atomic_load_explicit(&logger.level, memory_order_relaxed) ||
		level < RV_LOG_ERROR)
		return;
	va_start(ap, fmt);
	n = format(text, fmt, ap);
	va_end(ap);
	if (atomic_fetch_add(&logger.waiting, sizeof(*l) + n) + sizeof(*l) + n >
			logger.limit ||
		!(l = malloc(sizeof(*l) + n))) {
		(void)atomic_fetch_sub(&logger.waiting, sizeof(*l) + n);
		(void)atomic_fetch_add(&logger.dropped, 1);
		errno = saved;
		return;
	}
	l->level = level;
	l->n = n;
	memcpy(l->text, text, n);
	(void)clock_gettime(CLOCK_REALTIME, &l->at);
	push(l);
	errno = saved;
}

/* -- starting and stopping -------------------------------------------------------------------- */

static int start_thread(void)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&thread, &attr, writer, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return r == 0 ? 0 : -EAGAIN;
}

static int start_locked(const rv_log_opts *o)
{
	pthread_condattr_t attr;
	int r;

	if (logger.running)
		return -EALREADY;
	logger.fd = o->fd > 0 ? o->fd : STDERR_FILENO;
	logger.limit = o->limit ? o->limit : LIMIT_DEFAULT;
	logger.times = o->times;
	atomic_store(&logger.stop, false);
	atomic_store(&logger.parked, false);
	logger.has_ended = false;
	logger.told_dropped = atomic_load(&logger.dropped);
	if (sem_init(&logger.wake, 0, 0) < 0)
		return -errno;
	/* These fail only for attributes that are not used here. */
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&logger.ended, &attr);
	(void)pthread_condattr_destroy(&attr);
	r = start_thread();
	if (r < 0)
		return r;
	logger.running = true;
	atomic_store(&logger.level, (int)o->level);
	return 0;
}

int rv_log_start(const rv_log_opts *o)
{
	static const rv_log_opts defaults = {.level = RV_LOG_INFO};
	int r;

	if (!o)
		o = &defaults;
	if (o->level < RV_LOG_ERROR || o->level > RV_LOG_DEBUG || o->fd < 0)
		return -EINVAL;
	(void)pthread_mutex_lock(&logger.lock);
	r = start_locked(o);
	(void)pthread_mutex_unlock(&logger.lock);
	return r;
}

/* 0; -ETIMEDOUT */
static int await_end(rv_time timeout)
{
	struct timespec ts = time_deadline(rv_now(), timeout);
	int r = 0;

	(void)pthread_mutex_lock(&logger.end_lock);
	while (!logger.has_ended && r == 0)
		r = pthread_cond_timedwait(&logger.ended, &logger.end_lock, &ts);
	r = logger.has_ended ? 0 : -ETIMEDOUT;
	(void)pthread_mutex_unlock(&logger.end_lock);
	return r;
}

int rv_log_stop(rv_time timeout)
{
	int r = 0;

	(void)pthread_mutex_lock(&logger.lock);
	if (logger.running) {
		atomic_store(&logger.level, -1);
		atomic_store(&logger.stop, true);
		wake_writer();
		r = await_end(timeout);
		/* one that hangs in its descriptor still has what is in here */
		logger.running = r < 0;
	}
	(void)pthread_mutex_unlock(&logger.lock);
	return r;
}
