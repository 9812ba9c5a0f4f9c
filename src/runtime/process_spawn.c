/* Starting a child: which descriptors it gets, and posix_spawn. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/process_priv.h"

extern char **environ;

/* What one of the three becomes. Descriptors are moved above them, so that giving one to
 * the child never overwrites another that is still to be given. */
struct stdio_end {
	int child; /* -1: as ours */
	int ours;  /* of a pipe; -1 */
};

/* The child's stdin is a socket, the others are pipes: programs open /dev/stdout, which
 * does not work with sockets. */
static int make_pair(int fds[2], int i)
{
	if (i == STDIN_FILENO)
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0
			       ? -errno
			       : 0;
	return pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
}

static int open_pipe(struct stdio_end *e, int i)
{
	int fds[2];
	int r = make_pair(fds, i);

	if (r < 0)
		return r;
	e->ours = fds[0];
	/* where ours are closed the pair takes their numbers */
	e->child = fd_above_standard(fds[1]);
	close_safe(fds[1]);
	r = fd_above_standard(e->ours);
	close_safe(e->ours);
	e->ours = r < 0 ? -1 : r;
	return e->child < 0 ? e->child : MIN(r, 0);
}

static int open_one(struct stdio_end *e, int i, const rv_stdio *io)
{
	int fd;

	switch (io->kind) {
	case RV_STDIO_INHERIT: return 0;
	case RV_STDIO_STDOUT: return i == STDERR_FILENO ? 0 : -EINVAL;
	case RV_STDIO_PIPE: return open_pipe(e, i);
	case RV_STDIO_FD: e->child = fd_above_standard(io->fd); break;
	case RV_STDIO_NULL:
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		e->child = fd_above_standard(fd);
		close_safe(fd);
		break;
	default: return -EINVAL;
	}
	return MIN(e->child, 0);
}

static bool is_passed(int fd, const rv_proc_opts *o)
{
	for (size_t i = 0; i < o->n_pass_fds; i++)
		if (o->pass_fds[i] == fd)
			return true;
	return false;
}

/* Everything but what it was given: libraries open descriptors that are not
 * close-on-exec. */
static int close_others(posix_spawn_file_actions_t *fa, const rv_proc_opts *o)
{
	int fd, r = 0, last = N_STDIO - 1;

	for (size_t i = 0; i < o->n_pass_fds; i++)
		last = MAX(last, o->pass_fds[i]);
	for (fd = N_STDIO; fd <= last && r == 0; fd++)
		r = is_passed(fd, o)
			    /* onto itself: that only takes close-on-exec away */
			    ? posix_spawn_file_actions_adddup2(fa, fd, fd)
			    : posix_spawn_file_actions_addclose(fa, fd);
	return r ? r : posix_spawn_file_actions_addclosefrom_np(fa, fd);
}

static int set_actions(posix_spawn_file_actions_t *fa, const struct stdio_end e[],
	const rv_proc_opts *o)
{
	int r = 0;

	for (int i = 0; i < N_STDIO && r == 0; i++)
		if (e[i].child >= 0)
			r = posix_spawn_file_actions_adddup2(fa, e[i].child, i);
	if (r == 0 && o->err.kind == RV_STDIO_STDOUT)
		r = posix_spawn_file_actions_adddup2(fa, STDOUT_FILENO, STDERR_FILENO);
	if (r == 0)
		r = close_others(fa, o);
	if (r == 0 && o->cwd)
		r = posix_spawn_file_actions_addchdir_np(fa, o->cwd);
	return -r;
}

static int set_attributes(posix_spawnattr_t *attr, const rv_proc_opts *o)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigdefault(attr, &all);
	(void)posix_spawnattr_setsigmask(attr, &none);
	if (o->flags & RV_PROC_NEW_SESSION)
		flags |= POSIX_SPAWN_SETSID;
	else if (o->flags & RV_PROC_NEW_GROUP)
		flags |= POSIX_SPAWN_SETPGROUP;
	return -posix_spawnattr_setflags(attr, flags);
}

static int spawn(pid_t *ret, char *const argv[], const struct stdio_end e[],
	const rv_proc_opts *o)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int r = -posix_spawn_file_actions_init(&fa);

	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attr);
	if (r == 0) {
		r = set_attributes(&attr, o);
		if (r == 0)
			r = set_actions(&fa, e, o);
		/* Signals are blocked from before the child exists until it has none of
		 * our handlers: it shares our memory, and so our eventfd. */
		if (r == 0)
			r = -posix_spawnp(ret, argv[0], &fa, &attr, argv,
				o->env ? o->env : environ);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&fa);
	return r;
}

static int check_pass_fds(const rv_proc_opts *o)
{
	for (size_t i = 0; i < o->n_pass_fds; i++)
		if (o->pass_fds[i] < N_STDIO)
			return -EINVAL;
	return 0;
}

int process_spawn(
	pid_t *ret_pid, int ret_io[N_STDIO], char *const argv[], const rv_proc_opts *o)
{
	const rv_stdio *io[N_STDIO] = {&o->in, &o->out, &o->err};
	struct stdio_end e[N_STDIO] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int r = check_pass_fds(o);

	for (int i = 0; i < N_STDIO && r >= 0; i++)
		r = open_one(&e[i], i, io[i]);
	if (r >= 0)
		r = spawn(ret_pid, argv, e, o);
	for (int i = 0; i < N_STDIO; i++) {
		close_safe(e[i].child);
		ret_io[i] = r < 0 ? close_safe(e[i].ours) : e[i].ours;
	}
	return r;
}
