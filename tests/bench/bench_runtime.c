/*
 * The runtime against a bare scheduler of a page that does the same, in turns: nanoseconds
 * per operation of both, and the ratio. The works C1 to C9 are those that other runtimes
 * are measured by.
 *
 *	bench_runtime [ROUNDS [WORK...]]	WORK: C1 ... C9
 *
 * For peers/compare.sh, which puts other runtimes beside these:
 *
 *	bench_runtime --list			name|goal|what, a line for each work
 *	bench_runtime --one ours|bound WORK MS	one figure, from a run of about so long;
 *						of C4, whose argument is a count, two: the
 *						bytes each, and how late in ms (p99)
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"
#include "base/macro.h"
#include "reeve/reeve.h"
#include "works.h"

enum { ROUNDS_MAX = 33, SLEEPERS = 100000 };

char *const work_true_argv[] = {(char *)"/bin/true", NULL};

void work_die(const char *what, int err)
{
	(void)fprintf(stderr, "bench_runtime: %s: %s\n", what, rv_strerror(err));
	exit(1);
}

long work_resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size, resident = 0;

	if (!f || fscanf(f, "%ld %ld", &size, &resident) != 2)
		work_die("statm", -EIO);
	(void)fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int compare_times(const void *a, const void *b)
{
	rv_time x = *(const rv_time *)a, y = *(const rv_time *)b;

	return (x > y) - (x < y);
}

double work_late_ms(rv_time *late, size_t n)
{
	qsort(late, n, sizeof(*late), compare_times);
	return (double)late[n - 1 - n / 100] / 1e6;
}

static const struct work {
	const char *name, *what;
	size_t n, unit;
	void (*bare)(size_t n);
	int (*ours)(size_t n);
	double goal; /* ours / bare, at most; 0: none was set */
} works[] = {
	{"C1", "spawn and join", 1000000, 1, bare_spawn_join, our_spawn_join, 1.5},
	{"C2", "switch, by yielding", 3000000, 2, bare_switches, our_switches, 1.4},
	{"C2f", "switch, through a future", 1000000, 2, bare_switches,
		our_future_switches, 1.4},
	{"C3", "queue of 1, an item", 1000000, 1, bare_queue_1, our_queue_1, 1.55},
	{"C3b", "queue of 64, an item", 3000000, 1, bare_queue_64, our_queue_64, 1.55},
	{"C5", "gather, a task", 1000000, GATHERED, bare_gather, our_gather, 1.5},
	{"C6", "call in a thread", 20000, 1, bare_calls, our_calls, 1.0},
	{"C6b", "the same, 64 callers", 200000, CALLERS, bare_calls, our_calls_64, 0.1},
	{"C7", "child, 8 at a time", 800, CHILDREN, bare_children, our_children, 1.03},
	{"C8", "deadline that does not come", 1000000, 1, bare_deadlines, our_deadlines,
		1.9},
	{"C8b", "the same, of a yield", 1000000, 1, bare_deadlines_yielding,
		our_deadlines_yielding, 0},
	{"C9", "lock, free", 10000000, 1, bare_lock, our_lock, 2.1},
	{"C9b", "lock, among 8", 1000000, CHILDREN, bare_lock_contended,
		our_lock_contended, 1.5},
};

/* -- in turns ----------------------------------------------------------------------- */

static double measure_bare(const struct work *w, size_t n)
{
	rv_time t = rv_now();

	w->bare(n);
	return (double)(rv_now() - t);
}

struct run {
	const struct work *w;
	size_t n;
	double ns;
};

static int run_ours(void *arg)
{
	struct run *run = arg;
	rv_time t = rv_now();
	int r = run->w->ours(run->n);

	run->ns = (double)(rv_now() - t);
	return r;
}

static double measure_ours(const struct work *w, size_t n)
{
	struct run run = {w, n, 0};

	work_check(w->name, rv_run(run_ours, &run, NULL));
	return run.ns;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run_work(const struct work *w, int rounds)
{
	double bare[ROUNDS_MAX], ours[ROUNDS_MAX], ratio[ROUNDS_MAX];
	size_t n = w->n / w->unit * w->unit;

	for (int i = -1; i < rounds; i++) { /* the first warms up */
		double b = measure_bare(w, n) / (double)n;
		double o = measure_ours(w, n) / (double)n;

		if (i < 0)
			continue;
		bare[i] = b;
		ours[i] = o;
		ratio[i] = o / b;
	}
	qsort(bare, (size_t)rounds, sizeof(*bare), compare);
	qsort(ours, (size_t)rounds, sizeof(*ours), compare);
	qsort(ratio, (size_t)rounds, sizeof(*ratio), compare);
	printf("%-4s %-28s bare %9.1f  ours %9.1f ns  ratio %6.2f (%.2f .. %.2f)",
		w->name, w->what, bare[rounds / 2], ours[rounds / 2], ratio[rounds / 2],
		ratio[0], ratio[rounds - 1]);
	if (w->goal > 0)
		printf(", goal %.2f", w->goal);
	(void)putchar('\n');
	(void)fflush(stdout);
}

/* -- C4: a count, not a time ---------------------------------------------------------- */

struct sleepers_run {
	size_t n;
	struct sleepers_result result;
};

static int run_sleepers(void *arg)
{
	struct sleepers_run *run = arg;

	run->result = our_sleepers(run->n);
	return 0;
}

static struct sleepers_result measure_sleepers(size_t n)
{
	struct sleepers_run run = {.n = n};

	work_check("sleepers", rv_run(run_sleepers, &run, NULL));
	return run.result;
}

/* -- one figure ------------------------------------------------------------------------- */

/* the next count, after n took ns where want_ns are wanted */
static size_t more(const struct work *w, size_t n, double ns, double want_ns)
{
	double factor = ns > 0 ? 0.75 * want_ns / ns : 100;

	factor = MAX(factor, 2.0);
	factor = MIN(factor, 100.0);
	return ((size_t)((double)n * factor) + w->unit - 1) / w->unit * w->unit;
}

static void one(const struct work *w, bool ours, double ms)
{
	size_t n = w->unit;
	double ns;

	/* the first warms up; in no time at all, it must do */
	for (bool is_warm = ms <= 0;; is_warm = true) {
		ns = ours ? measure_ours(w, n) : measure_bare(w, n);
		if (ns < ms * 1e6 / 2)
			n = more(w, n, ns, ms * 1e6);
		else if (is_warm)
			break;
	}
	printf("%.2f\n", ns / (double)n);
}

static int one_of(char **argv)
{
	bool ours = strcmp(argv[0], "ours") == 0;

	if (!ours && strcmp(argv[0], "bound") != 0)
		work_die(argv[0], -EINVAL);
	if (strcmp(argv[1], "C4") == 0) {
		size_t n = strtoul(argv[2], NULL, 10);
		struct sleepers_result res =
			ours ? measure_sleepers(n) : bare_sleepers(n);

		printf("%.0f %.2f\n", res.bytes, res.late_ms);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		if (strcmp(works[i].name, argv[1]) == 0) {
			one(&works[i], ours, strtod(argv[2], NULL));
			return 0;
		}
	work_die(argv[1], -ENOENT);
}

static void list(void)
{
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		printf("%s|%.2f|%s\n", works[i].name, works[i].goal, works[i].what);
	/* 4,400 bytes against the 4,200 that a parked stack weighs; and 2 ms */
	(void)puts("C4|1.05|sleeper, bytes");
	(void)puts("C4p|0|the same, late p99, ms");
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	if (argc < 3)
		return true;
	for (int i = 2; i < argc; i++)
		if (strncmp(name, argv[i], strlen(argv[i])) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? MIN(MAX(atoi(argv[1]), 1), ROUNDS_MAX) : 7;

	bare_init();
	if (argc == 5 && strcmp(argv[1], "--one") == 0)
		return one_of(argv + 2);
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		if (is_wanted(works[i].name, argc, argv))
			run_work(&works[i], rounds);
	if (is_wanted("C4", argc, argv)) {
		/* first: what malloc has kept would count as theirs */
		struct sleepers_result o = measure_sleepers(SLEEPERS);
		struct sleepers_result b = bare_sleepers(SLEEPERS);

		printf("C4   %d sleepers: bare %.0f  ours %.0f bytes each (a stack "
		       "page is "
		       "4096), goal 4400; late p99: bare %.2f  ours %.2f ms, goal 2\n",
			SLEEPERS, b.bytes, o.bytes, b.late_ms, o.late_ms);
	}
	return 0;
}
