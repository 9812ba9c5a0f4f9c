/*
 * How long a ping takes while the daemon is busy: a batch of jobs, `ls --json` of very
 * many, checkpoints of the store, blocking functions, a large graph of jobs.
 *
 *	bench_latency [JOBS [SECONDS]]
 *
 * Goal: p99 of at most 10 ms in each.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum {
	PINGS_MAX = 1 << 20,
	GRAPH_JOBS = 20000, /* graph-max */
	CALL_JOBS = 500,    /* submit-max */
};

extern char **environ;

static const char *const true_job[] = {"/bin/true", NULL};
static double pings[PINGS_MAX];

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* until that child has ended */
static void ping_while(const struct bench_daemon *d, const char *name, pid_t busy)
{
	struct client *c = bench_connect(d);
	size_t n = 0;
	int status;

	while (waitpid(busy, &status, WNOHANG) == 0 && n < PINGS_MAX) {
		rv_time t = rv_now();

		bench_check("ping", client_call(c, "io.reeve.Daemon.Ping", NULL, NULL,
					    NULL, RV_SEC(60)));
		pings[n++] = (double)(rv_now() - t) / 1e6;
	}
	client_close(c);
	qsort(pings, n, sizeof(pings[0]), by_value);
	printf("%-40s p50 %7.3f  p99 %7.3f  max %7.3f ms (%zu pings; goal p99 10)\n",
		name, pings[n / 2], pings[n * 99 / 100], pings[n - 1], n);
	(void)fflush(stdout);
}

static void batch(const struct bench_daemon *d, size_t n)
{
	struct client *c = bench_connect(d);

	bench_submit(c, true_job, n, false);
	bench_wait_all(c);
	client_close(c);
}

static void list_all(const struct bench_daemon *d, size_t n)
{
	char program[4200], ls[] = "ls", json[] = "--json", all[] = "--all";
	char *const argv[] = {program, ls, json, all, NULL};

	snprintf(program, sizeof(program), "%s", bench_program("reeve"));
	for (int i = 0; i < 3; i++) {
		posix_spawn_file_actions_t actions;
		pid_t pid;

		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
		bench_check(program,
			-posix_spawn(&pid, program, &actions, NULL, argv, environ));
		waitpid(pid, NULL, 0);
		posix_spawn_file_actions_destroy(&actions);
	}
}

/* far more than what makes a checkpoint due */
static void fill_log(const struct bench_daemon *d, size_t n)
{
	struct client *c = bench_connect(d);

	bench_submit(c, true_job, n, true);
	client_close(c);
}

static void hash_files(const struct bench_daemon *d, size_t n)
{
	struct client *c = bench_connect(d);
	char path[128];
	json_t *jobs = json_array(), *params;

	snprintf(path, sizeof(path), "%s/large", d->dir);
	for (int i = 0; i < 64; i++)
		json_array_append_new(
			jobs, json_pack("{s:s, s:{s:s}}", "function", "file.hash",
				      "arguments", "path", path));
	params = json_pack("{s:o}", "jobs", jobs);
	bench_check("submit",
		client_call(c, "io.reeve.Job.Submit", params, NULL, NULL, RV_SEC(60)));
	json_decref(params);
	bench_wait_all(c);
	client_close(c);
}

/* job i of a graph: it waits for the one before it, and for one far before */
static json_t *graph_job(int i)
{
	json_t *j = json_pack("{s:[s], s:s, s:b}", "command", "/bin/true", "cwd", "/",
		"hold", i == 0);
	char before[16], far[16];

	snprintf(before, sizeof(before), "#%d", i - 1);
	snprintf(far, sizeof(far), "#%d", i / 2);
	if (i > 2)
		json_object_set_new(j, "after", json_pack("[s,s]", before, far));
	else if (i > 0)
		json_object_set_new(j, "after", json_pack("[s]", before));
	return j;
}

/* all in one transaction, by several calls */
static void submit_graph(const struct bench_daemon *d, size_t n_graphs)
{
	struct client *c = bench_connect(d);

	for (size_t g = 0; g < n_graphs; g++) {
		for (int at = 0; at < GRAPH_JOBS; at += CALL_JOBS) {
			json_t *jobs = json_array(), *params;
			char *error = NULL;

			for (int i = at; i < at + CALL_JOBS; i++)
				json_array_append_new(jobs, graph_job(i));
			params = json_pack("{s:o, s:i, s:b}", "jobs", jobs, "first", at,
				"more", at + CALL_JOBS < GRAPH_JOBS);
			bench_check(
				"submit", client_call(c, "io.reeve.Job.Submit", params,
						  NULL, &error, RV_SEC(60)));
			if (error)
				bench_die(error, EPROTO);
			json_decref(params);
		}
	}
	client_close(c);
}

static void make_large(const struct bench_daemon *d)
{
	static char block[1 << 20];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/large", d->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 64; i++)
		if (write(fd, block, sizeof(block)) < 0)
			bench_die(path, errno);
	close(fd);
}

static void measure(const struct bench_daemon *d, const char *name,
	void (*fn)(const struct bench_daemon *d, size_t n), size_t n)
{
	pid_t pid = fork();

	bench_check("fork", pid < 0 ? -errno : 0);
	if (pid == 0) {
		fn(d, n);
		_exit(0);
	}
	ping_while(d, name, pid);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)atol(argv[1]) : 10000;
	struct bench_daemon d;

	bench_daemon_start(&d, "[reeved]\nkeep-finished-max = 1000000\n");
	setenv("REEVE_SOCKET", d.socket, 1);
	make_large(&d);
	measure(&d, "during a batch of jobs", batch, n);
	measure(&d, "during adds and checkpoints", fill_log, 10 * n);
	measure(&d, "during ls --json of all", list_all, n);
	measure(&d, "during 64 blocking functions", hash_files, n);
	measure(&d, "during 3 graphs of 20,000 jobs", submit_graph, 3);
	bench_daemon_stop(&d);
	return 0;
}
