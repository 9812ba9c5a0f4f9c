/* Threads that clone; see starter.h. */
#include "config.h"

#include "spawn/starter_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/invariant.h"

#define THREAD_STACK_SIZE (256 << 10)
#define STUCK_AFTER       RV_MS(100) /* a start that takes longer may be hanging */
#define UNKILLABLE_AFTER  RV_SEC(2)  /* in the kernel since SIGKILL: told as failed */
#define STAYING_MAX       16         /* threads; a run beyond is watched by the loop */

/* Given up already; its run has been told. What is left is to leave no zombie. */
static void start_bury(struct start *s)
{
	if (s->pidfd >= 0) {
		(void)pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
		start_reap(s, s->pid);
	}
	if (s->cgroup_leaf)
		(void)rmdir(s->cgroup_leaf);
}

/* under the lock */
static void starter_set_current(struct starter *t, struct start *s)
{
	t->current = s;
	t->since = clock_monotonic(&clock_system);
	t->killed_at = 0;
	t->returned = false;
}

/* under the lock; waits until there is one */
static struct start *starter_take(struct starter *t)
{
	struct starters *st = t->all;

	while (list_is_empty(&st->queue)) {
		st->n_idle++;
		pthread_cond_wait(&st->wake, &st->lock);
		st->n_idle--;
	}
	st->n_queued--;
	return LIST_ENTRY(list_pop(&st->queue), struct start, link);
}

/* under the lock; next: what the thread goes on with, NULL: nothing. Returns whether the loop
 * must be woken. */
static bool starter_give_back(struct starter *t, struct start *s, struct start *next)
{
	struct starters *st = t->all;
	bool wake;

	t->current = NULL;
	if (s->abandoned) {
		pthread_mutex_unlock(&st->lock);
		start_bury(s);
		pthread_mutex_lock(&st->lock);
	}
	wake = !st->woken && !(st->quiet && s->quiet);
	st->woken |= wake;
	list_append(&st->done, &s->link);
	/* at once, so that a tick of the loop sees it */
	if (next)
		starter_set_current(t, next);
	return wake;
}

/* Under the lock, which it gives up meanwhile; returns what follows, NULL: nothing. What is
 * queued came before anything that could follow. */
static struct start *starter_stay(struct starter *t, struct start *s)
{
	struct starters *st = t->all;
	struct start *next = NULL;

	if (!s->stay || s->error != 0 || s->give_up != 0 ||
		st->n_staying >= STAYING_MAX || st->n_queued > 0 ||
		!st->ops.expects(s, st->ops.arg))
		return NULL;
	st->n_staying++;
	pthread_mutex_unlock(&st->lock);
	s->ended = starter_sees_end(s);
	pthread_mutex_lock(&st->lock);
	st->n_staying--;
	if (!s->ended || st->n_queued > 0)
		return NULL;
	pthread_mutex_unlock(&st->lock);
	next = st->ops.follow(s, st->ops.arg);
	pthread_mutex_lock(&st->lock);
	if (next)
		st->n_pending++;
	return next;
}

static void *starter_main(void *arg)
{
	struct starter *t = arg;
	struct starters *st = t->all;
	struct start *next = NULL;

	pthread_mutex_lock(&st->lock);
	for (;;) {
		struct start *s = next;
		bool wake;

		if (!s) {
			s = starter_take(t);
			starter_set_current(t, s);
		}
		pthread_mutex_unlock(&st->lock);

		starter_perform(t, s);

		pthread_mutex_lock(&st->lock);
		next = starter_stay(t, s);
		wake = starter_give_back(t, s, next);
		if (!wake)
			continue;
		/* not under the lock: the loop's thread wakes at once, and wants it */
		pthread_mutex_unlock(&st->lock);
		(void)eventfd_write(st->event_fd, 1);
		pthread_mutex_lock(&st->lock);
	}
	return NULL;
}

static int starter_add(struct starters *st)
{
	struct starter *t = &st->threads[st->n_threads];
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	INVARIANT(st->n_threads < STARTERS_MAX);
	t->all = st;
	if (!t->stack) {
		t->stack = mmap(NULL, CHILD_STACK_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
		if (t->stack == MAP_FAILED) {
			t->stack = NULL;
			return -errno;
		}
		/* stacks grow down: the lowest page is the guard */
		(void)mprotect(t->stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK_SIZE);
	r = pthread_create(&thread, &attr, starter_main, t);
	pthread_attr_destroy(&attr);
	if (r != 0)
		return -r;
	st->n_threads++;
	return 0;
}

/* as many as can be made */
static void starters_grow(struct starters *st, size_t n)
{
	while (n-- > 0 && st->n_threads < STARTERS_MAX)
		if (starter_add(st) < 0)
			return; /* the next tick tries again */
}

int starters_new(struct starters **ret, unsigned int n, const struct rlimit *nofile,
	int event_fd, const struct starters_ops *ops)
{
	struct starters *st;
	int r;

	INVARIANT(n >= 1 && n <= STARTERS_MAX);
	st = calloc(1, sizeof(*st));
	if (!st)
		return -ENOMEM;
	pthread_mutex_init(&st->lock, NULL);
	pthread_cond_init(&st->wake, NULL);
	list_init(&st->queue);
	list_init(&st->done);
	st->event_fd = event_fd;
	st->ops = *ops;
	st->n_base = n;
	st->common = (struct child_common){*nofile, STARTERS_FDS_END};
	for (int i = 0; i < STARTERS_MAX; i++) {
		st->threads[i].in_fd = 3 + 4 * i;
		st->threads[i].out_fd = 3 + 4 * i + 1;
		st->threads[i].err_fd = 3 + 4 * i + 2;
		st->threads[i].ready_fd = 3 + 4 * i + 3;
	}
	while (st->n_threads < n) {
		r = starter_add(st);
		if (r < 0 && st->n_threads == 0) {
			free(st);
			return r;
		}
		if (r < 0)
			break; /* fewer than wished for will do */
	}
	*ret = st;
	return 0;
}

void starters_submit(struct starters *st, struct start *s)
{
	pthread_mutex_lock(&st->lock);
	list_append(&st->queue, &s->link);
	st->n_queued++;
	st->n_pending++;
	pthread_mutex_unlock(&st->lock);
	st->n_submitted++;
}

bool starters_kick(struct starters *st)
{
	size_t n, n_add = 0;

	if (st->n_submitted == 0)
		return false;
	pthread_mutex_lock(&st->lock);
	n = MIN(st->n_submitted, st->n_idle);
	/* those that stay with a run do not count as starters meanwhile */
	if (st->n_queued > st->n_idle && st->n_base + st->n_staying > st->n_threads)
		n_add = MIN(st->n_queued - st->n_idle,
			st->n_base + st->n_staying - st->n_threads);
	pthread_mutex_unlock(&st->lock);
	st->n_submitted = 0;
	starters_grow(st, n_add);
	while (n-- > 0)
		pthread_cond_signal(&st->wake);
	return true;
}

bool starters_done(struct starters *st, struct list *done, bool keep_quiet)
{
	bool stayed = false, none, quiet;

	pthread_mutex_lock(&st->lock);
	none = list_is_empty(&st->done);
	LIST_FOREACH(it, &st->done) {
		stayed |= LIST_ENTRY(it, struct start, link)->ended;
		st->n_pending--;
	}
	list_splice(done, &st->done);
	st->woken = false;
	st->quiet = none ? st->quiet && keep_quiet : stayed;
	quiet = st->quiet;
	pthread_mutex_unlock(&st->lock);
	return quiet;
}

size_t starters_n_pending(struct starters *st)
{
	size_t n;

	pthread_mutex_lock(&st->lock);
	n = st->n_pending;
	pthread_mutex_unlock(&st->lock);
	return n;
}

/* under the lock: the thread has not returned, so the pidfd is this child's */
static bool starter_kill(struct starter *t, int error)
{
	struct start *s = t->current;

	s->give_up = error;
	if (t->returned)
		return true;
	if (s->child_pid == 0)
		return false; /* between the two; comes again */
	(void)pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
	return true;
}

bool starters_unqueue(struct starters *st, struct start *s)
{
	bool found = false;

	pthread_mutex_lock(&st->lock);
	LIST_FOREACH(it, &st->queue) {
		found = it == &s->link;
		if (found)
			break;
	}
	if (found) {
		list_remove(&s->link);
		st->n_queued--;
		st->n_pending--;
	}
	pthread_mutex_unlock(&st->lock);
	return found;
}

void starters_cancel(struct starters *st, struct start *s, int error)
{
	pthread_mutex_lock(&st->lock);
	s->give_up = error;
	for (unsigned int i = 0; i < st->n_threads; i++) {
		struct starter *t = &st->threads[i];

		if (t->current == s && starter_kill(t, error) && t->killed_at == 0)
			t->killed_at = clock_monotonic(&clock_system);
	}
	pthread_mutex_unlock(&st->lock);
}

static rv_time time_add(rv_time a, rv_time b)
{
	return b > RV_FOREVER - a ? RV_FOREVER : a + b;
}

/* under the lock; one busy thread: returns when it must be looked at again */
static rv_time starter_tick(struct starter *t, rv_time now)
{
	struct start *s = t->current;
	rv_time due = time_add(t->since, s->req.start_timeout);

	if (t->returned)
		return RV_FOREVER;
	if (t->killed_at > 0)
		return s->abandoned ? RV_FOREVER : t->killed_at + UNKILLABLE_AFTER;
	if (now < due && s->give_up == 0)
		return due;
	if (!starter_kill(t, s->give_up ? s->give_up : ETIMEDOUT))
		return now + RV_MS(1);
	t->killed_at = now;
	return now + UNKILLABLE_AFTER;
}

rv_time starters_tick(struct starters *st, rv_time now,
	void (*dropped)(struct start *s, void *arg), void *arg)
{
	struct list refused;
	struct start *abandoned[STARTERS_MAX];
	size_t n_abandoned = 0, n_stuck = 0, n_queued;
	rv_time next = RV_FOREVER;

	list_init(&refused);
	pthread_mutex_lock(&st->lock);
	if (st->n_pending == 0) {
		pthread_mutex_unlock(&st->lock);
		return RV_FOREVER;
	}
	for (unsigned int i = 0; i < st->n_threads; i++) {
		struct starter *t = &st->threads[i];
		rv_time due;

		if (!t->current)
			continue;
		due = starter_tick(t, now);
		if (t->killed_at > 0 && due <= now) {
			t->current->abandoned = true;
			abandoned[n_abandoned++] = t->current;
			due = RV_FOREVER;
		}
		n_stuck += now - t->since >= STUCK_AFTER;
		next = MIN(next, due);
	}
	n_queued = st->n_queued;
	/* nobody comes free soon: whatever waits would wait for a start to time out */
	if (n_queued > 0 && n_stuck == STARTERS_MAX) {
		list_splice(&refused, &st->queue);
		st->n_pending -= st->n_queued;
		st->n_queued = 0;
	}
	pthread_mutex_unlock(&st->lock);

	if (n_queued > 0 && n_stuck >= st->n_threads)
		starters_grow(
			st, MIN(n_queued, (size_t)st->n_threads)); /* twice as many */
	if (n_queued > 0)
		next = MIN(next, now + STUCK_AFTER);
	for (size_t i = 0; i < n_abandoned; i++)
		dropped(abandoned[i], arg);
	for (struct list *it; (it = list_pop(&refused));) {
		struct start *s = LIST_ENTRY(it, struct start, link);

		s->error = EAGAIN;
		s->step = SPAWN_STEP_FORK;
		dropped(s, arg);
	}
	return next;
}
