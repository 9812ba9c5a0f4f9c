/*
 * A log that never makes its writer wait: lines are handed to a thread that writes them.
 * (asyncio's advice to log through a thread, as a module.)
 *
 * One log for the process. Before rv_log_start and after rv_log_stop lines are dropped,
 * as they are when more than the limit waits to be written; how many is said in the next
 * line that is not. libreeve itself logs nothing: what it has to report goes to the
 * loop's exception handler. The one exception is a step in debug mode that does not end
 * (reeve/debug.h), of which no handler could be told.
 */
#ifndef REEVE_LOG_H
#define REEVE_LOG_H

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum rv_log_level {
	RV_LOG_ERROR,
	RV_LOG_WARNING,
	RV_LOG_NOTICE,
	RV_LOG_INFO,
	RV_LOG_DEBUG,
};

typedef struct rv_log_opts {
	int fd; /* 0: stderr; stays yours */
	enum rv_log_level
		level; /* the last that is written; the default is only errors */
	size_t limit;  /* bytes that may wait; 0: 1 MiB */
	bool times;    /* begin each line with the time, UTC */
} rv_log_opts;

/** o NULL: stderr, to RV_LOG_INFO, without times. 0; -EALREADY; -EAGAIN: no thread;
 * -EINVAL. */
RV_PUBLIC int rv_log_start(const rv_log_opts *o);
/** Write what waits, for at most timeout, and end the thread. 0; -ETIMEDOUT: the rest is
 * lost. Harmless when there is none. */
RV_PUBLIC int rv_log_stop(rv_time timeout);
/** One line; a '\n' is added, those inside become blanks. At most 4 KiB, cut beyond. Never
 * blocks, never awaits, keeps errno. */
RV_TS void rv_log(enum rv_log_level level, const char *fmt, ...) RV_PRINTF(2, 3);
/** Lines dropped so far for want of room or memory. */
RV_TS uint64_t rv_log_dropped(void);

#ifdef __cplusplus
}
#endif
#endif
