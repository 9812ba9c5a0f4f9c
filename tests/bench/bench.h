/*
 * What the benchmarks share: a daemon of their own, time, and ratios.
 *
 * Every figure is a ratio to a reference that does the same work in the same round; the
 * rounds alternate, and the median is printed with the least and the largest.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "client/client.h"
#include "reeve/base.h"

enum { BENCH_ROUNDS_MAX = 64 };

struct bench_series {
	double v[BENCH_ROUNDS_MAX];
	size_t n;
};
void bench_add(struct bench_series *s, double v);
double bench_median(const struct bench_series *s);
/* "name  median unit (min .. max)" */
void bench_print(const char *name, const struct bench_series *s, const char *unit);

struct bench_daemon {
	pid_t pid;
	char dir[64]; /* temporary; socket and state are in it */
	char socket[96];
};
/* conf: text of its configuration file. Dies where it does not start. */
void bench_daemon_start(struct bench_daemon *d, const char *conf);
/* The same, and what it logs as it would by itself is in a file, whose path goes into log. */
void bench_daemon_start_logged(
	struct bench_daemon *d, const char *conf, char *log, size_t size);
/* stops it, and removes the directory */
void bench_daemon_stop(struct bench_daemon *d);
struct client *bench_connect(const struct bench_daemon *d);
/* kilobytes resident */
long bench_rss_kib(pid_t pid);

/* submit n copies of a command, 500 in a call, pipelined; first id */
void bench_submit(struct client *c, const char *const *argv, size_t n, bool hold);
/* until all jobs that are unfinished have ended */
void bench_wait_all(struct client *c);
/* forget all finished jobs */
void bench_clean(struct client *c);

/* path of a program of this build; static */
const char *bench_program(const char *name);

void bench_die(const char *what, int err) __attribute__((noreturn));
int bench_check(const char *what, int r); /* dies when r < 0 */

#endif
