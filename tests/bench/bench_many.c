/*
 * Very many tasks asleep at once in one process, and fewer whose stacks are in use: what
 * each costs, and whether the memory goes back to the system when they have ended.
 *
 *	bench_many [SLEEPERS [DEEP]]	defaults 1000000 and 200000; 0: without
 *
 * Exit status 1 where a stack was not what its task had left, or where more than a tenth
 * of a peak stays; 77 where the system cannot bear so many: above what guards that are
 * mappings allow, Linux 6.13 is needed, and memory for all.
 */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/macro.h"
#include "reeve/reeve.h"

enum {
	SLEEPERS = 1000000,
	DEEP = 200000,
	USED = 8 * 1024,           /* of a deep stack, bytes */
	MAPPED_GUARDS = 30000,     /* tasks that any kernel bears */
	BYTES_EACH = 7 * 1024,     /* of a sleeper, with page tables and to spare */
	LEFT_SLACK_KIB = 8 * 1024, /* of slabs that stay, and of malloc */
};

static void die(const char *what, int err)
{
	(void)fprintf(stderr, "bench_many: %s: %s\n", what, rv_strerror(err));
	exit(1);
}

static void check(const char *what, int r)
{
	if (r < 0)
		die(what, r);
}

/* a field of a file of /proc in KiB */
static long proc_kib(const char *path, const char *field)
{
	FILE *f = fopen(path, "re");
	size_t n = strlen(field);
	char line[256];
	long kib = -1;

	if (!f)
		die(path, -errno);
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, field, n) == 0 && line[n] == ':')
			kib = strtol(line + n + 1, NULL, 10);
	(void)fclose(f);
	if (kib < 0)
		die(field, -ENODATA);
	return kib;
}

static long resident_kib(void)
{
	return proc_kib("/proc/self/status", "VmRSS");
}

static long tables_kib(void)
{
	return proc_kib("/proc/self/status", "VmPTE");
}

/* -- what the tasks do ---------------------------------------------------------------- */

struct crowd {
	size_t n;
	rv_fn body;
	rv_time until;
	rv_time *late;
	size_t n_asleep, n_woken;
	long before_kib, asleep_kib, tables_kib;
	rv_time spawn_ns;
};

static int sleep_until_then(void *arg)
{
	struct crowd *c = arg;
	int r;

	c->n_asleep++;
	r = rv_sleep_until(c->until);
	if (r < 0)
		return r;
	c->late[c->n_woken++] = rv_now() - c->until;
	return 0;
}

/* fills what it has of the stack, and finds it again */
static __attribute__((noinline)) int sleep_deep(void *arg)
{
	volatile unsigned char used[USED];
	unsigned char mark = (unsigned char)((uintptr_t)used >> 8);
	int r;

	for (size_t i = 0; i < sizeof(used); i += 64)
		used[i] = (unsigned char)(mark + i / 64);
	r = sleep_until_then(arg);
	for (size_t i = 0; i < sizeof(used); i += 64)
		if (used[i] != (unsigned char)(mark + i / 64))
			return -EFAULT;
	return r;
}

static int run_crowd(void *arg)
{
	struct crowd *c = arg;
	rv_time began = rv_now();
	rv_group g;

	c->before_kib = resident_kib();
	c->tables_kib = tables_kib();
	check("group", rv_group_enter(&g, RV_GROUP_FAIL_FAST));
	for (size_t i = 0; i < c->n; i++)
		if (!rv_group_spawn(&g, c->body, c))
			die("spawn", -errno);
	/* each takes its first step, which makes its stack: all before the first wakes */
	c->until = rv_now() + RV_SEC(1) + (rv_time)c->n * RV_US(30);
	check("yield", rv_yield());
	if (c->n_asleep != c->n || c->n_woken > 0)
		die("they should all be asleep", -EAGAIN);
	c->spawn_ns = rv_now() - began;
	c->asleep_kib = resident_kib() - c->before_kib;
	c->tables_kib = tables_kib() - c->tables_kib;
	check("exit", rv_group_exit(&g, 0));
	if (c->n_woken != c->n)
		die("they should all have woken", -EIO);
	/* the loop gives stacks back when it has nothing to do */
	check("sleep", rv_sleep(RV_MS(10)));
	return 0;
}

/* -- what is said of it ----------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
	rv_time x = *(const rv_time *)a, y = *(const rv_time *)b;

	return (x > y) - (x < y);
}

static bool is_given_back(long left_kib, long peak_kib)
{
	long max_kib = peak_kib / 10 + LEFT_SLACK_KIB;

#ifdef REEVE_SANITIZED
	return true; /* they keep what was freed */
#endif
	if (left_kib > max_kib)
		(void)fprintf(stderr,
			"bench_many: %ld KiB are left, %ld at most may be\n", left_kib,
			max_kib);
	return left_kib <= max_kib;
}

/* false where too much of it stays */
static bool measure(const char *what, size_t n, rv_fn body)
{
	struct crowd c = {.n = n, .body = body};
	rv_runner *runner;
	long left;

	if (n == 0)
		return true;
	c.late = calloc(n, sizeof(*c.late));
	if (!c.late)
		die("lateness", -ENOMEM);
	memset(c.late, 1, n * sizeof(*c.late)); /* resident before the measurement */
	check("runner", rv_runner_new(&runner, NULL));
	check(what, rv_runner_run(runner, run_crowd, &c));
	/* what malloc keeps is no stack */
	(void)malloc_trim(0);
	left = resident_kib() - c.before_kib;
	qsort(c.late, n, sizeof(*c.late), compare_times);
	printf("%zu %s: %ld bytes each, and %ld of page tables; %.1f us to start, late "
	       "p99 "
	       "%.1f ms; afterwards %ld of %ld MiB left\n",
		n, what, (long)((double)c.asleep_kib * 1024 / (double)n),
		(long)((double)c.tables_kib * 1024 / (double)n),
		(double)c.spawn_ns / 1e3 / (double)n,
		(double)c.late[n - 1 - n / 100] / 1e6, left / 1024,
		c.asleep_kib / 1024);
	(void)fflush(stdout);
	check("close", rv_runner_close(runner));
	rv_runner_free(runner);
	free(c.late);
	return is_given_back(left, c.asleep_kib);
}

/* says why not */
static bool system_bears(size_t n, size_t bytes_each)
{
	long need_kib = (long)(n / 1024 * bytes_each);
	long free_kib = proc_kib("/proc/meminfo", "MemAvailable");
	struct utsname u;
	char *minor;

	if (n <= MAPPED_GUARDS)
		return true;
#ifdef REEVE_SANITIZED
	printf("skipped: guards are mappings with sanitizers, %d tasks at most\n",
		MAPPED_GUARDS);
	return false;
#endif
	if (uname(&u) < 0)
		die("uname", -errno);
	if (strtol(u.release, &minor, 10) * 1000 + strtol(minor + 1, NULL, 10) < 6013) {
		printf("skipped: %zu tasks need Linux 6.13, this is %s\n", n,
			u.release);
		return false;
	}
	if (free_kib < need_kib) {
		printf("skipped: %zu tasks need %ld MiB, %ld are free\n", n,
			need_kib / 1024, free_kib / 1024);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	size_t sleepers = argc > 1 ? strtoul(argv[1], NULL, 10) : SLEEPERS;
	size_t deep = argc > 2 ? strtoul(argv[2], NULL, 10) : DEEP;

#ifdef REEVE_SANITIZED
	if (sleepers <= MAPPED_GUARDS && deep <= MAPPED_GUARDS) {
		(void)puts("with sanitizers, whose shadow of a stack stays: a tenth");
		sleepers /= 10;
		deep /= 10;
	}
#endif
	if (!system_bears(sleepers, BYTES_EACH) ||
		!system_bears(deep, BYTES_EACH + USED))
		return 77;
	return measure("sleepers", sleepers, sleep_until_then) &&
			       measure("stacks in use", deep, sleep_deep)
		       ? 0
		       : 1;
}
