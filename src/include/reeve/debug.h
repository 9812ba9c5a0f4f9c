/*
 * Looking into a loop.
 *
 * What its tasks wait for and where, how deep their stacks are, and what debug mode
 * watches for.
 *
 * (asyncio: debug mode, Task.get_stack, print_stack; the rest is new.) Debug mode is on
 * in a loop made with rv_loop_opts.debug or rv_run_opts.debug, after rv_loop_set_debug,
 * and in all where the environment has REEVE_DEBUG=1. What it finds goes to the loop's
 * exception handler (see rv_loop_set_exception_handler):
 *
 * - A callback, or a step of a task, that took longer than rv_loop_opts.slow_callback:
 *   which, how long, where the task went on to wait, and the calls it was in when it had
 *   lasted that long, innermost first. Such a report comes when the step has ended. One
 *   that lasts ten times as long, and a second at least, is told of while it lasts: a
 *   line, with the calls it is in then, goes to the log (rv_log_start) or else to stderr.
 *
 * - Use from a wrong thread. A function that belongs to the loop's thread and is called
 *   in another does nothing while the loop runs, and returns -RV_EWRONGLOOP, or false,
 *   NULL or 0 where its type has no room for that; what hands out a reference returns
 *   what it was given, without one. Functions that only look answer all the same. The
 *   report comes in the loop's own thread. Locks and their like, and queues, know no
 *   loop: they are taken to be of the thread whose loop used them first, until they are
 *   initialised again.
 *
 * - Awaiting outside of a task, where every await returns -RV_ENOTASK: in which function
 *   and which callback.
 *
 * - Tasks whose reference was dropped without anybody asking for the result, and that
 *   were not detached; where they were spawned.
 *
 * - Locks released by another task than their owner, shields without a deadline, and
 *   cancelled tasks that go on awaiting: see reeve_sync(3), reeve_scope(3).
 *
 * - A task that overflows its stack ends the process, in any mode; here a line on stderr
 *   says which it was, before it ends by the same SIGSEGV. Only where that signal has its
 *   default action, and what overflows touches the 16 KiB below the stack: a larger frame
 *   may step over them where code is built without -fstack-clash-protection.
 *
 * Connections, servers, children, generators and tasks that are left when a loop closes
 * are reported in any mode.
 *
 * Places are names of functions, with file and offset for addr2line(1), of what was not
 * stripped. They come from unwinding: a parked task is asked to look at its own stack,
 * which follows the tables that compilers on x86-64 and arm64 write by default and works
 * without frame pointers. It cannot see through code built without them
 * (-fno-asynchronous-unwind-tables), and shows nothing of a task that has less than
 * 24 KiB of its stack left. A function whose last act is the call has no frame (-O2 makes
 * a jump of that; -fno-optimize-sibling-calls does not). In a generator's body only that
 * body is seen.
 *
 * Who looks at a step while it lasts is a thread, rv-watchdog: one for the process, while
 * there is a loop in debug mode. It sleeps while no loop does anything. When a step lasts
 * too long, and once more when that is told of, it sends the loop's thread a signal, whose
 * handler notes the calls that the thread is in. What that means for the program:
 *
 * - The signal is a real-time signal that had its default action, and was not blocked,
 *   when the first loop came into debug mode; the highest of them but SIGRTMAX. Whoever
 *   sets a handler for it later keeps it: another is taken.
 *
 * - What the slow step is blocked in is interrupted. The kernel goes on with most calls
 *   by itself (SA_RESTART); signal(7) lists those which return EINTR all the same, among
 *   them poll, select, epoll_wait, nanosleep, and sockets with a timeout.
 *
 * - SIGSEGV has a handler as long, if it had its default action before; whoever sets
 *   another keeps it.
 *
 * - Both handlers run on the thread's alternate stack. A thread that has none, when it
 *   first runs a loop in debug mode, gets one of 64 KiB until it ends.
 *
 * - Where the loop's thread blocks the signal, or none was free, reports say how long,
 *   and not where. So they do in programs built with ThreadSanitizer, which holds signals
 *   back. A process that registers unwind tables of code made at run time
 *   (__register_frame) must not be in that when the signal comes: with gcc before 13 it
 *   takes a lock.
 *
 * - A child of fork has no watchdog for the loops that it has copies of, which it must
 *   not run; loops that it makes have one. Programs that are executed have the signal at
 *   its default.
 */
#ifndef REEVE_DEBUG_H
#define REEVE_DEBUG_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write all tasks that have not ended, as a tree, and the census of stacks, in debug mode
 * also by where tasks were spawned.
 *
 * Children of a group stand below the task that has the group, by age. A line has the
 * task's id, name and state, what it waits for, and who will end that: the task that it
 * awaits, the owner of the lock, the members of a gather that are not done. Below it
 * stand the calls that it is in, innermost first. Meant for people: the format changes.
 *
 * @fd  should not block, as the loop stands still meanwhile; errors are ignored
 *
 * The loop's thread, in a task or a callback; also between two runs. From a signal:
 * rv_signal_on with a callback that calls this.
 */
RV_PUBLIC void rv_debug_dump_tasks(rv_loop *l, int fd);

/** Write one task's part of that. Nothing of one that has ended. */
RV_PUBLIC void rv_task_print(rv_task *t, int fd);

/**
 * The calls that a task is in, innermost first, as backtrace(3): return addresses,
 * beginning with some of the library's own. For the running task, those of the caller.
 *
 * Returns how many were stored; 0: it has not begun, has ended, or too little is left of
 * its stack; -RV_EWRONGLOOP.
 */
RV_PUBLIC int rv_task_backtrace(rv_task *t, void **ret, size_t max);

/* the stacks of one size */
typedef struct rv_stack_census {
	size_t stack_size; /* bytes of address space of one, with its guard */
	size_t n_stacks;   /* mapped: in use and cached */
	size_t n_used;     /* of tasks and generators that have begun */
	size_t n_cached;   /* the others */
	size_t n_promised; /* of those, to tasks that have not begun */
	size_t n_touched;  /* ever used since they were mapped */
	/* The deepest use of any since it was mapped, by whichever task, bytes; cached ones
	 * forget it when their memory is given back after a peak. Whole pages under
	 * valgrind; pages that were swapped out count as unused. */
	size_t deepest;
	/* of those in use; in debug mode, by the tasks that have them now */
	size_t deepest_used;
} rv_stack_census;

/**
 * Count the loop's stacks. Reads each page that was ever used: some microseconds a stack.
 *
 * @ret  room for n; a task with another stack_size brings another element, 11 at most
 *
 * Returns how many sizes there are, which may be more than n; -RV_EWRONGLOOP.
 */
RV_PUBLIC int rv_debug_census(rv_loop *l, rv_stack_census *ret, size_t n);

/* the tasks that were spawned at one place, in debug mode */
typedef struct rv_site_census {
	/* a return address in the function that spawned them, for rv_debug_place; NULL: the
	 * library made them (rv_submit), or the others */
	const void *site;
	bool is_others; /* of all places beyond the first 256 */
	size_t n_tasks; /* that have begun, ended ones too */
	size_t n_live;  /* of those, that have not ended */
	size_t deepest; /* use of its stack by any of them, bytes */
} rv_site_census;

/**
 * Count stacks by where their tasks were spawned: which of them need the large ones.
 *
 * Only tasks that began in debug mode count, and until now only: what they were in when a
 * stack was looked at last, or ended with. In debug mode a stack is cleared before a task
 * begins on it, so that its use is its own; that costs some microseconds a task, more
 * after deep ones. Generators have stacks of their own, which are not in it.
 *
 * @ret  room for n; the deepest first, the others last
 *
 * Returns how many there are, 257 at most, which may be more than n; 0: debug mode was
 * never on, or l is closed; -RV_EWRONGLOOP.
 */
RV_PUBLIC int rv_debug_census_by_site(rv_loop *l, rv_site_census *ret, size_t n);

/**
 * The place of a return address, as it stands in reports: "function (file+0x1234)", or
 * what is known of that, or "0x1234". Cut to size.
 */
RV_TS void rv_debug_place(const void *ret, char *buf, size_t size);

/* one stack */
typedef struct rv_stack_info {
	rv_task *task; /* borrowed; NULL: cached, or a generator's */
	bool used;
	size_t size;  /* bytes that it has room for */
	size_t depth; /* as rv_stack_census.deepest_used */
} rv_stack_info;

/**
 * Call fn for each stack that was ever used, until it returns false. It must not spawn,
 * await or let a task end. Returns how many it was called for; -RV_EWRONGLOOP.
 */
RV_PUBLIC int rv_debug_stacks(
	rv_loop *l, bool (*fn)(const rv_stack_info *i, void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
