/* The spawner process as a whole: what its parts know of each other. */
#ifndef SPAWN_SPAWNER_H
#define SPAWN_SPAWNER_H

#include "spawn/claims.h"
#include "spawn/conn.h"
#include "spawn/gates.h"
#include "spawn/orphans.h"
#include "spawn/runs.h"
#include "spawn/source.h"
#include "spawn/stamper.h"
#include "spawn/starter.h"

/* SIGKILLs over about 15 s; what is left then counts as a survivor */
#define LIFE_KILLS_MAX 12

struct spawner {
	const char *state_dir;
	bool stay; /* do not leave when there is nothing to do */
	uid_t uid;

	int epoll_fd, signal_fd, sigchld_fd, listen_fd, lock_fd, started_fd, stamped_fd;
	struct source on_signal, on_sigchld, on_listen, on_started, on_stamped;
	rv_time look_at; /* starters go on by themselves: what came of it is looked at
			    then; RV_FOREVER: started_fd tells */
	uint64_t socket_dev, socket_ino; /* of the socket file that is ours */
	int notify_fd; /* kept for the daemons, which read it; -1: none */
	struct source on_notify;
	bool notify_watched; /* no daemon is there */
	struct conn conn;
	struct wire_hello self;
	rv_time leave_at; /* nobody has connected yet: how long to wait; RV_FOREVER */

	struct runs runs;
	struct gates gates;
	struct claims claims;
	struct starters *starters;
	struct stamper *stamper;
	struct orphans orphans;
	struct list ended;  /* runs whose main process ended in this turn */
	bool sigchld;       /* came in this turn */
	size_t n_lingering; /* runs whose main process has ended and that are not over
			     */
	size_t n_unwatched; /* runs that were ever so (runs.h) */

	bool deaf;     /* could not listen again */
	bool stopping; /* SIGTERM came: all runs are being ended */
};

/* Each time now is CLOCK_MONOTONIC. Life of a run (life_start.c, life.c, life_request.c): */

/* Accept a start or say why not. Takes the descriptors in ws in any case. 0; errors as
 * of runs_add; -RV_ESHUTDOWN; -ENOMEM. */
int life_start(struct spawner *sp, struct wire_start *ws, const char *blob_data);
/* the starters have given it back; frees it */
void life_start_done(struct spawner *sp, struct start *s);
/* the starters have given it up (starters_tick) */
void life_start_dropped(struct spawner *sp, struct start *s);
/* what runs wrote is in their files: those that waited for it end */
void life_stamped(struct spawner *sp);
/* pidfd says that the main process has ended; judged in life_turn */
void life_main_ended(struct spawner *sp, struct run *run);
/* after the events of one turn: what ended, what it left */
void life_turn(struct spawner *sp);
/* there is something on the ready_fd of a run, or its end */
void life_ready(struct spawner *sp, struct run *run);
/* deadlines that have passed */
void life_timers(struct spawner *sp, rv_time now);

/* 0, or -ESRCH: it has ended, which is no error for most who ask */
int life_signal(struct spawner *sp, struct run *run, int sig, bool main_only);
int life_stop(
	struct spawner *sp, struct run *run, int sig, bool main_only, rv_time grace);
/* a stop because the spawner itself is to end, which its end says */
int life_shut_down(struct spawner *sp, struct run *run);
int life_kill(struct spawner *sp, struct run *run);
int life_pause(struct spawner *sp, struct run *run);
int life_resume(struct spawner *sp, struct run *run);
/* Take back one that waits at its gate: it is gone from the table then. -ESRCH: it does not
 * wait there. */
int life_recall(struct spawner *sp, struct run *run);
/* whoever reads its stdin reads the end */
int life_close_stdin(struct spawner *sp, struct run *run);
/* -EBUSY: it has not ended */
int life_ack(struct spawner *sp, struct run *run);

#endif
