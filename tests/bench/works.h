/*
 * The works C1 to C9 that runtimes are compared by: each as libreeve does it, and the
 * least that it costs. A count is a multiple of the work's unit. Ours run in a task.
 */
#ifndef BENCH_WORKS_H
#define BENCH_WORKS_H

#include <stddef.h>

#include "reeve/base.h"

enum {
	GATHERED = 10000, /* at once */
	CALLERS = 64,     /* of the thread pool */
	CHILDREN = 8,     /* at a time */
};
#define SLEEP RV_SEC(1) /* from when the sleeper runs */

/* /bin/true */
extern char *const work_true_argv[];

void work_die(const char *what, int err) __attribute__((noreturn, cold));
/* Dies when r < 0. Inlined: a call for each operation would be measured, too. */
static inline int work_check(const char *what, int r)
{
	if (__builtin_expect(r < 0, 0))
		work_die(what, r);
	return r;
}
long work_resident_kib(void);
/* the p99 of so many times; sorts them */
double work_late_ms(rv_time *late, size_t n);

struct sleepers_result {
	double bytes;   /* resident, each */
	double late_ms; /* p99 */
};

void bare_spawn_join(size_t n);
void bare_switches(size_t n);
void bare_queue_1(size_t n);
void bare_queue_64(size_t n);
void bare_gather(size_t n);
void bare_calls(size_t n);
void bare_children(size_t n);
void bare_deadlines(size_t n);
void bare_deadlines_yielding(size_t n);
void bare_lock(size_t n);
void bare_lock_contended(size_t n);
struct sleepers_result bare_sleepers(size_t n);

int our_spawn_join(size_t n);
int our_switches(size_t n);
int our_future_switches(size_t n);
int our_queue_1(size_t n);
int our_queue_64(size_t n);
int our_gather(size_t n);
int our_calls(size_t n);
int our_calls_64(size_t n);
int our_children(size_t n);
int our_deadlines(size_t n);
int our_deadlines_yielding(size_t n);
int our_lock(size_t n);
int our_lock_contended(size_t n);
struct sleepers_result our_sleepers(size_t n);

#endif
