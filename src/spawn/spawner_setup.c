/* Setting the process up; see spawner_setup.h. */
#include "config.h"

#include "spawn/spawner_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/parse.h"
#include "spawn/spawner_lock.h"
#include "spawn/spawner_log.h"
#include "spawn/starter.h"

#define DESCRIPTORS_MIN (STARTERS_FDS_END + 64) /* below that nothing works */

static const char usage[] =
	"usage: reeve-spawner --state-dir DIR [options]\n"
	"Starts and reaps the processes of reeve's jobs. reeved starts it by itself.\n"
	"  --state-dir DIR  directory of the socket, mode 0700\n"
	"  --stay           do not leave when there are neither daemon nor runs\n"
	"  --log            log to DIR/spawner.log, not to stderr\n"
	"  --ready-fd N     descriptor that is told when connections are taken\n"
	"  --nofile N       soft limit of descriptors of runs (default: our own)\n"
	"  --version, --help\n";

static int parse_options(struct setup *s, int argc, char **argv)
{
	static const struct option options[] = {
		{"state-dir", required_argument, NULL, 'd'},
		{"stay", no_argument, NULL, 's'},
		{"log", no_argument, NULL, 'l'},
		{"ready-fd", required_argument, NULL, 'r'},
		{"nofile", required_argument, NULL, 'n'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *dir = NULL;
	int64_t fd;
	uint64_t n;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 'd': dir = optarg; break;
		case 's': s->stay = true; break;
		case 'l': s->log_to_file = true; break;
		case 'r':
			if (parse_i64(&fd, optarg, 3, INT_MAX) < 0) {
				fprintf(stderr, "--ready-fd: not a descriptor: '%s'\n",
					optarg);
				return -1;
			}
			s->ready_fd = (int)fd;
			break;
		case 'n':
			if (parse_u64(&n, optarg, 1, INT_MAX) < 0) {
				fprintf(stderr, "--nofile: not a limit: '%s'\n",
					optarg);
				return -1;
			}
			s->nofile_soft = (rlim_t)n;
			break;
		case 'V': printf("reeve-spawner " PACKAGE_VERSION "\n"); return 1;
		case 'h': fputs(usage, stdout); return 1;
		default: fputs(usage, stderr); return -1;
		}
	}
	if (!dir || optind < argc) {
		fputs(usage, stderr);
		return -1;
	}
	s->state_dir = realpath(dir, NULL);
	if (!s->state_dir) {
		fprintf(stderr, "'%s': %s\n", dir, rv_strerror(errno));
		return -1;
	}
	return 0;
}

static int check_state_dir(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	/* Who can put a socket there can be our peer, who can read it our spy. To pass
	 * through is harmless: owners of jobs open their input below it. */
	if (st.st_uid != geteuid() || (st.st_mode & 066))
		return -EPERM;
	return 0;
}

/* Ours to the limit; children get the old one back (child.c), or what a reeved that has
 * raised its own says there was before. */
static int raise_nofile(struct rlimit *ret_old, rlim_t soft)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, ret_old) < 0)
		return -errno;
	rl = *ret_old;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
		rl = *ret_old;
	if (soft && soft < ret_old->rlim_max)
		ret_old->rlim_cur = soft;
	return rl.rlim_cur < DESCRIPTORS_MIN ? -EMFILE : 0;
}

/*
 * 0 and 1 are /dev/null (children get 0 as it is), 2 is the log, then come the
 * starters' (starter.h), all taken now so that nothing else gets their numbers. What
 * was inherited is closed, except for the one that is waited on, which moves up.
 */
static int arrange_descriptors(struct setup *s)
{
	int null_fd, r = 0;

	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return -errno;
	if (s->ready_fd >= 0) {
		int up = fcntl(s->ready_fd, F_DUPFD_CLOEXEC, STARTERS_FDS_END);

		if (up < 0)
			r = -errno;
		s->ready_fd = up;
	}
	if (r == 0 && (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 ||
			      (fcntl(2, F_GETFD) < 0 && dup2(null_fd, 2) < 0)))
		r = -errno;
	for (int fd = 3; r == 0 && fd < STARTERS_FDS_END; fd++)
		if (dup3(0, fd, O_CLOEXEC) < 0)
			r = -errno;
	if (null_fd >= STARTERS_FDS_END)
		close_safe(null_fd);
	if (r < 0)
		return r;
	if (s->ready_fd > STARTERS_FDS_END)
		syscall(SYS_close_range, STARTERS_FDS_END, s->ready_fd - 1, 0);
	/* the only call here that a kernel before 5.9 does not have; child.c needs it
	 */
	if (syscall(SYS_close_range, MAX(s->ready_fd + 1, STARTERS_FDS_END), ~0U, 0) <
		0)
		return -errno;
	return 0;
}

/* What is ignored here would be ignored in every job (a handler would not outlive
 * exec). By the system call, for glibc hides two signals that a parent may have
 * ignored: struct sigaction of the kernel, whose first word is the handler and whose
 * zero is the default. */
static void reset_ignored(int sig)
{
	unsigned long action[8] = {0};
	static const unsigned long by_default[8];
	const size_t mask_size = 8;

	if (syscall(SYS_rt_sigaction, sig, NULL, action, mask_size) == 0 &&
		action[0] == (unsigned long)SIG_IGN)
		(void)syscall(SYS_rt_sigaction, sig, by_default, NULL, mask_size);
}

/* All blocked: signalfd reads ours, and starter threads inherit the mask, which they
 * must have while they fork. */
static void arrange_signals(void)
{
	sigset_t all;

	for (int sig = 1; sig <= 64; sig++)
		reset_ignored(sig);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static int setup_steps(struct setup *s)
{
	int r;

	arrange_signals();
	umask(077);
	r = raise_nofile(&s->nofile, s->nofile_soft);
	if (r == 0)
		r = arrange_descriptors(s);
	if (r < 0)
		return r;
	(void)setsid(); /* EPERM: we lead a session already */
	if (chdir("/") < 0)
		return -errno;
	/* orphans come to us and not to init: that is how leftovers are found */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	r = check_state_dir(s->state_dir);
	if (r == 0 && s->log_to_file)
		r = spawner_log_open(s->state_dir);
	if (r < 0)
		return r;
	return spawner_lock(&s->lock_fd, s->state_dir);
}

int setup_process(struct setup *ret, int argc, char **argv)
{
	struct setup s = {.ready_fd = -1, .lock_fd = -1};
	int r;

	r = parse_options(&s, argc, argv);
	if (r != 0)
		return r;
	spawner_log_begin();
	r = setup_steps(&s);
	if (r < 0 && r != -EBUSY)
		log_at(LOG_ERR, "spawn", "cannot start in '%s': %s", s.state_dir,
			rv_strerror(r));
	if (r < 0) {
		setup_tell_ready(&s, r);
		free(s.state_dir);
		return r == -EBUSY ? 1 : -1;
	}
	*ret = s;
	return 0;
}

/* sd_notify(3) in the little that is needed: the spawner links nothing but libc */
static void notify_manager(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	size_t n = path ? strlen(path) : 0;

	if (n < 2 || n >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, n);
	if (path[0] == '@')
		addr.sun_path[0] = '\0'; /* abstract */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&addr,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

void setup_tell_ready(struct setup *setup, int error)
{
	char text[1 + sizeof(int32_t)];
	int32_t code = -error;

	if (error == 0)
		notify_manager();
	if (setup->ready_fd < 0)
		return;
	text[0] = error == 0 ? 'R' : error == -EBUSY ? 'B' : 'E';
	memcpy(text + 1, &code, sizeof(code));
	(void)fd_write_all(setup->ready_fd, text, text[0] == 'E' ? sizeof(text) : 1);
	setup->ready_fd = close_safe(setup->ready_fd);
}
