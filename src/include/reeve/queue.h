/*
 * Queues between the tasks of one loop. (asyncio: queues.)
 *
 * A queue owns the items in it (the destructor runs on what is left when it is freed or
 * shut down at once); put that fails leaves the item with the caller; get gives it to
 * the caller. Waiting getters and putters are served first come, first served.
 */
#ifndef REEVE_QUEUE_H
#define REEVE_QUEUE_H

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_queue rv_queue;

enum rv_queue_kind {
	RV_QUEUE_FIFO,
	RV_QUEUE_LIFO,
	RV_QUEUE_PRIORITY, /* smallest first; equal ones in any order */
};

/* A queue with a limit of so many items at most has room for all of them from the
 * beginning; others grow. */
#define RV_QUEUE_RESERVED 1024

/**
 * Make a queue.
 *
 * @max  items it holds at most; 0: no limit
 * @cmp  for RV_QUEUE_PRIORITY: < 0 when a comes first; NULL otherwise
 * @d    may be NULL
 *
 * Returns 0; -ENOMEM; -EINVAL.
 */
RV_PUBLIC int rv_queue_new(rv_queue **ret, enum rv_queue_kind kind, size_t max,
	int (*cmp)(const void *a, const void *b), rv_dtor d);
/** Nobody may be waiting on it: that ends the program (abort). Who waited when its loop
 * closed does not count. NULL is fine. */
RV_PUBLIC void rv_queue_free(rv_queue *q);
/** Waits while it is full. 0; -ECANCELED; -RV_ESHUTDOWN; -ENOMEM (only without a limit,
 * or with one over RV_QUEUE_RESERVED). */
RV_AWAIT int rv_queue_put(rv_queue *q, void *item);
/** 0; -ECANCELED; -RV_ESHUTDOWN: shut down and empty. */
RV_AWAIT int rv_queue_get(rv_queue *q, void **item);
/** As rv_queue_put and rv_queue_get; -EAGAIN: full, or empty. */
RV_PUBLIC int rv_queue_try_put(rv_queue *q, void *item);
RV_PUBLIC int rv_queue_try_get(rv_queue *q, void **item);
/** An item that was got is dealt with. -RV_ESTATE: more often than items were put. */
RV_PUBLIC int rv_queue_task_done(rv_queue *q);
/** Wait until every item that was put is dealt with. */
RV_AWAIT int rv_queue_join(rv_queue *q);
/** Refuse new items; getters get what is left. At once: drop what is left, too. */
RV_PUBLIC void rv_queue_shutdown(rv_queue *q, bool immediate);
RV_PUBLIC size_t rv_queue_size(const rv_queue *q);
RV_PUBLIC bool rv_queue_empty(const rv_queue *q);
RV_PUBLIC bool rv_queue_full(const rv_queue *q);

#ifdef __cplusplus
}
#endif
#endif
