/*
 * Whether a run of a service is ready, and since when.
 *
 * The supervising task of the run asks here while its process runs; what the run is to be
 * told by (config_ready.h) is taken from the service as it is at the start of the run, or
 * when the run is found going on. Words of notify come in on one datagram socket, "notify" in
 * the state directory, at the same path in every daemon; who sent one is told by the kernel,
 * and it counts only where that process belongs to the run. Once a run is ready that is
 * recorded with it: the next daemon knows it, too, and asks nobody again.
 *
 * READY=1 that is sent while no daemon is there reaches nobody: such a run is not ready in
 * time, and is started again.
 *
 * Loop thread only.
 */
#ifndef DAEMON_READINESS_H
#define DAEMON_READINESS_H

#include "reeve/loop.h"

struct core;
struct readiness;
struct run;

#define RUN_STATUS_MAX \
	256 /* bytes of STATUS= that are kept, with the one that ends it */

/* 0, -ENOMEM. Where its socket cannot be had that is logged, and what needs it fails. */
int readiness_new(struct readiness **ret, struct core *core, rv_loop *loop);
struct readiness *readiness_free(struct readiness *rd);
/* It is known which runs go on: what they said meanwhile is heard, and what they say. NULL is
 * fine. */
void readiness_open(struct readiness *rd);
/* For NOTIFY_SOCKET of that run; NULL: it is not told so. 0; why there is none: -errno */
int readiness_address(const struct run *run, const char **ret);

/* What is kept of a run of a service, as run.ready. 0, -ENOMEM */
int run_ready_new(struct run *run);
void run_ready_free(struct run *run);
/* Its process runs, or something about it has changed; now: CLOCK_MONOTONIC. */
void run_act_on_ready(struct run *run, rv_time now);
/* when it has to be ready by: CLOCK_MONOTONIC; RV_FOREVER */
rv_time run_ready_due(const struct run *run);

/* It has never been ready so far, and may still be. */
bool run_is_coming_up(const struct run *run);
/* It is ready, and is not stopping. */
bool run_is_ready(const struct run *run);
/* of wall clock; 0: it never was */
int64_t run_ready_usec(const struct run *run);
/* What it has said of its reloading since then, CLOCK_MONOTONIC. */
enum run_reload_word {
	RELOAD_SILENT, /* nothing, and it may still do so */
	RELOAD_GOES_ON,
	RELOAD_DONE, /* or it does not speak */
};
enum run_reload_word run_reload_word(const struct run *run, rv_time since);
/* its post-start is done */
void run_is_ready_now(struct run *run);
/* what it said last of itself; "": nothing */
const char *run_status_text(const struct run *run);
/* its main process, which it may have named itself; 0: none is known */
pid_t run_main_pid(const struct run *run);
/* How long it was ready, once it has ended; where nothing but exec tells, how long it ran. */
int64_t run_uptime_usec(const struct run *run);
/* how long it had to become ready */
int64_t run_ready_timeout_usec(const struct run *run);

#endif
