#include "config.h"

#include "cli/start.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "base/strv.h"
#include "cli/text.h"
#include "client/client.h"

#define READY_FD     3
#define LOG_TAIL_MAX 4096 /* bytes of the log that an error may show */

extern char **environ;

int program_find(char **ret, const char *name)
{
	/* beside us: installed together, or programs of the build in one folder; the
	 * others: bin and sbin below one prefix, programs of the build beside their
	 * sources (libtool may put ours one level deeper) */
	static const char *const beside[] = {
		"", "../sbin/", "../daemon/", "../", "../../daemon/"};
	_cleanup_free_ char *self = realpath("/proc/self/exe", NULL);
	char *slash = self ? strrchr(self, '/') : NULL;
	char *path;

	if (slash) {
		slash[1] = '\0';
		for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
			path = text_printf("%s%s%s", self, beside[i], name);
			if (!path)
				return -ENOMEM;
			if (access(path, X_OK) == 0) {
				*ret = path;
				return 0;
			}
			free(path);
		}
	}
	path = text_printf("%s/%s", SBINDIR, name);
	if (!path)
		return -ENOMEM;
	if (access(path, X_OK) < 0) {
		free(path);
		return -ENOENT;
	}
	*ret = path;
	return 0;
}

char **start_environment(char *const *caller)
{
	static const char *const kept[] = {
		"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"};
	_cleanup_(strv_freep) char **env = NULL;
	const struct passwd *pw = getpwuid(geteuid());
	const char *home = strv_env_get(caller, "HOME");
	int r;

	/* $HOME before the passwd entry: it decides where the state is, and the daemon
	 * has to find the same place */
	if (!home || home[0] != '/')
		home = pw ? pw->pw_dir : "/";
	r = strv_env_set(&env, "PATH", START_PATH);
	if (r == 0)
		r = strv_env_set(&env, "HOME", home);
	if (r == 0 && pw)
		r = strv_env_set(&env, "USER", pw->pw_name);
	if (r == 0 && pw)
		r = strv_env_set(&env, "LOGNAME", pw->pw_name);
	if (r == 0 && pw && pw->pw_shell[0])
		r = strv_env_set(&env, "SHELL", pw->pw_shell);
	for (size_t i = 0; i < ARRAY_LEN(kept) && r == 0; i++) {
		const char *value = strv_env_get(caller, kept[i]);

		if (value && value[0] == '/')
			r = strv_env_set(&env, kept[i], value);
	}
	return r < 0 ? NULL : TAKE_PTR(env);
}

static int make_argv(char ***ret, const char *program, const struct start_request *q)
{
	_cleanup_(strv_freep) char **argv = NULL;
	char ready[32];
	int r;

	snprintf(ready, sizeof(ready), "--ready-fd=%d", READY_FD);
	r = strv_append(&argv, program);
	if (r == 0)
		r = strv_append(&argv, q->mode == PATHS_SYSTEM ? "--system" : "--user");
	if (r == 0)
		r = strv_append(&argv, ready);
	if (r == 0 && q->name_socket)
		r = strv_append_take(&argv, text_printf("--socket=%s", q->socket));
	if (r == 0 && q->name_state_dir)
		r = strv_append_take(
			&argv, text_printf("--state-dir=%s", q->state_dir));
	if (r == 0 && q->config)
		r = strv_append_take(&argv, text_printf("--config=%s", q->config));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(argv);
	return 0;
}

/* In the child: never returns. What fails is told over the pipe as "ERRNO n". */
static void __attribute__((noreturn))
become_daemon(char *const *argv, char *const *env, int log_fd, int ready_fd)
{
	char text[32];
	sigset_t none;
	int null_fd, n;

	/* out of the way of the numbers they will have */
	log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, 10);
	ready_fd = fcntl(ready_fd, F_DUPFD_CLOEXEC, 10);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	if (null_fd >= 0 && chdir("/") == 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
		dup2(log_fd, STDOUT_FILENO) >= 0 && dup2(log_fd, STDERR_FILENO) >= 0 &&
		dup2(ready_fd, READY_FD) >= 0 &&
		syscall(SYS_close_range, READY_FD + 1, ~0U, 4 /* CLOEXEC */) == 0)
		execve(argv[0], argv, env);
	n = snprintf(text, sizeof(text), "ERRNO %d\n", errno);
	if (write(ready_fd, text, (size_t)n) < 0)
		_exit(126);
	_exit(127);
}

/* Fork twice: a daemon that ends while its starter lives (`reeve run` may live long)
 * must not be its zombie. */
static int spawn_detached(char *const *argv, char *const *env, int log_fd, int ready_fd)
{
	pid_t pid = fork(), grandchild;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		setsid();
		grandchild = fork();
		if (grandchild == 0)
			become_daemon(argv, env, log_fd, ready_fd);
		_exit(grandchild < 0);
	}
	while (waitpid(pid, NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* what the daemon said since its start, whole lines, without the last one's end */
static char *log_since(const char *path, off_t from)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[LOG_TAIL_MAX + 1];
	const char *whole;
	struct stat st;
	ssize_t n;
	bool cut;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	cut = st.st_size - from > LOG_TAIL_MAX;
	if (cut)
		from = st.st_size - LOG_TAIL_MAX;
	n = pread(fd, text, LOG_TAIL_MAX, from);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\0'))
		n--;
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	whole = cut ? strchr(text, '\n') : NULL;
	return strdup(whole ? whole + 1 : text);
}

/* 0 when "READY=1" came; what went wrong else */
static int await_ready(int fd, const char *log_path, off_t log_from, char **err)
{
	char text[64];
	size_t n = 0;
	ssize_t got;
	int error;

	while (n < sizeof(text) - 1) {
		got = read(fd, text + n, sizeof(text) - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (memchr(text, '\n', n))
			break;
	}
	text[n] = '\0';
	if (strncmp(text, "READY=1\n", 8) == 0)
		return 0;
	if (sscanf(text, "ERRNO %d", &error) == 1)
		return -error;
	*err = log_since(log_path, log_from);
	return -RV_ESHUTDOWN;
}

/* Held while a daemon is being started; -errno or the descriptor. */
static int lock_start(const char *state_dir)
{
	_cleanup_free_ char *path = text_printf("%s/start.lock", state_dir);
	_cleanup_close_ int fd = -1;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return TAKE_FD(fd);
}

static bool answers(const char *socket)
{
	struct client *client;

	if (client_open(&client, socket, RV_SEC(10)) < 0)
		return false;
	client_close(client);
	return true;
}

static int start_locked(const struct start_request *q, const char *program, char **err)
{
	_cleanup_free_ char *log_path = text_printf("%s/reeved.log", q->state_dir);
	_cleanup_(strv_freep) char **argv = NULL, **env = start_environment(environ);
	_cleanup_close_ int log_fd = -1, ready_read = -1, ready_write = -1;
	struct stat st;
	int fds[2], r;

	if (!log_path || !env)
		return -ENOMEM;
	r = make_argv(&argv, program, q);
	if (r < 0)
		return r;
	log_fd = open(
		log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log_fd < 0 || fstat(log_fd, &st) < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	ready_read = fds[0];
	ready_write = fds[1];
	r = spawn_detached(argv, env, log_fd, ready_write);
	if (r < 0)
		return r;
	/* ours would keep the pipe open when the daemon dies */
	closep(&ready_write);
	return await_ready(ready_read, log_path, st.st_size, err);
}

int start_daemon(const struct start_request *q, char **err)
{
	_cleanup_free_ char *program = NULL;
	_cleanup_close_ int lock_fd = -1;
	int r;

	INVARIANT(q && q->socket && q->state_dir && err);
	r = program_find(&program, "reeved");
	if (r < 0) {
		*err = text_printf("reeved is not installed in %s", SBINDIR);
		return r;
	}
	r = mkdir_all(AT_FDCWD, q->state_dir, 0700);
	if (r < 0)
		return r;
	lock_fd = lock_start(q->state_dir);
	if (lock_fd < 0)
		return lock_fd;
	/* somebody may have started it while we waited for the lock */
	if (answers(q->socket))
		return 1;
	return start_locked(q, program, err);
}
