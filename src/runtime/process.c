/* Child processes: life, end, signals. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "reeve/pipe.h"
#include "runtime/debug_priv.h"
#include "runtime/process_priv.h"

enum { STATUS_UNKNOWN = 255 };

/* -- the end ------------------------------------------------------------------------ */

static void process_free(rv_process *p)
{
	INVARIANT(link_is_empty(&p->waiters));
	close_safe(p->pidfd);
	free(p);
}

void process_free_unused(rv_process *p)
{
	if (p->refs == 0 && (p->exited || !p->loop) && !p->told)
		process_free(p);
}

static void process_ended(rv_process *p, int status)
{
	p->exited = true;
	p->status = status;
	poll_remove(&p->poll);
	waiters_wake_all(&p->waiters, 0);
	if (p->told)
		told_exited(p->told);
	else
		link_remove(&p->link);
	process_free_unused(p);
}

static void report(rv_process *p, const char *message, int err)
{
	rv_exc e = RV_EXC_NULL;

	e.message = message;
	e.err = err;
	rv_report(p->loop, &e);
}

/* false: it still runs */
static bool process_reap(rv_process *p)
{
	siginfo_t si = {.si_pid = 0};
	int r;

	do
		r = waitid(P_PIDFD, (id_t)p->pidfd, &si, WEXITED | WNOHANG);
	while (r < 0 && errno == EINTR);
	if (r < 0) {
		report(p, "child was reaped by somebody else", -errno);
		process_ended(p, STATUS_UNKNOWN);
		return true;
	}
	if (si.si_pid == 0)
		return false;
	process_ended(p, si.si_code == CLD_EXITED ? si.si_status : -si.si_status);
	return true;
}

static void on_pidfd(struct poll_fd *poll, unsigned ev)
{
	(void)process_reap(CONTAINER_OF(poll, rv_process, poll));
}

void processes_close(rv_loop *l)
{
	struct rv_link *it;

	while ((it = link_first(&l->processes))) {
		rv_process *p = LINK_ENTRY(it, rv_process, link);

		if (p->refs > 0 && !p->exited)
			report(p, "child was running when its loop closed", 0);
		if (!p->exited)
			(void)pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
		poll_remove(&p->poll);
		link_unlink(it);
		p->loop = NULL;
		while (link_pop(&p->waiters)) /* abandoned */
			;
		if (p->told)
			told_close(p->told);
		else
			process_free_unused(p);
	}
}

/* -- life --------------------------------------------------------------------------- */

static int open_streams(rv_process *p, int fds[N_STDIO])
{
	int r = 0;

	for (int i = 0; i < N_STDIO && r >= 0; i++) {
		if (fds[i] < 0)
			continue;
		r = i == STDIN_FILENO ? rv_stream_open_fd(fds[i], &p->io[i])
				      : rv_stream_open_reader(fds[i], &p->io[i]);
		if (r >= 0)
			fds[i] = -1;
	}
	return r;
}

static void drop_streams(rv_process *p)
{
	if (p->told)
		told_drop(p->told);
	for (int i = 0; i < N_STDIO; i++) {
		if (p->io[i])
			rv_stream_close(p->io[i]);
		rv_stream_unref(TAKE_PTR(p->io[i]));
	}
}

static int process_watch(rv_process *p)
{
	p->pidfd = pidfd_open(p->pid, 0);
	if (p->pidfd < 0)
		return -errno;
	p->poll.fn = on_pidfd;
	return poll_add(p->loop, &p->poll, p->pidfd, false);
}

/* It has begun, but cannot be watched or talked to: nobody shall hear of it. */
static void process_undo(rv_process *p, int fds[N_STDIO])
{
	(void)kill(p->pid, SIGKILL);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < N_STDIO; i++)
		close_safe(fds[i]);
	poll_remove(&p->poll);
	drop_streams(p);
}

/* proto: NULL: streams */
static int start(
	char *const argv[], const rv_proc_opts *o, rv_protocol *proto, rv_process **ret)
{
	static const rv_proc_opts defaults;
	rv_process *p;
	int fds[N_STDIO], r;

	if (!argv || !argv[0] || !ret)
		return -EINVAL;
	if (!current.loop)
		return -RV_ENOTASK;
	if (current.loop->closed)
		return -RV_ELOOPCLOSED; /* in a child of a fork */
	if (!o)
		o = &defaults;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (rv_process){.loop = current.loop, .refs = 1, .pidfd = -1};
	p->has_group = o->flags & (RV_PROC_NEW_GROUP | RV_PROC_NEW_SESSION);
	link_init(&p->waiters);
	r = process_spawn(&p->pid, fds, argv, o);
	if (r < 0) {
		process_free(p);
		return r;
	}
	r = process_watch(p);
	if (r >= 0)
		r = proto ? told_new(p, proto, fds) : open_streams(p, fds);
	if (r < 0) {
		process_undo(p, fds);
		process_free(p);
		return r;
	}
	link_append(&p->loop->processes, &p->link);
	*ret = p;
	return 0;
}

int rv_exec(char *const argv[], const rv_proc_opts *o, rv_process **ret)
{
	return start(argv, o, NULL, ret);
}

int rv_exec_protocol(
	char *const argv[], const rv_proc_opts *o, rv_protocol *proto, rv_process **ret)
{
	return proto && proto->ops ? start(argv, o, proto, ret) : -EINVAL;
}

int rv_shell(const char *cmd, const rv_proc_opts *o, rv_process **ret)
{
	char *const argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)cmd, NULL};

	return cmd ? rv_exec(argv, o, ret) : -EINVAL;
}

rv_process *rv_process_ref(rv_process *p)
{
	if (WRONG_THREAD(p->loop))
		return p;
	p->refs++;
	return p;
}

void rv_process_unref(rv_process *p)
{
	if (WRONG_THREAD(p ? p->loop : NULL))
		return;
	if (!p)
		return;
	INVARIANT(p->refs > 0);
	if (--p->refs > 0)
		return;
	drop_streams(p);
	if (!p->exited && p->loop && !p->loop->forked) /* freed when it has ended */
		(void)pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
	process_free_unused(p);
}

/* -- looking at and waiting ----------------------------------------------------------- */

pid_t rv_process_pid(const rv_process *p)
{
	return p->pid;
}

bool rv_process_exited(const rv_process *p)
{
	(void)WRONG_THREAD(p->loop); /* answers all the same */
	return p->exited;
}

int rv_process_status(const rv_process *p)
{
	if (WRONG_THREAD(p->loop))
		return -RV_EWRONGLOOP;
	return p->exited ? p->status : -RV_ESTATE;
}

rv_stream *rv_process_stdin(const rv_process *p)
{
	return p->io[STDIN_FILENO];
}

rv_stream *rv_process_stdout(const rv_process *p)
{
	return p->io[STDOUT_FILENO];
}

rv_stream *rv_process_stderr(const rv_process *p)
{
	return p->io[STDERR_FILENO];
}

int rv_process_wait(rv_process *p, int *status)
{
	struct rv_task *self;
	struct waiter w = {0};
	int r = task_await_begin(&self);

	if (WRONG_THREAD(p->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	if (!p->exited) {
		if (p->loop != self->loop)
			return -RV_EWRONGLOOP;
		link_append(&p->waiters, &w.link);
		r = task_wait(self, &w, "process", p);
		if (r < 0)
			return r;
	}
	if (status)
		*status = p->status;
	return 0;
}

/* -- signals ------------------------------------------------------------------------ */

int rv_process_signal(rv_process *p, int sig)
{
	if (WRONG_THREAD(p->loop))
		return -RV_EWRONGLOOP;
	if (p->exited)
		return -ESRCH;
	return pidfd_send_signal(p->pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int rv_process_terminate(rv_process *p)
{
	return rv_process_signal(p, SIGTERM);
}

int rv_process_kill(rv_process *p)
{
	return rv_process_signal(p, SIGKILL);
}

/* The number of a group stays taken while one of it lives, and a child that is not reaped
 * does: so as long as it has not ended this reaches nobody else. */
static void signal_all(rv_process *p, int sig)
{
	if (p->exited)
		return;
	if (p->has_group)
		(void)kill(-p->pid, sig);
	else
		(void)pidfd_send_signal(p->pidfd, sig, NULL, 0);
}

int rv_process_stop(rv_process *p, int sig, rv_time grace)
{
	struct rv_task *self;
	rv_scope s;
	int r = task_await_begin(&self);

	if (WRONG_THREAD(p->loop))
		return -RV_EWRONGLOOP;
	if (r < 0)
		return r;
	signal_all(p, sig);
	r = rv_timeout(&s, grace);
	if (r < 0)
		return r;
	r = rv_scope_exit(&s, rv_process_wait(p, NULL));
	if (r != -ETIMEDOUT)
		return r;
	signal_all(p, SIGKILL);
	return rv_process_wait(p, NULL);
}
