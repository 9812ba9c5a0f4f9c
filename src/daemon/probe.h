/*
 * One question to a service, whether it answers: a connection over the loopback interface or
 * to a Unix socket, or a GET of HTTP. What a service that is not ready is asked until it is,
 * and one that is ready from time to time (liveness.h).
 *
 * Each is a task of its own, straight-line code under a time limit, and costs a stack only
 * while it goes on. Loop thread only.
 */
#ifndef DAEMON_PROBE_H
#define DAEMON_PROBE_H

#include "config/config_ready.h"
#include "reeve/group.h"

struct probe;

#define PROBE_WHY_MAX 96 /* bytes of a reason, with the one that ends it */

/* r: 0 where it answered as it should; -ECANCELED: the daemon goes; else why not, in words.
 * The probe is gone; another may be started from here. */
typedef void (*probe_done_fn)(int r, const char *why, void *arg);

/**
 * Ask once.
 *
 * @g        the task is one of it
 * @rule     TCP, UNIX or HTTP; copied
 * @timeout  ns; later is no answer
 * @done     called once, from a task, never before this returns
 *
 * Returns 0; -ENOMEM; -RV_ESHUTDOWN. Then done is not called.
 */
int probe_start(struct probe **ret, rv_group *g, const struct ready_rule *rule,
	rv_time timeout, probe_done_fn done, void *arg);
/* Nobody wants to know any more: done is not called. NULL is fine. */
void probe_stop(struct probe *p);

#endif
