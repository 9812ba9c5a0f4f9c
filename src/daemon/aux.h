/*
 * Auxiliary commands: what is run for an instance of a service beside its program. Hooks,
 * a command that reloads it, probes.
 *
 * Each is started by the spawner as the program itself is, as the same user, in the same
 * directory, environment and limits, in a session of its own, and reads nothing. Nothing of it
 * is on disk: its token tells of which run it is, and the spawner keeps its end until that
 * is acknowledged. So a command that a run has one of (aux_is_kept) goes on when the daemon
 * goes, and the next one finds it, or its end, instead of starting it again. All others are
 * ended by the daemon that finds them. Where the
 * spawner is gone they are killed, and are lost. See contrib/adr/0020-auxiliary-commands.md.
 *
 * Loop thread only.
 */
#ifndef DAEMON_AUX_H
#define DAEMON_AUX_H

#include "daemon/spawner_link.h"

struct aux_commands;
struct core;
struct run;
struct traces;

/* Which command of a run it is. Numbers are in tokens, which outlive a daemon: append only.
 * A run has one of a place at a time. */
enum aux_place {
	AUX_PRE_START = 0, /* and the next AUX_LINES_MAX - 1, as of the others */
	AUX_POST_START = 16,
	AUX_PRE_STOP = 32,
	AUX_POST_STOP = 48,
	AUX_RELOAD = 64, /* from here on each may be run again and again */
	AUX_READY,
	AUX_LIVENESS,
	AUX_PLACES
};
enum { AUX_LINES_MAX = 16, AUX_OUTPUT_MAX = 65536 };

struct aux_command {
	unsigned place;
	char *const *argv;
	/* NAME=VALUE, over the job's own; NULL: none. REEVE_JOB_ID, REEVE_RUN, and of a run
	 * that has a process MAINPID, come by themselves */
	char *const *env;
	int64_t timeout_usec; /* INT64_MAX: none */
	/* of a hook: what names its text (hook_lines.h), told by aux_line; 0: nothing does */
	uint64_t line;
	/* bytes of its output to keep, the last, at most AUX_OUTPUT_MAX; 0: it goes where
	 * the output of the run goes */
	size_t keep;
	bool *has_turn; /* set once it has; NULL */
};

enum aux_how {
	AUX_EXITED,
	AUX_NOT_STARTED,
	AUX_TIMED_OUT, /* and was ended */
	AUX_LOST,      /* its spawner was */
	AUX_NOT_BEGUN, /* in its time: the spawner had no room, or there was none */
};

struct aux_end {
	enum aux_how how;
	int status; /* EXITED, TIMED_OUT: as wait(2) gives it */
	int error;  /* NOT_STARTED: -errno */
	enum spawn_step step;
	/* NOT_STARTED: why, where step and error do not say; the caller's to free; NULL */
	char *problem;
	char *output; /* what was kept, the caller's to free; NULL: nothing was to be */
	size_t n_output;
	bool cut; /* there was more before it */
};

int aux_commands_new(struct aux_commands **ret, struct core *core);
/* once no task is in aux_run. What is kept goes on. Takes NULL */
struct aux_commands *aux_commands_free(struct aux_commands *all);

/**
 * Run one, until nothing is left of it.
 *
 * Waits for its turn where service-commands-max are running: probes that many, and beside them
 * that many of all others. Past its time it is sent SIGTERM,
 * and a little later SIGKILL, with all that it has started; past its time is one that is not
 * started, too. One that a run has one of, and that was started before, is not started
 * again: its end is waited for.
 *
 * Returns 0 with *ret; -ECANCELED: the caller is not to wait any more, and it is ended, unless
 * the daemon goes and it is one that is kept; -EBUSY: another task waits for one of
 * this place; -ENOMEM. Its run has to stay until it returns.
 */
RV_AWAIT int aux_run(
	struct run *run, const struct aux_command *cmd, struct aux_end *ret);
bool aux_end_is_success(const struct aux_end *end);
/* "exit status 1", "SIGKILL", "not ended within 30s", ... timeout_usec: what it had */
void aux_end_describe(
	const struct aux_end *end, int64_t timeout_usec, char *buf, size_t size);
void aux_end_deinit(struct aux_end *end);

/* Hooks from post-start on: a run has one of each, and its end is kept until the run's is on
 * disk. */
bool aux_is_kept(unsigned place);
/* this one was begun, and its end is not forgotten */
bool aux_is_there(const struct run *run, unsigned place);
/* The same; *ret: what names its text, 0: that is not known. */
bool aux_line(const struct run *run, unsigned place, uint64_t *ret);
/* That one is to end, within its time: as aux_run, but that it is not begun where it was not. */
RV_AWAIT int aux_await(
	struct run *run, unsigned place, int64_t timeout_usec, struct aux_end *ret);
/* What is there of that place, if anything, is forgotten, and ended where it goes on. */
void aux_forget_place(struct run *run, unsigned place);
/* The run's end is on disk, or it begins again: what it has of these is forgotten, and what
 * goes on is ended. */
void aux_forget(struct run *run);

/* A probe waits for its turn, or had none in its time: logged, now and then. */
void aux_tell_busy(struct aux_commands *all);

/* The runs are over and the daemon goes: until nothing of these is left with the spawner, which
 * would stay for it, or that time, CLOCK_MONOTONIC. 0, -ECANCELED */
RV_AWAIT int aux_await_gone(struct aux_commands *all, rv_time deadline);

/* ---- of the spawner ------------------------------------------------------------------------ */

bool aux_is_token(const struct spawn_token *t);
/* told by the link; take the pidfd */
void aux_told_started(
	struct aux_commands *all, const struct spawn_run_info *info, int pidfd);
void aux_told_failed(struct aux_commands *all, const struct spawn_run_info *info);
/* its request never got there: again */
void aux_told_not_taken(struct aux_commands *all, const struct spawn_token *t);
void aux_told_exited(struct aux_commands *all, const struct spawn_run_info *info);
/* the connection is gone */
void aux_told_lost_link(struct aux_commands *all);
/* requests may go through now */
void aux_told_room(struct aux_commands *all);
/* some are with a spawner that may be gone, and nobody knows their process */
bool aux_some_in_doubt(const struct aux_commands *all);
/* The table of a new connection, after the runs have been matched. Of spawners that are
 * gone tr tells what is left. */
void aux_match(struct aux_commands *all, struct spawner_run *runs, size_t n,
	bool same_instance, const struct traces *tr);

#endif
