/*
 * What unit tests of the daemon share: the parts of a core on a loop of its own, with a
 * store in memory and a state directory that goes with the test.
 *
 * DAEMON_TEST(name) { ... return 0; } is a test whose body is the main task of a fresh
 * loop; fx has the parts. A body that returns anything else fails.
 */
#ifndef TESTS_UNIT_DAEMON_FIXTURE_H
#define TESTS_UNIT_DAEMON_FIXTURE_H

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/configuration.h"
#include "daemon/callbacks.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/events.h"
#include "daemon/inputs.h"
#include "daemon/jobs.h"
#include "daemon/keys.h"
#include "daemon/outputs.h"
#include "daemon/pools.h"
#include "daemon/retention.h"
#include "daemon/scheduler.h"
#include "reeve/reeve.h"
#include "store/store_memory.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

struct fixture {
	struct core core;
	struct config *config; /* defaults */
	struct temp_dir dir;   /* the state directory */
	rv_executor *store_executor;
	rv_group services;
};

/* All parts are made; tasks of services are started by the test. Nothing is scheduled:
 * BLOCK_STARTUP is set. */
typedef int (*fixture_fn)(struct fixture *fx);
int fixture_run(fixture_fn body);
/* The same on a clock that stands still until nothing is left to do, then jumps to the next
 * deadline. What runs in a worker meanwhile does not hold it. */
int fixture_run_virtual(fixture_fn body);

/* set the wall clock of a virtual one, forward or back, and tell */
void fixture_set_clock(struct fixture *fx, int64_t by_usec);

/* start the task that drives commits; it ends with the test */
void fixture_start_committer(struct fixture *fx);
/* start the committer and commit every job of the table, which counts as loaded then */
void fixture_record_jobs(struct fixture *fx);
/* start a service task; cancelled at the end of the test */
void fixture_start(struct fixture *fx, rv_fn fn, void *arg);

struct fixture_job {
	const char *name, *function, *stdin_from;
	const char *after, *after_any, *after_failure; /* ids */
	const char *on_success, *on_failure, *on_finish;
	int64_t priority;
	uint32_t uid;
	enum job_state state;
};
/* a job in the table, not in any order yet: scheduler_place does that */
struct job *fixture_add_job(
	struct fixture *fx, uint64_t id, const struct fixture_job *how);
/* publish a change of its state */
void fixture_set_state(struct fixture *fx, struct job *j, enum job_state state);

#define DAEMON_TEST_ON(run, test_name)                      \
	static int test_name##_body(struct fixture *fx);    \
	START_TEST(test_name)                               \
	{                                                   \
		ck_assert_int_eq(run(test_name##_body), 0); \
	}                                                   \
	END_TEST                                            \
	static int test_name##_body(struct fixture *fx)
#define DAEMON_TEST(test_name)         DAEMON_TEST_ON(fixture_run, test_name)
#define DAEMON_VIRTUAL_TEST(test_name) DAEMON_TEST_ON(fixture_run_virtual, test_name)

#endif
