/*
 * Cancel scopes: a piece of a task that can be cancelled, by a deadline or by hand, or
 * that is shielded from what comes from outside.
 *
 * (asyncio: timeouts, shield.) Scopes nest; groups are scopes; the outermost of a task
 * is that of rv_task_cancel, and its parent is the group it was spawned in. A task is
 * cancelled if, going outward, a cancelled scope is met before a shield.
 *
 *	rv_scope to;
 *	rv_timeout(&to, RV_SEC(30));
 *	rc = talk(s);                  -ECANCELED just propagates
 *	rc = rv_scope_exit(&to, rc);   -ETIMEDOUT if it was this deadline
 *
 * A scope must be left in the function that entered it, innermost first; leaving a body
 * with an open one aborts, because its memory is gone by then.
 */
#ifndef REEVE_SCOPE_H
#define REEVE_SCOPE_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	RV_SCOPE_SHIELD = 1, /* hides the levels outside */
};

/* one node of the tree of scopes; the library's */
struct rv_scope_node {
	struct rv_scope_node *parent;
	struct rv_link link; /* in parent->children */
	struct rv_link children;
	rv_task *task;   /* whose innermost scope it may be; NULL: of none */
	const char *why; /* reason of the first request */
	uint32_t count;  /* requests to cancel */
	bool shield;
	bool cancelled; /* itself, or by the levels outside */
};

typedef struct rv_scope {
	struct rv_scope_node node;
	rv_timer timer;
	rv_time when;
	char why[48];
	bool active, expired, caught;
} rv_scope;

/**
 * Enter. The memory needs no preparation.
 *
 * @flags     RV_SCOPE_*
 * @deadline  loop time (rv_loop_now); RV_FOREVER: none; past: cancelled from the start
 *
 * Returns 0; -RV_ENOTASK; -RV_ESTATE if it is already entered. Then rv_scope_exit
 * returns that too.
 */
RV_PUBLIC int rv_scope_enter(rv_scope *s, unsigned flags, rv_time deadline);
/**
 * Leave, and say what rc means: -ECANCELED because of this scope alone becomes
 * -ETIMEDOUT (deadline) or 0 (rv_scope_cancel). Everything else passes through.
 */
RV_PUBLIC int rv_scope_exit(rv_scope *s, int rc);
/** Enter with a deadline from now; RV_FOREVER: none. */
RV_PUBLIC int rv_timeout(rv_scope *s, rv_time d);
/** Enter a shield that holds for at most grace; in debug mode RV_FOREVER is reported. */
RV_PUBLIC int rv_shield(rv_scope *s, rv_time grace);
/** Cancel what runs inside. why is copied (47 bytes). Never allocates. */
RV_PUBLIC void rv_scope_cancel(rv_scope *s, const char *why);
/** Move the deadline. -RV_ESTATE if it is not entered or has expired. */
RV_PUBLIC int rv_scope_reschedule(rv_scope *s, rv_time when);
RV_PUBLIC rv_time rv_scope_when(const rv_scope *s);
/** The deadline has passed, whether or not it mattered. */
RV_PUBLIC bool rv_scope_expired(const rv_scope *s);
/** rv_scope_exit turned a cancellation into its result. */
RV_PUBLIC bool rv_scope_caught(const rv_scope *s);
/** The earliest deadline that applies here; RV_FOREVER. */
RV_PUBLIC rv_time rv_effective_deadline(void);

/* rc = rv_timed(RV_SEC(1), rv_lock_acquire(&l)) */
#define rv_timed(d, expr)                                                \
	__extension__({                                                  \
		rv_scope rv_scope_;                                      \
		int rv_rc_ = rv_timeout(&rv_scope_, (d));                \
		rv_rc_ < 0 ? rv_rc_ : rv_scope_exit(&rv_scope_, (expr)); \
	})

/* what RV_TIMEOUT keeps until its block is left, by whatever way */
struct rv_scope_block {
	rv_scope scope;
	int *rc;
	int step; /* 0: not entered, 1: inside, 2: over its end */
};

static inline struct rv_scope_block rv_scope_block_make(int *rc)
{
	struct rv_scope_block b;

	__builtin_memset(&b, 0, sizeof(b));
	b.rc = rc;
	return b;
}
RV_PUBLIC bool rv_scope_block_step(struct rv_scope_block *b, rv_time d);
RV_PUBLIC void rv_scope_block_leave(struct rv_scope_block *b);

/* RV_TIMEOUT(RV_SEC(1), rc) { rc = ...; } -- rc is an int variable of the caller's; it
 * is mapped as by rv_scope_exit also where the block is left by break or goto */
#define RV_TIMEOUT(d, rc_)                                                          \
	for (struct rv_scope_block rv_b_ __attribute__((                            \
		     cleanup(rv_scope_block_leave))) = rv_scope_block_make(&(rc_)); \
		rv_scope_block_step(&rv_b_, (d));)

#ifdef __cplusplus
}
#endif
#endif
