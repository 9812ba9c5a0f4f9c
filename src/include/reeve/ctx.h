/*
 * Values that belong to a task and to what it starts: a request's id, a user, a locale.
 * (asyncio: contextvars.)
 *
 * A task begins with the values of whoever spawned it, and what it sets afterwards is its
 * own. So has a function that it runs in a thread (rv_run_blocking), which may only look.
 * Inheriting costs one pointer however many values there are; looking one up walks those
 * that were set.
 */
#ifndef REEVE_CTX_H
#define REEVE_CTX_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* its address is the key: static rv_ctx_key request_id = {"request id"}; */
typedef struct rv_ctx_key {
	const char *name; /* for people */
} rv_ctx_key;

/**
 * Set a value for this task and what it starts from now on.
 *
 * @d  called with v, in whichever thread is last, when no task has it any more; NULL
 *
 * Returns 0; -ENOMEM, -RV_ENOTASK: v is still yours.
 */
RV_PUBLIC int rv_ctx_set(rv_ctx_key *k, void *v, rv_dtor d);
/** The value, borrowed; NULL: none was set. In a task, or a thread that works for one. */
RV_TS void *rv_ctx_get(rv_ctx_key *k);

/** All values as they are now, for rv_task_opts.ctx: one reference; NULL: none was set. */
RV_TS rv_ctx *rv_ctx_copy(void);
RV_TS rv_ctx *rv_ctx_ref(rv_ctx *c);
/** NULL is fine. */
RV_TS void rv_ctx_unref(rv_ctx *c);

#ifdef __cplusplus
}
#endif
#endif
