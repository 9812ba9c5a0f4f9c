#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { JOBS_PER_CALL = 500 };

void bench_die(const char *what, int err)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, rv_strerror(err));
	exit(1);
}

int bench_check(const char *what, int r)
{
	if (r < 0)
		bench_die(what, r);
	return r;
}

/* ---- figures ---------------------------------------------------------------------------- */

void bench_add(struct bench_series *s, double v)
{
	if (s->n < BENCH_ROUNDS_MAX)
		s->v[s->n++] = v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(const struct bench_series *s)
{
	struct bench_series t = *s;

	if (!t.n)
		return 0;
	qsort(t.v, t.n, sizeof(t.v[0]), by_value);
	return t.n % 2 ? t.v[t.n / 2] : (t.v[t.n / 2 - 1] + t.v[t.n / 2]) / 2;
}

void bench_print(const char *name, const struct bench_series *s, const char *unit)
{
	double min = s->n ? s->v[0] : 0, max = min;

	for (size_t i = 1; i < s->n; i++) {
		min = s->v[i] < min ? s->v[i] : min;
		max = s->v[i] > max ? s->v[i] : max;
	}
	printf("%-44s %10.3f %s  (%.3f .. %.3f, %zu rounds)\n", name, bench_median(s),
		unit, min, max, s->n);
	(void)fflush(stdout);
}

/* ---- a daemon of our own ----------------------------------------------------------------- */

const char *bench_program(const char *name)
{
	static char path[PATH_MAX + 64];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	bench_check("readlink", n < 0 ? -errno : 0);
	self[n] = '\0';
	/* BUILD/tests/bench/program */
	for (int i = 0; i < 3 && (slash = strrchr(self, '/')); i++)
		*slash = '\0';
	snprintf(path, sizeof(path), "%s/%s", self, name);
	return path;
}

static void write_conf(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		bench_die(path, errno);
}

/* log NULL: warnings, to where the benchmark's go */
static void exec_daemon(
	const struct bench_daemon *d, const char *conf, int ready, const char *log)
{
	char socket[128], state[128], config[160], fd[32];
	const char *program = bench_program("reeved");

	snprintf(socket, sizeof(socket), "--socket=%s", d->socket);
	snprintf(state, sizeof(state), "--state-dir=%s/state", d->dir);
	snprintf(config, sizeof(config), "--config=%s", conf);
	snprintf(fd, sizeof(fd), "--ready-fd=%d", ready);
	fcntl(ready, F_SETFD, 0);
	if (log && dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), 2) < 0)
		_exit(126);
	execl(program, program, "--user", socket, state, config, fd,
		log ? "--log-level=info" : "--log-level=warning", (char *)NULL);
	_exit(127);
}

static void make_dir(struct bench_daemon *d)
{
	snprintf(d->dir, sizeof(d->dir), "/var/tmp/reeve-bench-XXXXXX");
	if (!mkdtemp(d->dir))
		bench_die("mkdtemp", errno);
}

static void start(struct bench_daemon *d, const char *conf, const char *log)
{
	char path[128], c;
	int ready[2];

	snprintf(d->socket, sizeof(d->socket), "%s/socket", d->dir);
	snprintf(path, sizeof(path), "%s/reeve.conf", d->dir);
	write_conf(path, conf);
	bench_check("pipe", pipe2(ready, O_CLOEXEC) < 0 ? -errno : 0);
	d->pid = fork();
	bench_check("fork", d->pid < 0 ? -errno : 0);
	if (d->pid == 0)
		exec_daemon(d, path, ready[1], log);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		bench_die("reeved did not start", ECHILD);
	close(ready[0]);
}

void bench_daemon_start(struct bench_daemon *d, const char *conf)
{
	make_dir(d);
	start(d, conf, NULL);
}

void bench_daemon_start_logged(
	struct bench_daemon *d, const char *conf, char *log, size_t size)
{
	make_dir(d);
	snprintf(log, size, "%s/log", d->dir);
	start(d, conf, log);
}

void bench_daemon_stop(struct bench_daemon *d)
{
	char command[128];

	kill(d->pid, SIGTERM);
	while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
		;
	snprintf(command, sizeof(command), "rm -rf '%s'", d->dir);
	if (system(command) != 0) /* a benchmark's own directory */
		(void)fprintf(stderr, "bench: '%s' is left\n", d->dir);
}

struct client *bench_connect(const struct bench_daemon *d)
{
	struct client *c;

	bench_check("connect", client_open(&c, d->socket, RV_SEC(10)));
	return c;
}

long bench_rss_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kib;
}

/* ---- work --------------------------------------------------------------------------------- */

struct submits {
	const char *const *argv;
	size_t left;
	bool hold;
};

static int next_submit(void *arg, struct client_request *ret)
{
	struct submits *s = arg;
	size_t n = s->left < JOBS_PER_CALL ? s->left : JOBS_PER_CALL;
	json_t *jobs = json_array(), *command = json_array();

	if (n == 0) {
		json_decref(jobs);
		json_decref(command);
		return 0;
	}
	for (const char *const *a = s->argv; *a; a++)
		json_array_append_new(command, json_string(*a));
	for (size_t i = 0; i < n; i++) {
		json_t *job = json_pack("{s:O, s:s}", "command", command, "cwd", "/");

		if (s->hold)
			json_object_set_new(job, "hold", json_true());
		json_array_append_new(jobs, job);
	}
	json_decref(command);
	s->left -= n;
	ret->method = "io.reeve.Job.Submit";
	ret->params =
		json_pack("{s:o, s:[s]}", "jobs", jobs, "env", "PATH=/usr/bin:/bin");
	return 1;
}

static int expect_ok(void *arg, const struct client_reply *reply)
{
	if (reply->error)
		(void)fprintf(stderr, "bench: %s\n", reply->error);
	return reply->error ? -EPROTO : 0;
}

void bench_submit(struct client *c, const char *const *argv, size_t n, bool hold)
{
	struct submits s = {.argv = argv, .left = n, .hold = hold};

	bench_check(
		"submit", client_batch(c, 8, next_submit, expect_ok, &s, RV_SEC(60)));
}

static void call(struct client *c, const char *method, json_t *params)
{
	char *error = NULL;
	int r = client_call(c, method, params, NULL, &error, RV_FOREVER);

	json_decref(params);
	if (r > 0)
		(void)fprintf(stderr, "bench: %s: %s\n", method, error);
	free(error);
	bench_check(method, r > 0 ? -EINVAL : r);
}

void bench_wait_all(struct client *c)
{
	call(c, "io.reeve.Job.Wait", json_object());
}

void bench_clean(struct client *c)
{
	call(c, "io.reeve.Job.Clean", json_pack("{s:s}", "what", "finished"));
}
