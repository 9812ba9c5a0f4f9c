/*
 * The link to the spawner: connects, starts one where none answers, passes requests of
 * runs on and tells runs what became of them. Loop thread only.
 */
#ifndef DAEMON_SPAWNER_LINK_H
#define DAEMON_SPAWNER_LINK_H

#include "reeve/task.h"
#include "spawn/client.h"

struct core;
struct run;
struct spawner_link;

/* One run of the table that a spawner sends when it is connected. */
struct spawner_run {
	struct spawn_run_info info;
	int pidfd, stdin_fd; /* -1: none */
	char *said; /* what it says of itself (spawn/said.h), owned; NULL: nothing */
};

struct spawner_link_opts {
	const char *program; /* NULL: never start one (a unit does) */
	rlim_t nofile;       /* of runs: what there was before we raised our own */
	/* A connection was made: if it is to another spawner than the last, that one is gone by
	 * now. Its table is not read before this returns; an error gives it up. */
	int (*before_table)(void *arg);
	/* the table of a new connection is whole: match it, before anything starts. Entries
	 * whose descriptors are wanted are taken by setting them to -1. */
	void (*on_table)(
		struct spawner_run *runs, size_t n, bool same_instance, void *arg);
	void *arg;
};

int spawner_link_new(struct spawner_link **ret, struct core *core,
	const struct spawner_link_opts *opts);
struct spawner_link *spawner_link_free(struct spawner_link *l);

/* The task that keeps it connected; a service task. */
int spawner_link_main(void *link);

/* It was lost, or could not be reached or started, and is not back: not so while the first
 * connection is only being made. */
bool spawner_link_has_failed(const struct spawner_link *l);

/* Connected, and its table was matched. */
bool spawner_link_is_ready(const struct spawner_link *l);
/* 32 hex digits of the spawner that is connected, "" before the first */
const char *spawner_link_instance(const struct spawner_link *l);
pid_t spawner_link_pid(const struct spawner_link *l); /* 0: none */

/**
 * Ask for a start. On success the run is marked as sent and descriptors are taken.
 * Returns 0; -EAGAIN: no spawner now, or no room: spawner_link_wait, then again; -E2BIG ...
 */
int spawner_link_start(
	struct spawner_link *l, struct run *run, struct spawn_request *req);
/* The same of what is no run: nothing is marked. */
int spawner_link_start_token(struct spawner_link *l, struct spawn_request *req);
/* until something has changed that may let a request through; 0, -ECANCELED */
RV_AWAIT int spawner_link_wait(struct spawner_link *l);

/* some job's record waits for the end of this run: it must not be acknowledged unseen */
bool spawner_link_is_awaited(const struct core *core, const struct spawn_token *t);
/* whoever waits there looks again */
void spawner_link_wake(struct spawner_link *l);

/* 0, -EAGAIN: no spawner or no room: the run is woken when that changes */
int spawner_link_stop(struct spawner_link *l, struct run *run, bool now);
/* sig, and SIGKILL after grace. 0, -EAGAIN: aux_told_room tells when again */
int spawner_link_stop_token(
	struct spawner_link *l, const struct spawn_token *t, int sig, rv_time grace);
int spawner_link_recall(struct spawner_link *l, struct run *run);
int spawner_link_pause(struct spawner_link *l, struct run *run, bool on);
/* the answer comes as run_told_result */
int spawner_link_close_stdin(
	struct spawner_link *l, struct run *run, uint32_t *ret_seq);
int spawner_link_signal(struct spawner_link *l, struct run *run, int sig);
/* The socket that this spawner had kept when it was connected, the caller's from then on; -1. */
int spawner_link_take_notify(struct spawner_link *l);
/* It keeps that one: fd is the caller's. 0, -EAGAIN */
int spawner_link_keep_notify(struct spawner_link *l, int fd);
/* The run says this of itself. 0, -EAGAIN */
int spawner_link_set_said(
	struct spawner_link *l, const struct run *run, const char *text);
/* The same of what is no run. */
int spawner_link_set_said_token(
	struct spawner_link *l, const struct spawn_token *t, const char *text);
/* its end is on disk */
void spawner_link_ack(struct spawner_link *l, const struct run *run);
void spawner_link_ack_token(struct spawner_link *l, const struct spawn_token *t);

#endif
