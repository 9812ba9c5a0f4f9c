/*
 * What many jobs cost: `reeve ls --limit 20`, why the last of them waits, memory, one more
 * add, and a job that is added, started and waited for beside them, in another pool; with 10,
 * 10,000 and 100,000 jobs queued.
 *
 *	bench_scale [LARGEST [ROUNDS]]
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

enum { ADDS = 200, LISTS = 20, WHYS = 50, RUNS = 50 };

extern char **environ;

static const char *const sleeper[] = {"/bin/sleep", "100000", NULL};
static const char *const job[] = {"/bin/true", NULL};

static double list_ms(const char *reeve)
{
	char program[4200], ls[] = "ls", limit[] = "--limit", twenty[] = "20";
	char *const argv[] = {program, ls, limit, twenty, NULL};
	posix_spawn_file_actions_t actions;
	rv_time t = rv_now();

	snprintf(program, sizeof(program), "%s", reeve);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	for (int i = 0; i < LISTS; i++) {
		int status;
		pid_t pid;

		bench_check(program,
			-posix_spawn(&pid, program, &actions, NULL, argv, environ));
		waitpid(pid, &status, 0);
		if (status != 0)
			bench_die("reeve ls", ECHILD);
	}
	posix_spawn_file_actions_destroy(&actions);
	return (double)(rv_now() - t) / 1e6 / LISTS;
}

static double add_ms(struct client *c)
{
	rv_time t = rv_now();

	for (int i = 0; i < ADDS; i++)
		bench_submit(c, job, 1, false);
	return (double)(rv_now() - t) / 1e6 / ADDS;
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

static double why_ms(struct client *c)
{
	rv_time t = rv_now();

	for (int i = 0; i < WHYS; i++)
		call(c, "io.reeve.Job.Show",
			json_pack("{s:{s:b}}", "select", "newest", 1));
	return (double)(rv_now() - t) / 1e6 / WHYS;
}

static double run_ms(struct client *c)
{
	rv_time t = rv_now();

	for (int i = 0; i < RUNS; i++) {
		call(c, "io.reeve.Job.Submit",
			json_pack("{s:[{s:[s], s:s, s:s, s:s}]}", "jobs", "command",
				"/bin/true", "pool", "other", "name", "beside", "cwd",
				"/"));
		call(c, "io.reeve.Job.Wait",
			json_pack("{s:{s:[s]}}", "select", "names", "beside"));
	}
	return (double)(rv_now() - t) / 1e6 / RUNS;
}

struct figures {
	struct bench_series list, add, why, run;
};

static void measure(struct figures *f, struct client *c, const char *reeve, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		bench_add(&f->list, list_ms(reeve));
		bench_add(&f->why, why_ms(c));
		bench_add(&f->add, add_ms(c));
		bench_add(&f->run, run_ms(c));
	}
}

int main(int argc, char **argv)
{
	size_t largest = argc > 1 ? (size_t)atol(argv[1]) : 100000;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	struct figures few = {.list.n = 0}, some = {.list.n = 0}, many = {.list.n = 0};
	struct bench_daemon d;
	struct client *c;
	long idle, before, after;
	char reeve[4200];

	bench_daemon_start(&d, "[pool default]\nslots = 1\n[pool other]\nslots = 1\n");
	snprintf(reeve, sizeof(reeve), "%s", bench_program("reeve"));
	setenv("REEVE_SOCKET", d.socket, 1);
	c = bench_connect(&d);
	idle = bench_rss_kib(d.pid);
	bench_submit(c, sleeper, 1, false);
	bench_submit(c, job, 9, false);
	measure(&few, c, reeve, rounds);
	bench_submit(c, job, largest / 10, false);
	measure(&some, c, reeve, rounds);
	before = bench_rss_kib(d.pid);
	bench_submit(c, job, largest, false);
	after = bench_rss_kib(d.pid);
	measure(&many, c, reeve, rounds);
	printf("idle daemon                                  %10ld KiB\n", idle);
	printf("a queued job, of %zu%*s%10.0f bytes (goal 1024)\n", largest, 22, "",
		(double)(after - before) * 1024 / (double)largest);
	bench_print("ls --limit 20, some 10 jobs", &few.list, "ms");
	bench_print("ls --limit 20, a tenth of the largest", &some.list, "ms");
	bench_print("ls --limit 20, the largest", &many.list, "ms");
	printf("  ratio largest / few: %.2f\n",
		bench_median(&many.list) / bench_median(&few.list));
	bench_print("one add, few jobs", &few.add, "ms");
	bench_print("one add, the largest", &many.add, "ms");
	printf("  ratio largest / few (goal 1.3): %.2f\n",
		bench_median(&many.add) / bench_median(&few.add));
	bench_print("why, few jobs", &few.why, "ms");
	bench_print("why, the largest (goal 10)", &many.why, "ms");
	bench_print("add, start and finish, few jobs", &few.run, "ms");
	bench_print("add, start and finish, the largest", &many.run, "ms");
	printf("  ratio largest / few (goal 1.5): %.2f\n",
		bench_median(&many.run) / bench_median(&few.run));
	client_close(c);
	bench_daemon_stop(&d);
	return 0;
}
