/*
 * Steps that last too long, seen while they last: what the thread that watches
 * (debug_stall.c) and the signal by which it sees (debug_sample.c) share.
 *
 * The loop's thread publishes each step's number and beginning. When one has lasted too
 * long the watchdog asks for a sample: it notes which, and sends a signal to the loop's
 * thread, whose handler fills the sample in and says so. A sample is written by its
 * loop's thread only, and only when asked.
 */
#ifndef RUNTIME_STALL_PRIV_H
#define RUNTIME_STALL_PRIV_H

#include <stdatomic.h>
#include <sys/types.h>

#include "runtime/debug_priv.h"
#include "runtime/link.h"

enum { SAMPLE_NAME_MAX = 48, SAMPLE_TEXT_MAX = 1024 };

/* where the loop's thread was */
struct sample {
	uint64_t step; /* of which; 0: none was taken */
	rv_time lasted;
	uint64_t task_id; /* 0: a callback's step */
	char task_name[SAMPLE_NAME_MAX];
	const void *callback; /* NULL: not known */
	void *pcs[FRAMES_MAX];
	int n;       /* 0: there was no room to look */
	int i_first; /* what was interrupted; those before it are the handler's */
};

/* The first is for the report at the end of the step, the last for who cannot wait. */
enum sample_kind { SAMPLE_FIRST, SAMPLE_LAST, N_SAMPLES };

/* a loop in debug mode */
struct stall {
	struct rv_link link; /* in the watchdog's list */
	const rv_loop *loop;
	rv_time slow;     /* what lasts longer is told */
	unsigned n_forks; /* when it was made: a fork's child has no watchdog for it */

	/* written by the loop's thread */
	atomic_uint_fast64_t step; /* odd: in one */
	_Atomic rv_time began;
	atomic_int tid;
	atomic_uint_fast64_t answered; /* as asked */
	/* by the loop's thread, for its handler */
	uint64_t task_id;
	char task_name[SAMPLE_NAME_MAX];
	struct sample samples[N_SAMPLES];

	/* written by the watchdog */
	atomic_uint_fast64_t asked; /* 2 * step + kind */
	atomic_bool parked; /* wake it at the next step; whoever clears it does */
	/* the steps for which it has done something */
	uint64_t seen, sampled, sampled_last, told;
	rv_time answer_by;
};

/* debug_stall.c: wake the watchdog. Also in a signal handler. */
void watchdog_wake(void);

/*
 * debug_sample.c. Before a loop's thread can be sampled it calls sample_prepare; what
 * runs between begin and end is s's step.
 */
void sample_thread_begins(struct stall *s);
void sample_thread_ends(const struct stall *s);
/* Find a signal that nobody uses, and take it. Not with the watchdog running. */
void sample_signal_take(void);
void sample_signal_release(void);
/* Ask the thread tid for the sample that s->asked names. False: there is no way. */
bool sample_ask(const struct stall *s);
/* In a fork's child, where nobody is going to ask. */
void sample_forked(void);
/* "after 101.2 ms it was in f (file+0x12), called by g (file+0x34)" */
void sample_text(const struct sample *x, char *buf, size_t size);

/* debug_overflow.c: say which task it is when one overflows its stack. */
void overflow_watch(void);
/* also in a fork's child */
void overflow_unwatch(void);

#endif
