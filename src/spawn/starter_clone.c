/* One start in its thread: clone, and what came of it; see starter_priv.h. */
#include "config.h"

#include "spawn/starter_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/fd.h"
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

#define STAY RV_MS(5)

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

void start_reap(struct start *s, pid_t pid)
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
	/* the same moment: times are counted from the one and shown from the other */
	s->started_usec = clock_wall_usec(&clock_system) -
			  (clock_boottime(&clock_system) - before) / 1000;
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
 * would find us, and so would a full disk. Nor the end that a job reads: who writes is to
 * see that it has ended. */
static void starter_clear_fds(
	struct starter *t, bool in, bool out, bool err, bool ready)
{
	if (ready)
		dup3(0, t->ready_fd, O_CLOEXEC);
	if (in)
		dup3(0, t->in_fd, O_CLOEXEC);
	if (out)
		dup3(0, t->out_fd, O_CLOEXEC);
	if (err)
		dup3(0, t->err_fd, O_CLOEXEC);
}

/* Only who writes must not block. The pipe is the owner's, who may open /dev/stdin, and
 * nobody else's but root's. */
static int start_make_pipe(struct starter *t, struct start *s)
{
	const struct spawn_request *q = &s->req;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	s->stdin_fd = fds[1];
	r = fd_set_nonblock(fds[1], true);
	if (r == 0 && q->uid != SPAWN_ID_KEEP && fchown(fds[0], q->uid, q->gid) < 0)
		r = -errno;
	if (r == 0)
		return start_place_fd(&fds[0], t->in_fd);
	close_safe(fds[0]);
	return r;
}

/* As that of stdin, the other way round: only who reads must not block. */
static int start_make_ready_pipe(struct starter *t, struct start *s)
{
	const struct spawn_request *q = &s->req;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	s->ready_fd = fds[0];
	r = fd_set_nonblock(fds[0], true);
	if (r == 0 && q->uid != SPAWN_ID_KEEP && fchown(fds[1], q->uid, q->gid) < 0)
		r = -errno;
	if (r == 0)
		return start_place_fd(&fds[1], t->ready_fd);
	close_safe(fds[1]);
	return r;
}

static int start_prepare(struct starter *t, struct start *s)
{
	int r = 0;

	s->step = SPAWN_STEP_STDIN;
	if (s->req.stdin_kind == SPAWN_STDIO_PIPE)
		r = start_make_pipe(t, s);
	if (r < 0)
		return r;
	s->step = SPAWN_STEP_DESCRIPTORS;
	if (s->req.ready_fd)
		r = start_make_ready_pipe(t, s);
	if (r < 0)
		return r;
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

void starter_perform(struct starter *t, struct start *s)
{
	struct child_args args = {
		.start = s,
		.common = &t->all->common,
		.in_fd = t->in_fd,
		.out_fd = t->out_fd,
		.err_fd = t->err_fd,
		.ready_fd = t->ready_fd,
	};
	bool in = s->req.stdin_kind == SPAWN_STDIO_PIPE;
	bool out = s->req.stdout_fd >= 0, err = s->req.stderr_fd >= 0;
	bool ready = s->req.ready_fd != 0;
	rv_time before;
	pid_t pid;
	int give_up, r;

	r = start_prepare(t, s);
	if (r < 0) {
		s->error = -r;
		starter_clear_fds(t, in, out, err, ready);
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
	starter_clear_fds(t, in, out, err, ready);
	if (pid < 0) {
		s->pidfd = -1; /* the kernel may have written one and taken it back */
		s->error = r;
		return;
	}
	start_judge(s, pid, before, give_up);
}

bool starter_sees_end(struct start *s)
{
	const struct timespec stay = {.tv_nsec = STAY};
	struct pollfd p = {.fd = s->pidfd, .events = POLLIN};

	if (ppoll(&p, 1, &stay, NULL) != 1)
		return false;
	s->ended_boot = clock_boottime(&clock_system);
	s->ended_usec = clock_wall_usec(&clock_system);
	return true;
}
