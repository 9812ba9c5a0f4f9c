/* Threads that clone; see starter.h. */
#include "config.h"

#include "spawn/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "spawn/procfs.h"

#if defined(__SANITIZE_THREAD__)
#	define STARTER_TSAN 1
#elif defined(__has_feature)
#	if __has_feature(thread_sanitizer)
#		define STARTER_TSAN 1
#	endif
#endif
#ifdef STARTER_TSAN
/* ThreadSanitizer takes every clone for a fork, whose child has memory of its own, and
 * aborts. Calls by glibc's other name pass it by. */
int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#	define clone __clone
#endif

#define CHILD_STACK_SIZE  (256 << 10) /* mapped, touched only as far as used */
#define THREAD_STACK_SIZE (256 << 10)
#define STUCK_AFTER       RV_MS(100) /* a start that takes longer may be hanging */
#define UNKILLABLE_AFTER  RV_SEC(2)  /* in the kernel since SIGKILL: told as failed */

struct starter {
	struct starters *all;
	char *stack;              /* of its children */
	int out_fd, err_fd;       /* its low descriptors; /dev/null between starts */
	struct start *current;    /* under the lock */
	rv_time since, killed_at; /* under the lock; killed_at 0: not yet */
	bool returned; /* under the lock: clone is over, pidfd is no target */
};

struct starters {
	/* Guards the queue, done and the fields marked above; nothing else is taken
	 * while it is held, and it is never held over a clone. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list queue, done;
	size_t n_queued, n_idle;
	size_t n_wake;    /* submitted since the last kick */
	size_t n_pending; /* loop thread only */
	struct starter threads[STARTERS_MAX];
	unsigned int n_threads; /* loop thread only */
	struct child_common common;
	int event_fd;
};

/* A start time that stat(5) counts in ticks of 10 ms is known without reading it when
 * the clock showed the same tick before the clone and in the child. */
static uint64_t start_time_find(pid_t pid, rv_time before, rv_time after)
{
	static long hz;
	struct proc_stat st;

	if (hz == 0)
		hz = sysconf(_SC_CLK_TCK);
	if (hz > 0 && before / (RV_SEC(1) / hz) == after / (RV_SEC(1) / hz))
		return (uint64_t)(before / (RV_SEC(1) / hz));
	/* a zombie has it too, and nobody but us can reap it */
	return proc_stat_read(&st, pid) == 0 ? st.start_time : 0;
}

static void start_reap(struct start *s, pid_t pid)
{
	int r;

	do
		r = waitpid(pid, NULL, __WALL);
	while (r < 0 && errno == EINTR);
	s->pidfd = close_safe(s->pidfd);
}

/* clone has returned with a child: has it become the program? */
static void start_judge(struct start *s, pid_t pid, rv_time before, int give_up)
{
	struct proc_stat st;

	if (s->error == 0 && s->step != SPAWN_STEP_EXEC)
		s->error = EINTR; /* killed before it came to exec */
	else if (s->error == 0 && give_up && proc_stat_read(&st, pid) == 0 &&
		 proc_stat_is_dead(&st) && !st.execed)
		s->error = EINTR; /* killed inside exec */
	if (s->error != 0) {
		if (give_up)
			s->error = give_up;
		start_reap(s, pid);
		return;
	}
	s->pid = pid;
	s->start_time = start_time_find(pid, before, s->child_boot);
	s->started_boot = before;
	s->started_usec = clock_wall_usec(&clock_system);
}

static int start_place_fd(int *fd, int slot)
{
	int r = 0;

	if (*fd >= 0 && dup3(*fd, slot, O_CLOEXEC) < 0)
		r = -errno;
	*fd = close_safe(*fd);
	return r;
}

/* An output must not stay open here: whoever looks for the last one that has it open
 * would find us, and so would a full disk. */
static void starter_clear_fds(struct starter *t, bool out, bool err)
{
	if (out)
		dup3(0, t->out_fd, O_CLOEXEC);
	if (err)
		dup3(0, t->err_fd, O_CLOEXEC);
}

static int start_prepare(struct starter *t, struct start *s)
{
	int r;

	s->step = SPAWN_STEP_DESCRIPTORS;
	r = start_place_fd(&s->req.stdout_fd, t->out_fd);
	if (r == 0)
		r = start_place_fd(&s->req.stderr_fd, t->err_fd);
	if (r < 0)
		return r;
	s->step = SPAWN_STEP_CGROUP;
	if (!s->cgroup_leaf || mkdir(s->cgroup_leaf, 0755) == 0 || errno == EEXIST)
		return 0;
	/* not writable for us: runs without, as on a system that has no cgroups */
	if (errno != EACCES && errno != EPERM && errno != EROFS && errno != ENOENT)
		return -errno;
	s->cgroup_leaf = s->cgroup_procs = NULL;
	return 0;
}

static void start_perform(struct starter *t, struct start *s)
{
	struct child_args args = {
		.start = s,
		.common = &t->all->common,
		.out_fd = t->out_fd,
		.err_fd = t->err_fd,
	};
	bool out = s->req.stdout_fd >= 0, err = s->req.stderr_fd >= 0;
	rv_time before;
	pid_t pid;
	int give_up, r;

	r = start_prepare(t, s);
	if (r < 0) {
		s->error = -r;
		starter_clear_fds(t, out, err);
		return;
	}
	FAILPOINT("spawner-before-fork");
	s->step = SPAWN_STEP_FORK;
	before = clock_boottime(&clock_system);
	/* clone3 with these flags would do the same, but has no wrapper in glibc: it
	 * would need assembly for each machine. Signals are blocked in this thread. */
	pid = clone(child_main, t->stack + CHILD_STACK_SIZE,
		CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | SIGCHLD, &args,
		&s->pidfd);
	r = errno;
	FAILPOINT("spawner-after-fork");
	pthread_mutex_lock(&t->all->lock);
	t->returned = true;
	give_up = s->give_up;
	pthread_mutex_unlock(&t->all->lock);
	starter_clear_fds(t, out, err);
	if (pid < 0) {
		s->pidfd = -1; /* the kernel may have written one and taken it back */
		s->error = r;
		return;
	}
	start_judge(s, pid, before, give_up);
}

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

static void *starter_main(void *arg)
{
	struct starter *t = arg;
	struct starters *st = t->all;

	pthread_mutex_lock(&st->lock);
	for (;;) {
		struct start *s;
		bool first;

		while (list_is_empty(&st->queue)) {
			st->n_idle++;
			pthread_cond_wait(&st->wake, &st->lock);
			st->n_idle--;
		}
		s = LIST_ENTRY(list_pop(&st->queue), struct start, link);
		st->n_queued--;
		t->current = s;
		t->since = clock_monotonic(&clock_system);
		t->killed_at = 0;
		t->returned = false;
		pthread_mutex_unlock(&st->lock);

		start_perform(t, s);

		pthread_mutex_lock(&st->lock);
		t->current = NULL;
		if (s->abandoned) {
			pthread_mutex_unlock(&st->lock);
			start_bury(s);
			pthread_mutex_lock(&st->lock);
		}
		first = list_is_empty(&st->done);
		list_append(&st->done, &s->link);
		if (!first)
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

int starters_new(struct starters **ret, unsigned int n, const struct rlimit *nofile,
	int event_fd)
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
	st->common = (struct child_common){*nofile, STARTERS_FDS_END};
	for (int i = 0; i < STARTERS_MAX; i++) {
		st->threads[i].out_fd = 3 + 2 * i;
		st->threads[i].err_fd = 3 + 2 * i + 1;
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
	st->n_wake++;
	pthread_mutex_unlock(&st->lock);
	st->n_pending++;
}

bool starters_kick(struct starters *st)
{
	size_t n;

	if (st->n_wake == 0)
		return false;
	pthread_mutex_lock(&st->lock);
	n = MIN(st->n_wake, st->n_idle);
	st->n_wake = 0;
	pthread_mutex_unlock(&st->lock);
	while (n-- > 0)
		pthread_cond_signal(&st->wake);
	return true;
}

void starters_done(struct starters *st, struct list *done)
{
	struct list mine;

	list_init(&mine);
	pthread_mutex_lock(&st->lock);
	list_splice(&mine, &st->done);
	pthread_mutex_unlock(&st->lock);
	LIST_FOREACH(it, &mine) {
		st->n_pending--;
	}
	list_splice(done, &mine);
}

size_t starters_n_pending(const struct starters *st)
{
	return st->n_pending;
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

/* as many again as hang, if so many starts wait */
static void starters_grow(struct starters *st, size_t n_queued)
{
	size_t n = MIN(n_queued, (size_t)st->n_threads);

	while (n-- > 0 && st->n_threads < STARTERS_MAX)
		if (starter_add(st) < 0)
			return; /* the next tick tries again */
}

rv_time starters_tick(struct starters *st, rv_time now,
	void (*dropped)(struct start *s, void *arg), void *arg)
{
	struct list refused;
	struct start *abandoned[STARTERS_MAX];
	size_t n_abandoned = 0, n_stuck = 0, n_queued;
	rv_time next = RV_FOREVER;

	if (st->n_pending == 0)
		return RV_FOREVER;
	list_init(&refused);
	pthread_mutex_lock(&st->lock);
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
		st->n_queued = 0;
	}
	pthread_mutex_unlock(&st->lock);

	if (n_queued > 0 && n_stuck >= st->n_threads)
		starters_grow(st, n_queued);
	if (n_queued > 0)
		next = MIN(next, now + STUCK_AFTER);
	for (size_t i = 0; i < n_abandoned; i++)
		dropped(abandoned[i], arg);
	for (struct list *it; (it = list_pop(&refused));) {
		struct start *s = LIST_ENTRY(it, struct start, link);

		st->n_pending--;
		s->error = EAGAIN;
		s->step = SPAWN_STEP_FORK;
		dropped(s, arg);
	}
	return next;
}
