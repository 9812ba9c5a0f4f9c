/*
 * Are slots ever idle while something waits? 1,000 jobs of 20 to 50 ms on 8 slots, from the
 * batch submit until all have ended, with durability = full and output kept, against a bare
 * vfork + execve + wait4 loop that runs as many at a time.
 *
 *	bench_slots [N [ROUNDS]]
 *
 * The jobs themselves tell from when to when they ran. Busy: the sum of that / (slots * time
 * of the whole); ratio = that of reeve / that of the bare loop. Dies where ever more ran at a
 * time than there are slots.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { SLOTS = 8 };

struct span {
	int64_t from, to;
};

struct edge {
	int64_t at;
	int by; /* 1: one begins */
};

static void start_one(const char *program, const char *file)
{
	static char environment[] = "PATH=/usr/bin:/bin";
	char *const argv[] = {(char *)program, (char *)file, NULL};
	char *const envp[] = {environment, NULL};
	pid_t pid = vfork();

	bench_check("vfork", pid < 0 ? -errno : 0);
	if (pid == 0) {
		execve(program, argv, envp);
		_exit(127);
	}
}

/* seconds */
static double bare(const char *program, const char *file, size_t n)
{
	size_t started = 0, ended = 0;
	rv_time t = rv_now();
	int status;

	while (ended < n) {
		while (started < n && started - ended < SLOTS) {
			start_one(program, file);
			started++;
		}
		if (wait4(-1, &status, 0, NULL) <= 0)
			continue;
		if (status != 0)
			bench_die(program, ECHILD);
		ended++;
	}
	return (double)(rv_now() - t) / 1e9;
}

static double reeve(struct client *c, const char *program, const char *file, size_t n)
{
	const char *const argv[] = {program, file, NULL};
	rv_time t = rv_now();

	bench_submit(c, argv, n, false);
	bench_wait_all(c);
	return (double)(rv_now() - t) / 1e9;
}

static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	/* of one moment the end comes first */
	return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : x->by - y->by;
}

static void check_never_exceeded(const struct span *spans, size_t n)
{
	struct edge *edges = calloc(2 * n, sizeof(*edges));
	int running = 0;

	if (!edges)
		bench_die("calloc", ENOMEM);
	for (size_t i = 0; i < n; i++) {
		edges[2 * i] = (struct edge){spans[i].from, 1};
		edges[2 * i + 1] = (struct edge){spans[i].to, -1};
	}
	qsort(edges, 2 * n, sizeof(*edges), by_time);
	for (size_t i = 0; i < 2 * n; i++) {
		running += edges[i].by;
		if (running > SLOTS)
			bench_die("more than there are slots", ERANGE);
	}
	free(edges);
}

/* of the n jobs that wrote the file, which is emptied */
static double share_busy(const char *file, size_t n, double seconds)
{
	struct span *spans = calloc(n, sizeof(*spans));
	FILE *f = fopen(file, "re");
	double sum = 0;

	if (!spans || !f || fread(spans, sizeof(*spans), n, f) != n)
		bench_die("the jobs that ran", ENODATA);
	(void)fclose(f);
	for (size_t i = 0; i < n; i++)
		sum += (double)(spans[i].to - spans[i].from) / 1e9;
	check_never_exceeded(spans, n);
	free(spans);
	bench_check("truncate", truncate(file, 0) < 0 ? -errno : 0);
	return sum / (SLOTS * seconds);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)atol(argv[1]) : 1000;
	int rounds = argc > 2 ? atoi(argv[2]) : 3;
	struct bench_series ratio = {.n = 0}, ours = {.n = 0}, theirs = {.n = 0};
	char conf[64], program[4200], file[128];
	struct bench_daemon d;
	struct client *c;
	int fd;

	snprintf(conf, sizeof(conf), "[pool default]\nslots = %d\n", SLOTS);
	snprintf(program, sizeof(program), "%s", bench_program("tests/bench/busy"));
	bench_daemon_start(&d, conf);
	snprintf(file, sizeof(file), "%s/spans", d.dir);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bench_check(file, fd < 0 ? -errno : 0);
	close(fd);
	c = bench_connect(&d);
	for (int i = -1; i < rounds; i++) { /* the first only warms up */
		double b = share_busy(file, n, bare(program, file, n));
		double r = share_busy(file, n, reeve(c, program, file, n));

		bench_clean(c);
		if (i < 0)
			continue;
		bench_add(&theirs, b);
		bench_add(&ours, r);
		bench_add(&ratio, r / b);
	}
	client_close(c);
	bench_daemon_stop(&d);
	printf("%zu jobs of 20 to 50 ms, %d slots: the share of the time that they are "
	       "busy\n",
		n, SLOTS);
	bench_print("  bare loop", &theirs, "");
	bench_print("  reeve", &ours, "");
	bench_print("  ratio (goal 0.95)", &ratio, "");
	return 0;
}
