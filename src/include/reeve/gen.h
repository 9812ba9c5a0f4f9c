/*
 * Generators: functions that hand out one value after the other, and may await in
 * between. (asyncio: asynchronous generators.)
 *
 *	static int numbers(rv_gen *g, void *arg)
 *	{
 *		int r = 0;
 *
 *		for (int *i = arg; *i < 10 && r >= 0; ++*i)
 *			r = rv_gen_yield(g, i);
 *		return r;
 *	}
 *
 *	rv_gen_new(&g, numbers, &i, NULL);
 *	while ((r = rv_gen_next(g, &v)) > 0)
 *		use(v);
 *	r2 = rv_gen_close(g);
 *
 * The body has a stack of its own but runs inside the task that asks for the next value:
 * rv_task_self, context values, deadlines and cancellation are that task's. Which task
 * asks may change from value to value.
 */
#ifndef REEVE_GEN_H
#define REEVE_GEN_H

#include "reeve/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_gen rv_gen;
typedef int (*rv_gen_fn)(rv_gen *g, void *arg);

/**
 * Make one; the body does not run before the first rv_gen_next.
 *
 * @d  called with arg when the body has ended, or will never begin, or where this fails;
 *     NULL: arg stays yours
 *
 * Returns 0; -ENOMEM; -EAGAIN: no more stacks; -RV_ENOTASK: no loop runs here;
 * -RV_ELOOPCLOSED.
 */
RV_PUBLIC int rv_gen_new(rv_gen **ret, rv_gen_fn body, void *arg, rv_dtor d);
/**
 * Run the body until it yields.
 *
 * @ret  the value; whose it is, is between the body and you
 *
 * Returns 1; 0: the body has ended; its error, once, then 0; -EBUSY: it is running, in
 * another task or around this call; -ECANCELED: refused, nothing ran; -RV_EWRONGLOOP; the
 * first time -EAGAIN, -ENOMEM: its stack cannot be guarded (memory was locked since it was
 * made), nothing ran.
 */
RV_AWAIT int rv_gen_next(rv_gen *g, void **ret);
/**
 * In the body: hand out a value and wait to be asked for the next. Also where the task that
 * asked is cancelled meanwhile: what was made is not lost, and its next await is refused.
 *
 * Returns 0; -ECANCELED: nobody will ask any more, the body is to tidy up and return;
 * -RV_ESTATE: not in this generator's body, or a scope or group is open that was entered
 * in it: it would be left open in a task that knows nothing of it.
 */
RV_AWAIT int rv_gen_yield(rv_gen *g, void *v);
/**
 * End the body, if it has begun and not ended, and free the generator.
 *
 * Runs in the calling task until the body has returned; what the body awaits meanwhile
 * works as ever, so that a task which is cancelled needs a shield for it.
 *
 * Returns the body's error unless that is -ECANCELED or was told before, else 0; -EBUSY:
 * it is running and stays; -RV_ENOTASK, -RV_EWRONGLOOP: it stays. NULL is fine.
 */
RV_PUBLIC int rv_gen_close(rv_gen *g);
/**
 * End the bodies of all generators of the loop. Their memory is still to be freed by
 * rv_gen_close. The runner does this.
 *
 * Returns 0 or the first error of a body.
 */
RV_AWAIT int rv_loop_shutdown_gens(rv_loop *l);

#ifdef __cplusplus
}
#endif
#endif
