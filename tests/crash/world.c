#include "config.h"

#include "tests/crash/world.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "client/client.h"

#define READY_FD      3
#define READY_FD_TEXT "3"

extern char **environ;

/* ---- saying what goes on --------------------------------------------------------- */

static char step_text[512] = "start";
static unsigned step_seconds;

void die(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "FAIL: %s\n  while: %s\n", text, step_text);
	exit(1);
}

static void too_late(int sig)
{
	static const char text[] = "FAIL: nothing happens any more\n  while: ";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)!write(STDERR_FILENO, step_text, strlen(step_text));
	(void)!write(STDERR_FILENO, "\n", 1);
	_exit(1);
}

void step(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(step_text, sizeof(step_text), fmt, ap);
	va_end(ap);
	alarm(step_seconds);
}

void watchdog(unsigned seconds)
{
	signal(SIGALRM, too_late);
	step_seconds = seconds;
	alarm(seconds);
}

/* ---- the directory --------------------------------------------------------------- */

static void write_file(const char *path, mode_t mode, const char *text)
{
	_cleanup_close_ int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("cannot write '%s': %s", path, strerror(errno));
}

static void in_dir(struct world *w, char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", w->dir, name);
}

void world_init(struct world *w, const struct programs *p, const char *dir,
	unsigned slots, bool hasty)
{
	/* one line is one write: the shell's >> opens for appending */
	static const char short_job[] =
		"ulimit -S -f unlimited\n" /* world_limit_spawner */
		"echo \"S $REEVE_JOB_ID.$REEVE_RUN $$\" >>\"$2\"\n"
		"echo \"out $REEVE_JOB_ID.$REEVE_RUN\"\n"
		"%s"
		"echo \"E $REEVE_JOB_ID.$REEVE_RUN $$\" >>\"$2\"\n"
		"exit $1\n";
	static const char long_job[] =
		"echo \"S $REEVE_JOB_ID.$REEVE_RUN $$\" >>\"$2\"\n"
		"echo \"out $REEVE_JOB_ID.$REEVE_RUN\"\n"
		"flock -s \"$3\" true\n"
		"echo \"E $REEVE_JOB_ID.$REEVE_RUN $$\" >>\"$2\"\n"
		"exit $1\n";
	char path[PATH_MAX], text[512];

	*w = (struct world){.programs = *p, .gate_fd = -1};
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->came_up, NULL);
	snprintf(w->dir, sizeof(w->dir), "%s", dir);
	in_dir(w, w->judge, "judge");
	in_dir(w, w->gate, "gate");
	in_dir(w, w->socket, "socket");
	in_dir(w, w->state, "state");
	in_dir(w, w->fail_log, "failpoints");
	if (mkdir(dir, 0700) < 0)
		die("cannot make '%s': %s", dir, strerror(errno));
	in_dir(w, path, "short.sh");
	snprintf(text, sizeof(text), short_job, hasty ? "" : "sleep 0.02\n");
	write_file(path, 0600, text);
	in_dir(w, path, "long.sh");
	write_file(path, 0600, long_job);
	in_dir(w, path, "reeve.conf");
	snprintf(text, sizeof(text),
		"[reeved]\nmin-free = 0\n[pool default]\nslots = %u\n", slots);
	write_file(path, 0600, text);
	write_file(w->judge, 0600, "");
	write_file(w->gate, 0600, "");
	w->gate_fd = open(w->gate, O_RDWR | O_CLOEXEC);
	if (w->gate_fd < 0 || flock(w->gate_fd, LOCK_EX) < 0)
		die("cannot close the gate: %s", strerror(errno));
}

void world_open_gate(struct world *w)
{
	w->gate_fd = close_safe(w->gate_fd);
}

void world_deinit(struct world *w)
{
	w->client = client_close(w->client);
	world_open_gate(w);
	pthread_cond_destroy(&w->came_up);
	pthread_mutex_destroy(&w->lock);
}

/* ---- processes ------------------------------------------------------------------- */

static void make_env(struct world *w, char ***env, const char *failpoints)
{
	_cleanup_free_ char *points = NULL, *log = NULL;

	STRV_FOREACH(s, environ)
		if (strncmp(*s, "REEVE_FAILPOINT", 15) != 0 && strv_append(env, *s) < 0)
			die("out of memory");
	if (!failpoints)
		return;
	if (asprintf(&points, "REEVE_FAILPOINT=%s", failpoints) < 0 ||
		asprintf(&log, "REEVE_FAILPOINT_LOG=%s", w->fail_log) < 0 ||
		strv_append(env, points) < 0 || strv_append(env, log) < 0)
		die("out of memory");
}

/* until it says so or its end of the pipe is closed */
static void await_ready(int fd, const char *program)
{
	char c;

	if (read(fd, &c, 1) != 1 || (c != 'R' && c != 'B'))
		die("'%s' does not become ready", program);
}

static pid_t start(struct world *w, char *const argv[], const char *failpoints)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	_cleanup_(strv_freep) char **env = NULL;
	posix_spawn_file_actions_t fa;
	char log[PATH_MAX];
	int fds[2], r;
	pid_t pid;

	make_env(w, &env, failpoints);
	in_dir(w, log, "log");
	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	ours = fds[0];
	/* another number than the copy is to have: that one must survive exec */
	theirs = fcntl(fds[1], F_DUPFD_CLOEXEC, READY_FD + 1);
	close_safe(fds[1]);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(
		&fa, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	posix_spawn_file_actions_adddup2(&fa, theirs, READY_FD);
	r = posix_spawn(&pid, argv[0], &fa, NULL, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	if (r != 0)
		die("cannot start '%s': %s", argv[0], strerror(r));
	theirs = close_safe(theirs);
	await_ready(ours, argv[0]);
	return pid;
}

void world_start_spawner(struct world *w, const char *failpoints)
{
	char *const argv[] = {(char *)w->programs.spawner, (char *)"--state-dir",
		w->state, (char *)"--ready-fd", (char *)READY_FD_TEXT, NULL};

	if (mkdir(w->state, 0700) < 0 && errno != EEXIST)
		die("cannot make '%s': %s", w->state, strerror(errno));
	w->spawner = start(w, argv, failpoints);
}

void world_limit_spawner(struct world *w, size_t size_max)
{
	struct rlimit rl;

	if (prlimit(w->spawner, RLIMIT_FSIZE, NULL, &rl) < 0)
		die("prlimit: %s", strerror(errno));
	rl.rlim_cur = size_max;
	if (prlimit(w->spawner, RLIMIT_FSIZE, &rl, NULL) < 0)
		die("prlimit: %s", strerror(errno));
}

void world_start_reeved(struct world *w, const char *failpoints)
{
	char config[PATH_MAX];
	char *const argv[] = {(char *)w->programs.reeved, (char *)"--user",
		(char *)"--config", config, (char *)"--socket", w->socket,
		(char *)"--state-dir", w->state, (char *)"--ready-fd",
		(char *)READY_FD_TEXT, NULL};

	in_dir(w, config, "reeve.conf");
	w->reeved = start(w, argv, failpoints);
	pthread_mutex_lock(&w->lock);
	w->n_ups++;
	pthread_cond_broadcast(&w->came_up);
	pthread_mutex_unlock(&w->lock);
}

static void await_child(pid_t pid, bool killed)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %s", strerror(errno));
	if (killed && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		die("process %d ended by itself: %#x", (int)pid, (unsigned)status);
	if (!killed && status != 0)
		die("process %d ended with status %#x", (int)pid, (unsigned)status);
}

void world_stop_reeved(struct world *w)
{
	w->client = client_close(w->client);
	kill(w->reeved, SIGTERM);
	await_child(w->reeved, false);
	w->reeved = 0;
	if (w->spawner)
		await_child(w->spawner, false); /* nobody is left that needs it */
	w->spawner = 0;
}

void world_await_stop(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WUNTRACED) != pid)
		die("waitpid: %s", strerror(errno));
	if (!WIFSTOPPED(status))
		die("process %d ended by itself: %#x", (int)pid, (unsigned)status);
}

void world_kill_reeved(struct world *w)
{
	w->client = client_close(w->client);
	kill(w->reeved, SIGKILL);
	await_child(w->reeved, true);
	w->reeved = 0;
}

static pid_t pid_from_lock(struct world *w)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char path[PATH_MAX];
	int pid = 0;

	in_dir(w, path, "state/spawner.lock");
	f = fopen(path, "re");
	if (!f || fscanf(f, "%d", &pid) != 1)
		return 0; /* one is just coming */
	return pid;
}

void world_kill_spawner(struct world *w)
{
	struct pollfd p = {.events = POLLIN};
	pid_t pid = w->spawner ? w->spawner : pid_from_lock(w);

	if (pid <= 1)
		return;
	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return; /* gone by itself meanwhile */
	syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	close(p.fd);
	if (w->spawner)
		await_child(w->spawner, true);
	w->spawner = 0;
}

/* ---- calls ----------------------------------------------------------------------- */

struct client *world_connect(struct world *w)
{
	struct client *c;

	for (;;) {
		unsigned before;

		pthread_mutex_lock(&w->lock);
		before = w->n_ups;
		pthread_mutex_unlock(&w->lock);
		if (client_open(&c, w->socket, RV_SEC(60)) >= 0)
			return c;
		/* it is dead: until the next one is there */
		pthread_mutex_lock(&w->lock);
		while (w->n_ups == before)
			pthread_cond_wait(&w->came_up, &w->lock);
		pthread_mutex_unlock(&w->lock);
	}
}

json_t *world_call(struct world *w, const char *method, json_t *params)
{
	_cleanup_free_ char *error = NULL;
	json_t *ret = NULL;
	int r;

	if (!w->client)
		w->client = world_connect(w);
	r = client_call(w->client, method, params, &ret, &error, RV_SEC(60));
	json_decref(params);
	if (r != 0)
		die("%s: %s", method, error ? error : rv_strerror(r));
	return ret;
}

struct more {
	const char *method;
	void (*fn)(const json_t *params, void *arg);
	void *arg;
};

static int take_reply(void *arg, const struct client_reply *reply)
{
	struct more *m = arg;

	if (reply->error)
		die("%s: %s", m->method, reply->error);
	m->fn(reply->params, m->arg);
	return 0;
}

void world_call_more(struct world *w, const char *method, json_t *params,
	void (*fn)(const json_t *params, void *arg), void *arg)
{
	struct more m = {.method = method, .fn = fn, .arg = arg};
	int r;

	if (!w->client)
		w->client = world_connect(w);
	r = client_call_more(w->client, method, params, take_reply, &m, RV_SEC(60));
	json_decref(params);
	if (r != 0)
		die("%s: %s", method, rv_strerror(r));
}
