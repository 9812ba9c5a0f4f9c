/*
 * What runs in this thread. Tasks are pinned to their thread, so that the address the
 * compiler keeps across a switch stays right; only the values change.
 */
#ifndef RUNTIME_CURRENT_H
#define RUNTIME_CURRENT_H

#include "reeve/types.h"

struct current {
	rv_loop *loop; /* that runs, NULL outside of one */
	rv_task *task; /* NULL in callbacks */
	rv_ctx *ctx;   /* in a thread that works for a task: its values */
};

extern __thread struct current current
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

#endif
