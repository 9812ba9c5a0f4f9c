/*
 * Task groups: no child outlives the bracket of rv_group_enter and rv_group_exit.
 *
 * (asyncio: taskgroups.) Exit waits for every child even when cancelled, and even when
 * the body failed. A group is a scope: a cancel of the task that is waiting in exit
 * reaches the children. A child's deadline is that of the group's scope, not of whoever
 * spawned it.
 *
 *	rv_group g;
 *	rv_group_enter(&g, RV_GROUP_FAIL_FAST);
 *	rv_group_spawn(&g, fetch, a);
 *	rv_group_spawn(&g, fetch, b);
 *	rc = rv_group_exit(&g, work());
 */
#ifndef REEVE_GROUP_H
#define REEVE_GROUP_H

#include "reeve/scope.h"
#include "reeve/task.h"

#ifdef __cplusplus
extern "C" {
#endif

enum rv_group_policy {
	RV_GROUP_FAIL_FAST, /* the first failure cancels siblings and body */
	RV_GROUP_SUPERVISE, /* a failure goes to on_exit (else to rv_report), nothing
			       else */
	RV_GROUP_COLLECT,   /* run all, report all */
};

typedef struct rv_group_error {
	uint64_t task_id;
	const char *name; /* of the task */
	int err;
	const char *msg; /* NULL if none */
} rv_group_error;

typedef struct rv_group rv_group;
/**
 * A child has ended (FAIL_FAST and COLLECT: failed).
 *
 * Runs on the loop, must not await, may spawn into the group. err is its result.
 * Returns 0; negative: the group fails with that.
 */
typedef int (*rv_group_exit_fn)(rv_group *g, rv_task *t, int err, void *arg);

/* only the library touches the members */
struct rv_group {
	rv_scope scope;
	struct rv_scope_node
		services; /* shielded: cancelled when the others have ended */
	rv_task *host;
	struct rv_link children; /* tasks that have not ended */
	struct rv_link
		ended; /* those that have, in time; in the end only what failed */
	size_t n_children, n_services, n_failed;
	void *waiter; /* the host, in exit */
	rv_group_exit_fn on_exit;
	void *on_exit_arg;
	void *record; /* of the errors: it outlives the bracket, this memory may not */
	char *body_msg;
	int first_err, body_err;
	size_t body_index; /* place of the body's error among the children's */
	unsigned policy;
	bool closed;
};

/** Returns 0; -RV_ENOTASK; -EINVAL. */
RV_PUBLIC int rv_group_enter(rv_group *g, unsigned policy);
/** Borrowed, valid until exit returns; NULL with errno set (RV_ESHUTDOWN: cancelled or
 * over). */
RV_PUBLIC rv_task *rv_group_spawn(rv_group *g, rv_fn fn, void *arg);
/**
 * As rv_spawn_ex; -RV_ESHUTDOWN.
 *
 * @ret  borrowed, valid until exit returns; NULL: a child that does not fail leaves
 *       nothing behind when it ends, which is for groups that live long
 */
RV_PUBLIC int rv_group_spawn_ex(
	rv_group *g, const rv_task_opts *o, rv_fn fn, void *arg, rv_task **ret);
/** A child that is not waited for: cancelled after all others, and the body, have
 * ended. */
RV_PUBLIC rv_task *rv_group_spawn_service(rv_group *g, rv_fn fn, void *arg);
/**
 * Spawn and wait until the child calls rv_task_started.
 *
 * @ready  what it passed there; may be NULL
 *
 * Returns 0; the child's error if it failed before (then that is not the group's
 * failure); -RV_ESTATE if it ended without a word; -ECANCELED: then the child was
 * cancelled and has ended. Errors of rv_group_spawn_ex.
 */
RV_AWAIT int rv_group_start(rv_group *g, rv_fn fn, void *arg, void **ready);
/** In a child: I am ready. Ignored where nobody waits for it. */
RV_PUBLIC void rv_task_started(void *ready);
/** Cancel children and body; rv_group_exit then returns 0 unless something failed. */
RV_PUBLIC void rv_group_cancel(rv_group *g, const char *why);
/**
 * Wait for all children, then for the services.
 *
 * @rc  what the body has come to; an error cancels the children
 *
 * Returns the first error in time, of a child or the body; else -ECANCELED if the task
 * is being cancelled from outside and there was a child to wait for, or rc says so; else
 * rc, or 0 where rc is only the group's own cancellation. (With nothing to wait for all was
 * over before the cancel, which the next await tells of.)
 */
__attribute__((warn_unused_result)) RV_PUBLIC int rv_group_exit(rv_group *g, int rc);
/**
 * All errors, in time.
 *
 * Valid until the next call, or rv_group_forget, or the task enters a group in the same
 * memory, or ends. NULL with *n = 0 if there are none or no memory.
 */
RV_PUBLIC const rv_group_error *rv_group_errors(rv_group *g, size_t *n);
/** Free the errors now, after exit. */
RV_PUBLIC void rv_group_forget(rv_group *g);
/**
 * Tell fn of each child that ends (FAIL_FAST, COLLECT: fails) from now on; see
 * rv_group_exit_fn. Replaces what was there; NULL: nobody is told.
 */
RV_PUBLIC void rv_group_on_exit(rv_group *g, rv_group_exit_fn fn, void *arg);

struct rv_group_block {
	rv_group group;
	int *rc;
	int step; /* 0: not entered, 1: inside, 2: over its end, or refused */
};

static inline struct rv_group_block rv_group_block_make(int *rc)
{
	struct rv_group_block b;

	__builtin_memset(&b, 0, sizeof(b));
	b.rc = rc;
	return b;
}
RV_PUBLIC bool rv_group_block_step(struct rv_group_block *b, unsigned policy);
RV_PUBLIC void rv_group_block_leave(struct rv_group_block *b);

/* RV_GROUP(g, RV_GROUP_FAIL_FAST, rc) { rv_group_spawn(g, ...); } -- falling off its
 * end (and continue) joins the children; leaving by return, break or goto cancels them
 * first */
#define RV_GROUP(g_, policy_, rc_)                                                  \
	for (struct rv_group_block rv_g_ __attribute__((                            \
		     cleanup(rv_group_block_leave))) = rv_group_block_make(&(rc_)); \
		rv_group_block_step(&rv_g_, (policy_));)                            \
		for (rv_group *g_ = &rv_g_.group; g_; g_ = NULL, rv_g_.step = 2)

#ifdef __cplusplus
}
#endif
#endif
