#include "config.h"

#include "spawner_fixture.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "spawn/launch.h"
#include "spawn/procfs.h"

char *const *fx_sh(const char *line)
{
	static char *argv[4];

	argv[0] = (char *)"/bin/sh";
	argv[1] = (char *)"-c";
	argv[2] = (char *)line;
	return argv;
}

struct spawn_token fx_token(uint64_t job_id)
{
	return (struct spawn_token){job_id, 1, 10};
}

const char *fx_path(struct fx *fx, const char *name)
{
	static char paths[4][256];
	static unsigned int i;
	char *p = paths[i++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", fx->dir, name);
	return p;
}

static void wait_readable(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	ck_assert_msg(poll(&pfd, 1, FX_PATIENCE_MS) == 1, "nothing came");
}

/* -- events -------------------------------------------------------------------------
 */

static struct fx_event *add(struct fx *fx, enum fx_kind kind)
{
	struct fx_event *e = &fx->events[fx->n_events];

	ck_assert_uint_lt(fx->n_events, FX_EVENTS_MAX);
	fx->n_events++;
	*e = (struct fx_event){.kind = kind, .pidfd = -1, .stdin_fd = -1};
	return e;
}

static int on_hello(const struct wire_hello *hello, void *arg)
{
	add(arg, FX_HELLO)->hello = *hello;
	return 0;
}

static void add_run(struct fx *fx, enum fx_kind kind, const struct spawn_run_info *info,
	int pidfd, int stdin_fd)
{
	struct fx_event *e = add(fx, kind);

	e->info = *info;
	e->pidfd = pidfd;
	e->stdin_fd = stdin_fd;
}

static void on_table_run(
	const struct spawn_run_info *info, int pidfd, int stdin_fd, void *arg)
{
	add_run(arg, FX_TABLE_RUN, info, pidfd, stdin_fd);
}

static void on_table_end(void *arg)
{
	add(arg, FX_TABLE_END);
}

static void on_started(
	const struct spawn_run_info *info, int pidfd, int stdin_fd, void *arg)
{
	add_run(arg, FX_STARTED, info, pidfd, stdin_fd);
}

static void on_start_failed(const struct spawn_run_info *info, void *arg)
{
	add_run(arg, FX_FAILED, info, -1, -1);
}

static void on_exited(const struct spawn_run_info *info, void *arg)
{
	add_run(arg, FX_EXITED, info, -1, -1);
}

static void on_query(const struct spawn_run_info *info, void *arg)
{
	add_run(arg, FX_QUERY, info, -1, -1);
}

static void on_result(uint32_t seq, const struct spawn_token *t, int error, void *arg)
{
	struct fx_event *e = add(arg, FX_RESULT);

	e->info.token = *t;
	e->seq = seq;
	e->error = error;
}

static void on_orphan(const struct spawn_orphan *orphan, void *arg)
{
	struct fx_event *e = add(arg, FX_ORPHAN);

	e->orphan = *orphan;
	e->info.token = orphan->token;
}

static void on_notify(int fd, void *arg)
{
	add(arg, FX_NOTIFY)->notify_fd = fd;
}

static void on_said(const struct spawn_token *t, const char *text, void *arg)
{
	struct fx_event *e = add(arg, FX_SAID);

	e->info.token = *t;
	snprintf(e->said, sizeof(e->said), "%s", text);
}

static void on_run_ready(const struct spawn_run_info *info, void *arg)
{
	add_run(arg, FX_READY, info, -1, -1);
}

static const struct spawn_client_ops ops = {
	.on_hello = on_hello,
	.on_table_run = on_table_run,
	.on_table_end = on_table_end,
	.on_started = on_started,
	.on_start_failed = on_start_failed,
	.on_exited = on_exited,
	.on_query = on_query,
	.on_result = on_result,
	.on_orphan = on_orphan,
	.on_notify = on_notify,
	.on_said = on_said,
	.on_run_ready = on_run_ready,
};

/* -- spawner and connection ---------------------------------------------------------
 */

/* Check leaves a failed test by _exit: no teardown, and a spawner outlives us by
 * design. */
static void guard_begin(struct fx *fx)
{
	int fds[2], spawner = pidfd_open(fx->spawner, 0);
	char c;

	ck_assert_int_ge(spawner, 0);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	fx->guard = fork();
	ck_assert_int_ge(fx->guard, 0);
	if (fx->guard == 0) {
		(void)setsid(); /* a timeout kills our group */
		close(fds[1]);
		while (read(fds[0], &c, 1) > 0)
			;
		(void)pidfd_send_signal(spawner, SIGTERM, NULL, 0);
		(void)pidfd_send_signal(spawner, SIGINT, NULL, 0);
		(void)pidfd_send_signal(spawner, SIGCONT, NULL, 0);
		_exit(0);
	}
	close(fds[0]);
	close(spawner);
	fx->guard_fd = fds[1];
}

static void guard_end(struct fx *fx)
{
	close(fx->guard_fd);
	ck_assert_int_eq(waitpid(fx->guard, NULL, 0), fx->guard);
}

void fx_launch(struct fx *fx)
{
	/* the sanitizer's options, and where a crash test stops it */
	static const char *const passed[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS",
		"TSAN_OPTIONS", "LD_LIBRARY_PATH", "REEVE_FAILPOINT",
		"REEVE_FAILPOINT_LOG"};
	char entries[ARRAY_LEN(passed)][1024];
	char *env[ARRAY_LEN(passed) + 1];
	struct spawn_launch launch = {.program = REEVE_SPAWNER, .state_dir = fx->dir};
	size_t n = 0;
	int ready_fd, r;

	if (fx->dir[0] == '\0') {
		strcpy(fx->dir, "/tmp/reeve-spawn-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(fx->dir));
	}
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		if (!getenv(passed[i]))
			continue;
		snprintf(entries[n], sizeof(entries[n]), "%s=%s", passed[i],
			getenv(passed[i]));
		env[n] = entries[n];
		n++;
	}
	env[n] = NULL;
	launch.env = env;
	r = spawn_launch(&fx->spawner, &ready_fd, &launch);
	ck_assert_int_eq(r, 0);
	guard_begin(fx);
	wait_readable(ready_fd);
	r = spawn_ready(ready_fd);
	ck_assert_msg(r == 0, "not ready: %s", rv_strerror(r));
	close(ready_fd);
}

void fx_connect(struct fx *fx)
{
	int fd, r;

	r = spawn_connect(&fd, fx->dir);
	ck_assert_msg(r == 0, "connect: %s", rv_strerror(r));
	r = spawn_client_new(&fx->client, fd, &ops, fx);
	ck_assert_int_eq(r, 0);
	fx->lost = 0;
	fx_wait(fx, FX_TABLE_END, 0);
}

void fx_disconnect(struct fx *fx)
{
	fx->client = spawn_client_free(fx->client);
}

void fx_begin(struct fx *fx)
{
	fx_launch(fx);
	fx_connect(fx);
}

void fx_stop_spawner(struct fx *fx, int sig)
{
	int fd = pidfd_open(fx->spawner, 0), status;

	ck_assert_int_ge(fd, 0);
	kill(fx->spawner, sig);
	wait_readable(fd);
	close(fd);
	ck_assert_int_eq(waitpid(fx->spawner, &status, 0), fx->spawner);
	if (sig == SIGTERM)
		ck_assert_int_eq(status, 0);
	fx->spawner = 0;
	guard_end(fx);
}

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)remove(path);
	return 0;
}

void fx_end(struct fx *fx)
{
	fx->client = spawn_client_free(fx->client);
	if (fx->spawner > 0) {
		/* twice: at once, without grace */
		kill(fx->spawner, SIGTERM);
		kill(fx->spawner, SIGINT);
		fx_stop_spawner(fx, SIGTERM);
	}
	for (size_t i = 0; i < fx->n_events; i++) {
		close_safe(fx->events[i].pidfd);
		close_safe(fx->events[i].stdin_fd);
	}
	nftw(fx->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(fx);
}

void fx_pump(struct fx *fx)
{
	struct pollfd pfd = {.fd = spawn_client_fd(fx->client), .events = POLLIN};

	if (spawn_client_wants_write(fx->client))
		pfd.events |= POLLOUT;
	ck_assert_msg(poll(&pfd, 1, FX_PATIENCE_MS) == 1, "the spawner says nothing");
	fx->lost = MIN(0, spawn_client_process(fx->client));
}

static struct fx_event *find(struct fx *fx, enum fx_kind kind, uint64_t job_id)
{
	for (size_t i = 0; i < fx->n_events; i++) {
		struct fx_event *e = &fx->events[i];

		if (e->kind == kind && !e->seen &&
			(job_id == 0 || e->info.token.job_id == job_id))
			return e;
	}
	return NULL;
}

bool fx_has(struct fx *fx, enum fx_kind kind, uint64_t job_id)
{
	return find(fx, kind, job_id) != NULL;
}

struct fx_event *fx_wait(struct fx *fx, enum fx_kind kind, uint64_t job_id)
{
	struct fx_event *e;

	while (!(e = find(fx, kind, job_id))) {
		fx_pump(fx);
		ck_assert_msg(fx->lost == 0 || find(fx, kind, job_id),
			"connection lost: %s", rv_strerror(fx->lost));
	}
	e->seen = true;
	return e;
}

void fx_settle(struct fx *fx)
{
	struct spawn_token none = fx_token(UINT64_MAX);

	ck_assert_int_eq(spawn_client_query(fx->client, &none, NULL), 0);
	fx_wait(fx, FX_RESULT, UINT64_MAX);
}

/* -- runs ---------------------------------------------------------------------------
 */

struct spawn_request fx_request(uint64_t job_id, const char *line)
{
	return (struct spawn_request){
		.token = fx_token(job_id),
		.argv = fx_sh(line),
		.umask = 022,
		.nice = SPAWN_NICE_KEEP,
		.uid = SPAWN_ID_KEEP,
		.gid = SPAWN_ID_KEEP,
		.stdout_fd = -1,
		.stderr_fd = -1,
		.start_timeout = RV_SEC(20),
		.kill_grace = RV_SEC(20),
		.kill_signal = SIGTERM,
	};
}

void fx_start(struct fx *fx, const struct spawn_request *req)
{
	int r = spawn_client_start(fx->client, req);

	ck_assert_msg(r == 0, "start: %s", rv_strerror(r));
	ck_assert_int_eq(spawn_client_flush(fx->client), 0);
}

const struct fx_event *fx_run(struct fx *fx, uint64_t job_id, const char *line)
{
	struct spawn_request req = fx_request(job_id, line);

	fx_start(fx, &req);
	return fx_wait(fx, FX_STARTED, job_id);
}

const char *fx_read(struct fx *fx, const char *name)
{
	static struct buf text;

	buf_clear(&text);
	ck_assert_int_eq(file_read(&text, AT_FDCWD, fx_path(fx, name), 1 << 20), 0);
	ck_assert_int_eq(buf_append(&text, "", 1), 0);
	return buf_head(&text);
}

bool fx_is_alive(pid_t pid)
{
	struct proc_stat st;

	return proc_stat_read(&st, pid) == 0 && !proc_stat_is_dead(&st);
}

void fx_wait_gone(pid_t pid)
{
	int fd = pidfd_open(pid, 0);

	if (fd < 0) {
		ck_assert_int_eq(errno, ESRCH);
		return;
	}
	wait_readable(fd);
	close(fd);
}

int fx_fifo(struct fx *fx, const char *name)
{
	const char *path = fx_path(fx, name);
	int fd;

	ck_assert_int_eq(mkfifo(path, 0666), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

long fx_fifo_number(int fd)
{
	char line[32];
	size_t n = 0;

	do {
		wait_readable(fd);
		ck_assert_int_eq(read(fd, &line[n], 1), 1);
	} while (line[n++] != '\n' && n < sizeof(line) - 1);
	line[n] = '\0';
	return strtol(line, NULL, 10);
}
