/*
 * The parts that a run passes through, wired together by app.c: table of jobs, scheduler,
 * committer, outputs, the link to the spawner. Each module names what it needs of the
 * others through here and owns nothing of it.
 */
#ifndef DAEMON_CORE_H
#define DAEMON_CORE_H

#include "base/clock.h"
#include "base/list.h"
#include "daemon/clock_jumps.h"
#include "reeve/executor.h"
#include "reeve/group.h"
#include "reeve/sync.h"

struct config;
struct store;
struct callbacks;
struct committer;
struct jobs;
struct envs;
struct events;
struct keys;
struct pools;
struct schedule_jobs;
struct schedules;
struct services;
struct service_memory;
struct readiness;
struct aux_commands;
struct scheduler;
struct dependents;
struct spawner_link;
struct outputs;
struct retention;
struct output_caps;
struct deadlines;
struct disk_guard;
struct inputs;
struct functions;
struct users;
struct log_watch;

struct core {
	const struct clock *clock;
	const struct config *config; /* replaced as a whole by a reload */
	struct store *store; /* for reading; writing goes through the committer */
	struct committer *committer;
	struct jobs *jobs;
	struct envs *envs;
	struct events *events;
	struct keys *keys;
	struct scheduler *scheduler;
	struct pools *pools;
	struct callbacks *callbacks; /* NULL: there are none, in tests */
	struct schedule_jobs *schedule_jobs;
	struct schedules *schedules;
	struct services *services;   /* NULL: there are none, in tests */
	struct readiness *readiness; /* of services; NULL: there are none, in tests */
	struct aux_commands *aux;
	struct service_memory *service_memory; /* NULL: as services */
	struct dependents *dependents;
	struct spawner_link *spawner;
	struct outputs *outputs;
	struct retention *retention;
	struct output_caps *caps;
	struct disk_guard *disk;
	struct deadlines *deadlines;
	struct inputs *inputs;
	struct functions *functions;
	struct users *users;
	struct log_watch *log_watch;
	struct clock_jumps clock_jumps;
	rv_executor *io;       /* the daemon's own blocking work */
	rv_executor *blocking; /* functions */
	rv_group *runs;        /* owns the supervising tasks */
	struct list active;    /* of struct run.active: those that have a slot */
	size_t n_runs;
	size_t runs_max; /* by descriptors; 0: no limit, in tests */
	int state_fd;    /* the state directory */
	const char *state_dir;
	bool system_mode;
	rv_event run_ended; /* set and cleared each time */
	bool detaching;     /* supervising tasks leave their runs alone and return */
	uint64_t epoch; /* of this reeved: counts its starts on this state directory */
	char boot_id[33];
};

/* Whoever waits for runs to end looks again. */
static inline void core_tell_run_ended(struct core *core)
{
	rv_event_set(&core->run_ended);
	rv_event_clear(&core->run_ended);
}

#endif
