/*
 * A bare scheduler of a page: coroutines on stacks that are used again, a queue of those
 * that may run, nothing else. No cancelling, no names, no limits: what it costs is the
 * lower bound for what libreeve does.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stddef.h>

struct bare_task;

/* Make the current stack the scheduler's. */
void bare_init(void);
/* ready to run; on a stack from the pool */
struct bare_task *bare_spawn(void (*fn)(void *arg), void *arg);
/* run until nobody is ready */
void bare_run(void);

/* in a task: let the others run */
void bare_yield(void);
/* in a task: until bare_wake */
void bare_park(void);
struct bare_task *bare_self(void);
void bare_wake(struct bare_task *t);

#endif
