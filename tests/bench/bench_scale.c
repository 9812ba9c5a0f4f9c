/*
 * What many jobs cost: each verb and call against a daemon with few jobs queued and one with
 * many, in the same rounds; and the memory of the many.
 *
 *	bench_scale [LARGEST [ROUNDS [FEW]]]
 *
 * The verbs are timed as users meet them: the program is started, asks, prints and ends. The
 * calls, on a connection that stands, are the daemon's part of it. Adds go behind the many;
 * jobs that are added, started and waited for into a pool with a free slot beside them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { VERBS = 5, CALLS = 20, ADDS = 100, RUNS = 50 };

extern char **environ;

static const char *const sleeper[] = {"/bin/sleep", "100000", NULL};
static const char *const job[] = {"/bin/true", NULL};

struct side {
	struct bench_daemon d;
	struct client *c;
	struct bench_series *of; /* of each measure */
};

/* ---- what is measured: milliseconds for one, of so many ------------------------------- */

static double verb_ms(const struct side *s, const char *line)
{
	char program[4200], words[128], socket[128];
	char *argv[8] = {program};
	posix_spawn_file_actions_t actions;
	int n = 1;
	rv_time t;

	snprintf(program, sizeof(program), "%s", bench_program("reeve"));
	snprintf(words, sizeof(words), "%s", line);
	for (char *at = words; *at && n < 7; n++) {
		argv[n] = at;
		while (*at && *at != ' ')
			at++;
		if (*at)
			*at++ = '\0';
	}
	snprintf(socket, sizeof(socket), "%s", s->d.socket);
	setenv("REEVE_SOCKET", socket, 1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	t = rv_now();
	for (int i = 0; i < VERBS; i++) {
		int status;
		pid_t pid;

		bench_check(program,
			-posix_spawn(&pid, program, &actions, NULL, argv, environ));
		waitpid(pid, &status, 0);
		if (status != 0)
			bench_die(line, ECHILD);
	}
	posix_spawn_file_actions_destroy(&actions);
	return (double)(rv_now() - t) / 1e6 / VERBS;
}

/* one call; the reply is dropped */
static void call(struct client *c, const char *method, json_t *params)
{
	char *error = NULL;

	bench_check(method, client_call(c, method, params, NULL, &error, RV_FOREVER));
	if (error)
		bench_die(error, EPROTO);
	json_decref(params);
}

static double list_ms(const struct side *s, const char *unused)
{
	rv_time t = rv_now();

	(void)unused;
	for (int i = 0; i < CALLS; i++)
		call(s->c, "io.reeve.Job.List", json_pack("{s:i}", "limit", 20));
	return (double)(rv_now() - t) / 1e6 / CALLS;
}

static double show_ms(const struct side *s, const char *unused)
{
	rv_time t = rv_now();

	(void)unused;
	for (int i = 0; i < CALLS; i++)
		call(s->c, "io.reeve.Job.Show",
			json_pack("{s:{s:b}}", "select", "newest", 1));
	return (double)(rv_now() - t) / 1e6 / CALLS;
}

static double add_ms(const struct side *s, const char *unused)
{
	rv_time t = rv_now();

	(void)unused;
	for (int i = 0; i < ADDS; i++)
		bench_submit(s->c, job, 1, false);
	return (double)(rv_now() - t) / 1e6 / ADDS;
}

static double run_ms(const struct side *s, const char *unused)
{
	rv_time t = rv_now();

	(void)unused;
	for (int i = 0; i < RUNS; i++) {
		call(s->c, "io.reeve.Job.Submit",
			json_pack("{s:[{s:[s], s:s, s:s, s:s}]}", "jobs", "command",
				"/bin/true", "pool", "other", "name", "beside", "cwd",
				"/"));
		call(s->c, "io.reeve.Job.Wait",
			json_pack("{s:{s:[s]}}", "select", "names", "beside"));
	}
	return (double)(rv_now() - t) / 1e6 / RUNS;
}

static const struct measure {
	double (*fn)(const struct side *s, const char *line);
	const char *what;
	double ratio; /* goal of many to few; 0: none */
	double ms;    /* goal with many; 0: none */
} measures[] = {
	{verb_ms, "ls --limit 20", 0, 10},
	{list_ms, "call List, limit 20", 0, 10},
	{add_ms, "add", 1.5, 0},
	/* of the one that was added last: all others come before it */
	{verb_ms, "why", 0, 10},
	{show_ms, "call Show", 0, 10},
	{run_ms, "add, start and finish", 1.5, 0},
	/* these look at every job that may match */
	{verb_ms, "ls --limit 20 --sort=-priority,-id", 0, 0},
	{verb_ms, "ls --limit 20 --sort=pool,name", 0, 0},
	{verb_ms, "ls --limit 20 --failed", 0, 0},
	{verb_ms, "ls --limit 20 --label=none", 0, 0},
	{verb_ms, "ls --limit 20 --pool=other", 0, 0},
	{verb_ms, "stats", 0, 0},
	{verb_ms, "history --limit 1000", 0, 0},
};

enum { N_MEASURES = sizeof(measures) / sizeof(measures[0]) };

/* ---- both ----------------------------------------------------------------------------- */

static void side_start(struct side *s, size_t n)
{
	s->of = calloc(N_MEASURES, sizeof(*s->of));
	if (!s->of)
		bench_die("calloc", ENOMEM);
	bench_daemon_start(&s->d, "[reeved]\njobs-per-user-max = 100000000\n"
				  "jobs-max = 100000000\n"
				  "[pool default]\nslots = 1\n"
				  "[pool other]\nslots = 1\n");
	s->c = bench_connect(&s->d);
	bench_submit(s->c, sleeper, 1, false);
	bench_submit(s->c, job, n, false);
}

static void side_stop(struct side *s)
{
	client_close(s->c);
	bench_daemon_stop(&s->d);
	free(s->of);
}

static void print_measure(const struct measure *m, size_t n_few,
	const struct bench_series *few, size_t n_many, const struct bench_series *many)
{
	struct bench_series ratio = {.n = 0};
	char name[128], goal[32] = "";

	for (size_t i = 0; i < many->n; i++)
		bench_add(&ratio, many->v[i] / few->v[i]);
	printf("%s\n", m->what);
	snprintf(name, sizeof(name), "  with %zu", n_few);
	bench_print(name, few, "ms");
	if (m->ms > 0)
		snprintf(goal, sizeof(goal), " (goal %.0f)", m->ms);
	snprintf(name, sizeof(name), "  with %zu%s", n_many, goal);
	bench_print(name, many, "ms");
	snprintf(name, sizeof(name), m->ratio > 0 ? "  ratio (goal %.1f)" : "  ratio",
		m->ratio);
	bench_print(name, &ratio, "");
}

int main(int argc, char **argv)
{
	size_t largest = argc > 1 ? (size_t)atol(argv[1]) : 200000;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	size_t n_few = argc > 3 ? (size_t)atol(argv[3]) : 100;
	struct side few, many;
	long empty, full;

	side_start(&few, n_few);
	side_start(&many, 0);
	empty = bench_rss_kib(many.d.pid);
	bench_submit(many.c, job, largest, false);
	full = bench_rss_kib(many.d.pid);
	for (int i = 0; i < rounds; i++) {
		for (size_t m = 0; m < N_MEASURES; m++) {
			const struct measure *x = &measures[m];

			bench_add(&few.of[m], x->fn(&few, x->what));
			bench_add(&many.of[m], x->fn(&many, x->what));
		}
	}
	printf("memory of the daemon: %ld MiB empty, %ld MiB with %zu queued, %.0f "
	       "bytes "
	       "for each (goal: 600 MiB with a million)\n",
		empty / 1024, full / 1024, largest,
		(double)(full - empty) * 1024 / (double)largest);
	for (size_t m = 0; m < N_MEASURES; m++)
		print_measure(&measures[m], n_few, &few.of[m], largest, &many.of[m]);
	side_stop(&few);
	side_stop(&many);
	return 0;
}
