/*
 * Debug mode from the inside: who asks whether it is on, and who is told what it finds.
 *
 * Whether any loop of the process is in debug mode is one counter, so that a check costs
 * a load and a branch where none is; what comes after the branch is out of the way.
 */
#ifndef RUNTIME_DEBUG_PRIV_H
#define RUNTIME_DEBUG_PRIV_H

#include "base/macro.h"
#include "reeve/types.h"

struct coro;
struct coro_pool;
struct rv_task;

#define COLD __attribute__((noinline, cold, visibility("hidden")))

/* open loops in debug mode; atomic */
extern unsigned n_debug_loops __attribute__((visibility("hidden")));

static inline bool debug_is_on(void)
{
	return UNLIKELY(__atomic_load_n(&n_debug_loops, __ATOMIC_RELAXED) > 0);
}

/*
 * For a function that belongs to the thread of l (NULL: of no loop any more). True: this
 * is another, and l's exception handler will be told so; do nothing.
 */
#define WRONG_THREAD(l) WRONG_THREAD_FOR((l), __func__)
#define WRONG_THREAD_FOR(l, fn) \
	(debug_is_on() && debug_wrong_thread((l), (fn), __builtin_return_address(0)))
COLD bool debug_wrong_thread(const rv_loop *l, const char *fn, const void *caller);

/*
 * The same for what stands in the caller's memory and knows no loop: it is of the thread
 * whose loop used it first. home: NULL at first.
 */
#define WRONG_HOME(home)  \
	(debug_is_on() && \
		debug_wrong_home((home), __func__, __builtin_return_address(0)))
COLD bool debug_wrong_home(const void *const *home, const char *fn, const void *caller);

/* fn awaits, and no task runs. -RV_ENOTASK */
COLD int debug_await_outside(const char *fn);

/* around each step of a loop in debug mode */
struct debug_step {
	struct rv_task *task; /* referenced; NULL: a callback's */
	bool is_first;        /* of the task, which has got its stack */
	rv_time began;
};
COLD void debug_step_begins(rv_loop *l, struct debug_step *s);
COLD void debug_step_ended(rv_loop *l, const struct debug_step *s);
/* t, which is about to go, has ended well, and nobody has asked how. */
COLD void debug_report_unawaited(struct rv_task *t);

/*
 * For a function that spawns: as WRONG_THREAD, and the task that is made next was spawned
 * by its caller.
 */
#define WRONG_THREAD_TO_SPAWN(l) \
	(debug_is_on() && debug_spawns_from((l), __func__, __builtin_return_address(0)))
COLD bool debug_spawns_from(rv_loop *l, const char *fn, const void *caller);
/* t is that task */
COLD void debug_note_spawn(struct rv_task *t);

/* debug_symbol.c: addresses for people */
enum { SYMBOL_MAX = 192 };

/* the file that was asked last */
struct symbols {
	const void *base; /* where it is loaded; NULL: none yet */
	const char *file; /* mapped; NULL: cannot be read */
	size_t size;
};

#define SYMBOLS_NULL ((struct symbols){0})

void symbols_deinit(struct symbols *s);
/* name+0x12 (file+0x3456), or what is known of that. A return address is that of the
 * call's end: pass ret - 1. */
void symbol_text(struct symbols *s, const void *pc, char *buf, size_t size);
/* Is it in libreeve.so? False where the library is part of the program. */
bool symbol_is_own(const void *pc);
/* false: it has no name */
bool symbol_name(struct symbols *s, const void *pc, char *buf, size_t size);

/* loop_report.c: a line for people, to stderr */
void report_print(const char *text);

/* debug_stack.c */
enum { FRAMES_MAX = 48 };

/*
 * Where the calls of a task stand, innermost first: those of the user, from the library's
 * function that waits to the task's body.
 */
struct frames {
	const void *pcs[FRAMES_MAX]; /* return addresses */
	size_t n;
	size_t i_wait;  /* the library's function that was called */
	size_t i_place; /* who called it: the place; n: not known */
};
bool task_is_running(const struct rv_task *t);
/* False: it has no stack, or not enough of it left to look from there. */
bool frames_of(struct rv_task *t, struct symbols *s, struct frames *ret);
/* the deepest use of a stack since it was mapped, or cleared, bytes */
size_t coro_depth(const struct coro *c);
/* Forget what was on a parked stack below what it has parked with. */
void coro_clear(struct coro *c);
/* before that: keep it for the census */
void coro_pool_note_depth(struct coro_pool *p, const struct coro *c);

/* debug_site.c: stacks by where their tasks were spawned. t is of a loop in debug mode. */
struct sites;
/* Debug mode is switched on; s NULL: for the first time. NULL: no memory. Freed by free. */
struct sites *sites_begin_period(struct sites *s);
/* It has got its stack, and not run. */
void site_task_begins(struct rv_task *t);
/* It has given it back. */
void site_task_ended(struct rv_task *t);
/* around what uses its stack on behalf of somebody else; in any mode */
void site_before_probe(struct rv_task *t);
void site_after_probe(struct rv_task *t);

/* debug_stall.c: who looks at steps while they last */
struct stall;
struct sample;
/* l is in debug mode from now on; NULL: no memory, or no thread */
struct stall *stall_watch(const rv_loop *l);
/* It is no more; NULL. Any thread while none runs l. */
struct stall *stall_unwatch(struct stall *s);
/* t NULL: a callback's */
void stall_step_begins(struct stall *s, const struct rv_task *t, rv_time now);
/* Where it was when it had lasted too long, valid until the next; NULL: it has not, or
 * that is not known. */
const struct sample *stall_step_ends(struct stall *s);

#endif
