/*
 * One question to a service, whether it answers: a connection over the loopback interface or
 * to a Unix socket, a GET of HTTP, or a command that is run beside it (aux.h). What a service that is not ready is asked until it is,
 * and one that is ready from time to time (liveness.h).
 *
 * Each is a task of its own, straight-line code under a time limit, and costs a stack only
 * while it goes on. Loop thread only.
 */
#ifndef DAEMON_PROBE_H
#define DAEMON_PROBE_H

#include "base/list.h"
#include "config/config_ready.h"

struct probe;
struct run;

#define PROBE_WHY_MAX 96 /* bytes of a reason, with the one that ends it */

/* r: 0 where it answered as it should; -ECANCELED: the daemon goes; -EAGAIN: it could not be
 * asked, which says nothing of it, nor does -EBUSY: it had no turn in its time; else why not, in words.
 * The probe is gone; another may be started from here. */
typedef void (*probe_done_fn)(int r, const char *why, void *arg);

/**
 * Ask once.
 *
 * @rule     one that can be asked; copied
 * @place    of a command: enum aux_place
 * @timeout  ns; later is no answer
 * @done     called once, from a task, never before this returns
 *
 * Returns 0; -ENOMEM; -RV_ESHUTDOWN. Then done is not called.
 */
int probe_start(struct probe **ret, struct run *run, const struct ready_rule *rule,
	unsigned place, rv_time timeout, probe_done_fn done, void *arg);
/* It is a command that waits for its turn. */
bool probe_waits(const struct probe *p);
/* Nobody wants to know any more: done is not called. NULL is fine. Its task may go on for a
 * moment, with the run. */
void probe_stop(struct probe *p);
/* Stop all of a list (run_ready.probes) and wait until their tasks have ended, whatever becomes
 * of the caller. Of a task. */
void probes_end(struct list *probes);

#endif
