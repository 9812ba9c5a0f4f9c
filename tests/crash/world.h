/*
 * A private state directory with a real reeved and reeve-spawner on it, for killing.
 *
 * Whatever goes wrong ends the program with a message: the script that runs it ends
 * what is left. One thread, except where said otherwise.
 */
#ifndef TESTS_CRASH_WORLD_H
#define TESTS_CRASH_WORLD_H

#include <jansson.h>
#include <limits.h>
#include <pthread.h>

#include "base/macro.h"
#include "reeve/base.h"

struct client;

struct programs {
	const char *reeved, *spawner;
};

struct world {
	struct programs programs;
	char dir[PATH_MAX / 2];
	char judge[PATH_MAX]; /* every run writes its own lines here */
	char gate[PATH_MAX];  /* long jobs wait for its lock */
	char socket[PATH_MAX], state[PATH_MAX], fail_log[PATH_MAX];
	int gate_fd;           /* -1: open */
	pid_t reeved, spawner; /* children of ours; 0: none, or somebody else's */
	struct client *client;

	/* any thread: how often reeved became ready */
	pthread_mutex_t lock;
	pthread_cond_t came_up;
	unsigned n_ups;
};

/* The message, where the test is, and exit(1). Any thread. */
_Noreturn void die(const char *fmt, ...) PRINTF(1, 2);
/* what is done now; stands in the message of die and of the watchdog */
void step(const char *fmt, ...) PRINTF(1, 2);
/* the program dies when a step takes longer than this; 0: never */
void watchdog(unsigned seconds);

/* Makes the directory, which must not be there, and closes the gate. hasty: short jobs do
 * not pause. */
void world_init(struct world *w, const struct programs *p, const char *dir,
	unsigned slots, bool hasty);
void world_deinit(struct world *w);
/* failpoints: value of REEVE_FAILPOINT, or NULL; returns when it is ready */
void world_start_spawner(struct world *w, const char *failpoints);
void world_start_reeved(struct world *w, const char *failpoints);
/* No file that our spawner writes becomes longer, as on a full disk; jobs lift that for
 * themselves. */
void world_limit_spawner(struct world *w, size_t size_max);
/* SIGTERM; the jobs go on only where they do so by themselves */
void world_stop_reeved(struct world *w);
/* Until the child stops at its failpoint. */
void world_await_stop(pid_t pid);
/* SIGKILL and no sooner back than it is gone. A spawner that reeved has started is
 * found by its lock file. */
void world_kill_reeved(struct world *w);
void world_kill_spawner(struct world *w);
void world_open_gate(struct world *w);
/* waits until it answers; any thread, but the client is the caller's to close */
struct client *world_connect(struct world *w);

/* One call that has to succeed. The reply is the caller's. */
json_t *world_call(struct world *w, const char *method, json_t *params);
/* The same with "more": each reply is given to fn. */
void world_call_more(struct world *w, const char *method, json_t *params,
	void (*fn)(const json_t *params, void *arg), void *arg);

#endif
