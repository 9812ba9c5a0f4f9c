/*
 * Worker processes, for functions that compute long or that may crash. (asyncio:
 * ProcessPoolExecutor.)
 *
 * A worker is the program itself, started anew; it knows the functions by name and gets
 * bytes and gives bytes. Nothing is forked from a process with threads, and nothing is
 * shared. A worker that crashes takes its call with it, and is replaced.
 *
 *	static const rv_procpool_fn fns[] = {{"sum", sum}};
 *
 *	int main(void)
 *	{
 *		int r = rv_procpool_main(fns, 1);     first thing
 *
 *		if (r >= 0)
 *			return r;                     it was a worker
 *		return rv_run(app, NULL, NULL) < 0;
 *	}
 */
#ifndef REEVE_PROCPOOL_H
#define REEVE_PROCPOOL_H

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In a worker. out is empty; what is put there is sent back and freed. Returns >= 0 or a
 * negative error. */
typedef struct rv_procpool_fn {
	const char *name;
	int (*fn)(const void *in, size_t n_in, rv_buf *out);
} rv_procpool_fn;

/**
 * Be a worker, if this process was started as one.
 *
 * Returns the exit status to end with after the pool is gone; -1: this is no worker.
 */
RV_PUBLIC int rv_procpool_main(const rv_procpool_fn *fns, size_t n);

typedef struct rv_procpool rv_procpool;

typedef struct rv_procpool_opts {
	unsigned workers;    /* at once; 0: as many as CPUs */
	const char *program; /* that calls rv_procpool_main; NULL: this one */
	size_t bytes_max;    /* of a call's input, and of its output; 0: 64 MiB */
} rv_procpool_opts;

/** o NULL: the defaults. No worker is started yet. 0; -ENOMEM; -RV_ENOTASK: no loop. */
RV_PUBLIC int rv_procpool_new(rv_procpool **ret, const rv_procpool_opts *o);
/**
 * Call a function in a worker and wait for its answer; calls beyond the number of workers
 * wait for one, first come, first served. A worker that died while it had nothing to do is
 * replaced, and its call goes to another: it had not begun.
 *
 * @in   may be NULL if n_in is 0; must stay until this returns
 * @out  what the function gave, rv_buf_free; empty if it failed; may be NULL
 *
 * Returns what the function did; -ENOENT: no worker knows the name; -EPIPE: the worker
 * that had begun, or was started for this call, ended before it answered, rv_errmsg says how; -EMSGSIZE: more than bytes_max;
 * -ECANCELED: a worker that had begun was killed; -RV_ESHUTDOWN; errors of rv_exec.
 */
RV_AWAIT int rv_procpool_call(
	rv_procpool *p, const char *name, const void *in, size_t n_in, rv_buf *out);
/** Workers that are there, busy or not. */
RV_PUBLIC unsigned rv_procpool_workers(const rv_procpool *p);
/** Refuse further calls, end the idle workers. */
RV_PUBLIC void rv_procpool_shutdown(rv_procpool *p);
/** Nobody may be calling. NULL is fine. */
RV_PUBLIC void rv_procpool_free(rv_procpool *p);

#ifdef __cplusplus
}
#endif
#endif
