/*
 * Whether a run of a service is ready, and since when.
 *
 * The supervising task of the run asks here while its process runs; what the run is to be
 * told by (config_ready.h) is taken from the service as it is at the start of the run, or
 * when the run is found going on. Words of notify come in on one datagram socket, "notify" in
 * the state directory; who sent one is told by the kernel, and it counts only where that process
 * belongs to the run. Once a run is ready that is recorded with it: the next daemon knows it,
 * too, and asks nobody again.
 *
 * The spawner keeps the socket, hears what is said while no daemon is there, and has what the
 * run said before from us (spawn/said.h): all of it is in the table that it sends the next
 * daemon. What we have read and not recorded when we are killed is lost: READY=1 for the time
 * of a commit, the rest for a moment longer (said_delay).
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
/* A spawner is connected, and it is known which runs go on: what they say is heard. The socket is
 * the one that the spawner has kept, else a new one, which it gets to keep. NULL is fine. */
void readiness_open(struct readiness *rd);
/* For NOTIFY_SOCKET of that run; NULL: it is not told so. 0; why there is none: -errno */
int readiness_address(const struct run *run, const char **ret);
/* number of the descriptor that it says on that it is ready; 0: it does not */
int readiness_fd(const struct run *run);
/* for WATCHDOG_USEC of that run; 0: nothing is expected of it */
int64_t readiness_watchdog_usec(const struct run *run);

/* What is kept of a run of a service, as run.ready. 0, -ENOMEM */
int run_ready_new(struct run *run);
/* Its start is with the spawner, or is not any more. */
void run_ready_sent(struct run *run, bool on);
/* The same of a run that another daemon has sent there. */
void run_ready_found(struct run *run);
/* by the spawner: it has written a line to its descriptor for that */
void run_told_ready(struct run *run);
/* by the spawner: what it has said; lines, NULL: nothing */
void run_told_said(struct run *run, const char *lines);
/* Its process has ended, or the daemon goes: nothing is asked any more, and no task of it is
 * left when this returns. Of its task. */
void run_ready_leave(struct run *run);
void run_ready_free(struct run *run);
/* Its process runs, or something about it has changed; now: CLOCK_MONOTONIC. */
void run_act_on_ready(struct run *run, rv_time now);
/* The spawner was told to stop it: it may have asked for more time already. */
void run_ready_stop_sent(struct run *run);
/* when it has to be ready by: CLOCK_MONOTONIC; RV_FOREVER */
rv_time run_ready_due(const struct run *run);

/* of one that has ended: it had been ready */
bool run_was_ready(const struct run *run);
/* It has never been ready so far, and may still be. */
bool run_is_coming_up(const struct run *run);
/* It is ready, is not stopping, and answers where it is asked (liveness.h): what all go by who
 * wait for it. */
bool run_is_ready(const struct run *run);
/* what was wrong when it was asked last whether it is ready; "": it was not asked, by this daemon */
const char *run_unready_why(const struct run *run);
/* what it did not answer, or say, last; "": nothing */
const char *run_unresponsive_why(const struct run *run);
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
