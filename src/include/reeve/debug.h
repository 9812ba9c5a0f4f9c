/* Looking into a loop. */
#ifndef REEVE_DEBUG_H
#define REEVE_DEBUG_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write a line for each task that has not ended: id, name, state, what it waits for,
 * whose group it is in. The loop's thread; fd should not block.
 */
RV_PUBLIC void rv_debug_dump_tasks(rv_loop *l, int fd);

#ifdef __cplusplus
}
#endif
#endif
