/*
 * What every other header of libreeve stands on: time, error codes, annotations.
 *
 * Time is one type: rv_time, int64 nanoseconds of CLOCK_MONOTONIC (durations too).
 * Errors are negative ints: -errno where an errno fits, a code of RV_E* (all above 1000,
 * outside the kernel's range) where none does. 0 or more is success.
 */
#ifndef REEVE_BASE_H
#define REEVE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef RV_PUBLIC /* the library's own build may add to it */
#	define RV_PUBLIC __attribute__((visibility("default")))
#endif
#ifdef __clang__
#	define RV_MARK(text) __attribute__((annotate(text)))
#else
#	define RV_MARK(text)
#endif
/** May suspend, is a cancellation point, and its result must be looked at. (rv_gen_yield,
 * which goes on in the same task, hands its value over also in one that is cancelled.) Of
 * the others only rv_group_exit, rv_gen_close and rv_file_close suspend: they go on to
 * their end also in a task that is cancelled. Clang's syntax tree has annotate("rv_await") where this
 * stands, for checkers that follow who calls what. */
#define RV_AWAIT RV_MARK("rv_await") __attribute__((warn_unused_result)) RV_PUBLIC
/** Callable from any thread. Everything unmarked belongs to the loop's thread. */
#define RV_TS           RV_PUBLIC
#define RV_PRINTF(f, a) __attribute__((format(printf, f, a)))

typedef int64_t rv_time; /* nanoseconds, CLOCK_MONOTONIC */
#define RV_FOREVER INT64_MAX
#define RV_NS(n)   ((rv_time)(n))
#define RV_US(n)   ((rv_time)(n)*1000)
#define RV_MS(n)   ((rv_time)(n)*1000000)
#define RV_SEC(n)  ((rv_time)(n)*1000000000)

/* own error codes; the texts are in base/error_codes.def */
enum rv_error {
	RV_ESTATE = 1001,      /* the object is not in a state that allows this */
	RV_EINCOMPLETE = 1002, /* end of stream before all that was asked for */
	RV_ELIMIT = 1003,      /* a limit would be passed */
	RV_EBROKEN = 1004,     /* the barrier is broken */
	RV_ESHUTDOWN = 1005,   /* the queue, executor or group is shut down */
	RV_ELOOPCLOSED = 1006, /* the loop is closed */
	RV_ERUNNING = 1007,    /* cannot be called from a running loop */
	RV_ENOTASK = 1008,     /* awaiting outside of a task */
	RV_EWRONGLOOP = 1009,  /* the object belongs to another loop */
	RV_ENOSENDFILE = 1010, /* sendfile is not possible here */
};

typedef int (*rv_fn)(void *arg);  /* task body; result >= 0 or a negative error */
typedef void (*rv_cb)(void *arg); /* loop callback; must not await */
typedef void (*rv_dtor)(void *p); /* p is not needed any more; must not await */

/**
 * Text of an error, in English, for people.
 *
 * @err  an errno value or RV_E* code, of either sign
 *
 * Returns a static or thread-local string, never NULL. Any thread.
 */
RV_TS const char *rv_strerror(int err);

/* Bytes that a function hands out; begin with {NULL, 0}. */
typedef struct rv_buf {
	char *data; /* allocated, a NUL that does not count behind it; NULL */
	size_t n;
} rv_buf;

/** Free what is in it; it is empty then. Any thread. */
RV_TS void rv_buf_free(rv_buf *b);

/** Now, CLOCK_MONOTONIC, read from the kernel. Any thread. */
RV_TS rv_time rv_now(void);

#ifdef __cplusplus
}
#endif
#endif
