/*
 * Words that both ends of the spawner's socket share: what names a run, what a start
 * asks for, what is told about a run, and at which step a start can fail.
 *
 * Kept apart from the wire format (wire.h) and from either end (client.h, runs.h), so
 * that the daemon includes this and client.h and nothing else.
 */
#ifndef SPAWN_SPAWN_H
#define SPAWN_SPAWN_H

#include <sys/resource.h>

#include "reeve/base.h"

/* Both are limits of the protocol: a peer that passes them is cut off. */
#define SPAWN_MESSAGE_MAX 65536      /* bytes of one packet */
#define SPAWN_BLOB_MAX    (16 << 20) /* bytes of argv and environment of one run */
#define SPAWN_STRINGS_MAX (1 << 20)  /* argv + environment entries of one run */
#define SPAWN_GROUPS_MAX  1024       /* supplementary groups */
#define SPAWN_PATH_MAX    4095       /* bytes of a path */
#define SPAWN_ID_LEN      32         /* hex digits of an instance or boot id */
/* and two numbers, of the daemon: where in its files the program's own output begins, behind that
 * of hooks before it */
#define SPAWN_SAID_OUTPUT "X_REEVE_OUTPUT_FROM="
/* and of a command beside a run the daemon's: which line of its hook it is (hook_lines.h) */
#define SPAWN_SAID_LINE       "X_REEVE_LINE="
#define SPAWN_SAID_MAX        1024 /* bytes of what a run says of itself (said.h) */
#define SPAWN_SAID_STATUS_MAX 256  /* of these, of its STATUS= */
/* of sd_notify(3): moves the end of the grace of one that is being stopped */
#define SPAWN_SAID_EXTEND  "EXTEND_TIMEOUT_USEC="
#define SPAWN_EXTEND_MAX   (INT64_C(86400) * 1000000) /* microseconds: a day */
#define SPAWN_READY_FD_MIN 3
#define SPAWN_READY_FD_MAX 255

#define SPAWN_SOCKET_NAME "spawner.sock"
#define SPAWN_LOCK_NAME   "spawner.lock"
#define SPAWN_EXITS_NAME  "spawner-exits"
#define SPAWN_LOG_NAME    "spawner.log"

/*
 * Names one execution, forever. The spawner starts at most one process per token; two
 * tokens that differ only in the epoch are the same run, told by two daemons.
 */
struct spawn_token {
	uint64_t job_id;
	uint32_t run_no; /* with SPAWN_AUX: of a command beside a run */
	uint64_t epoch;  /* of the daemon that asks; counts up */
};

/* A command that a run has beside its program: which of them it is, and the low bits of the
 * number of the run. To the spawner it is an execution like any other. */
#define SPAWN_AUX            (UINT32_C(1) << 31)
#define SPAWN_AUX_PLACES_MAX 128
static inline uint32_t spawn_aux_number(unsigned place, uint32_t run_no)
{
	return SPAWN_AUX | place % SPAWN_AUX_PLACES_MAX << 24 | (run_no & 0xffffff);
}
static inline unsigned spawn_aux_place(uint32_t number)
{
	return number >> 24 & (SPAWN_AUX_PLACES_MAX - 1);
}
/* of the run, of either kind */
static inline uint32_t spawn_run_number(uint32_t run_no)
{
	return run_no & SPAWN_AUX ? run_no & 0xffffff : run_no;
}

/* "job.run.epoch.instance" with room for the NUL */
#define SPAWN_MARK_MAX (20 + 1 + 10 + 1 + 20 + 1 + SPAWN_ID_LEN + 1)
#define SPAWN_MARK_ENV "REEVE_TOKEN"
/* In an environment without a value: it gets the process id of the program. */
#define SPAWN_PID_ENV "WATCHDOG_PID"

bool spawn_token_equal(const struct spawn_token *a, const struct spawn_token *b);
/* as for qsort(3): by job, run, epoch */
int spawn_token_compare(const struct spawn_token *a, const struct spawn_token *b);
/* value of REEVE_TOKEN; buf has SPAWN_MARK_MAX bytes; returns buf */
char *spawn_mark_format(char *buf, const struct spawn_token *t, const char *instance);
/* 0, -EINVAL; ret_instance may be NULL */
int spawn_mark_parse(
	struct spawn_token *ret, char ret_instance[SPAWN_ID_LEN + 1], const char *mark);

/* Steps of a start. Numbers are on the wire: append only. Limits and niceness are set
 * after the change of user, by whose rights the kernel judges them. */
#define SPAWN_STEPS(X)                                                   \
	X(NONE, 0, "none")                                               \
	X(REQUEST, 1, "request") /* refused before anything was tried */ \
	X(FORK, 2, "fork")                                               \
	X(DESCRIPTORS, 3, "descriptors")                                 \
	X(SESSION, 4, "session")                                         \
	X(CGROUP, 5, "cgroup")                                           \
	X(RLIMIT, 6, "rlimit")                                           \
	X(NICE, 7, "nice")                                               \
	X(GROUPS, 8, "setgroups")                                        \
	X(GID, 9, "setgid")                                              \
	X(UID, 10, "setuid")                                             \
	X(CHDIR, 11, "chdir")                                            \
	X(STDIN, 12, "stdin")                                            \
	X(STDOUT, 13, "stdout")                                          \
	X(STDERR, 14, "stderr")                                          \
	X(EXEC, 15, "exec")                                              \
	X(ENVIRONMENT, 16, "environment") /* of the daemon, before a request */

enum spawn_step {
#define X(name, number, text) SPAWN_STEP_##name = number,
	SPAWN_STEPS(X)
#undef X
};

/* "chdir"; "unknown" for a number this build does not know */
const char *spawn_step_name(unsigned int step);

/* What happens to the rest of the process tree when the main process has ended. */
enum spawn_leftovers {
	SPAWN_LEFTOVERS_KILL,  /* kill signal, grace, SIGKILL; then the exit is told */
	SPAWN_LEFTOVERS_LEAVE, /* they go on; the exit is told at once */
	SPAWN_LEFTOVERS_WAIT,  /* the exit is told when they have all ended */
};

enum spawn_stdio {
	SPAWN_STDIO_NULL, /* /dev/null */
	SPAWN_STDIO_PATH, /* opened by the child, as the owner; regular file or null */
	SPAWN_STDIO_FD,   /* stdout, stderr: the descriptor that comes along */
	SPAWN_STDIO_STDOUT, /* stderr only: the same as stdout */
	SPAWN_STDIO_PIPE,   /* stdin only: a pipe that the spawner keeps open */
};

struct spawn_rlimit {
	uint32_t resource; /* RLIMIT_* */
	uint64_t soft;     /* RLIM_INFINITY: none */
	uint64_t hard;
};

#define SPAWN_RLIMITS_MAX 16
#define SPAWN_NICE_KEEP   INT8_MAX   /* nice of the spawner */
#define SPAWN_ID_KEEP     UINT32_MAX /* uid or gid of the spawner */

/*
 * One start. Everything is borrowed for the time of the call that takes it; strings are
 * bytes without NUL, of any encoding.
 */
struct spawn_request {
	struct spawn_token token;
	char *const *argv; /* at least argv[0]; without '/' it is looked for in PATH */
	char *const *env;  /* NULL: empty; marks are put in by the spawner */
	const char *cwd;   /* absolute; NULL: "/" */

	enum spawn_stdio stdin_kind; /* NULL, PATH or PIPE */
	enum spawn_stdio stdout_kind;
	enum spawn_stdio stderr_kind;
	const char *stdin_path, *stdout_path, *stderr_path;
	int stdout_fd, stderr_fd; /* for SPAWN_STDIO_FD */
	bool stamped; /* SPAWN_STDIO_FD: with the time at the front of lines (stamp.h) */

	uint32_t umask; /* 0 to 0777 */
	int nice;       /* -20 to 19, SPAWN_NICE_KEEP */
	const struct spawn_rlimit *rlimits;
	size_t n_rlimits;

	uint32_t uid, gid; /* SPAWN_ID_KEEP: do not change */
	const uint32_t *groups;
	size_t n_groups;
	bool set_groups; /* false: keep the spawner's */

	/* Number of a descriptor that the child has open for writing: once it has written a
	 * line there the run is ready (SPAWN_RUN_READY). 0: none */
	int ready_fd;

	rv_time start_timeout; /* ns until a start that hangs before exec fails; > 0 */
	rv_time kill_grace; /* ns between kill_signal and SIGKILL for leftovers; >= 0 */
	int kill_signal;    /* 1 to 64 */
	enum spawn_leftovers leftovers;
	const char *cgroup; /* directory (cgroup v2) to make a leaf in, or NULL */

	/* Of the runs with this number at most gate_slots go on at once; 0: no such limit.
	 * The last start says how many. ahead: this one waits for a place, and until it
	 * has one it can be taken back; else it counts, but does not wait. aside: it
	 * neither waits nor counts. All that go on have different numbers, the lowest that
	 * are free, from 0 on: REEVE_SLOT in their environment. */
	uint64_t gate;
	uint32_t gate_slots;
	bool ahead, aside;
};

/* Numbers are on the wire and in the exits file: append only. */
enum spawn_run_state {
	SPAWN_RUN_STARTING, /* accepted; no program runs yet */
	SPAWN_RUN_RUNNING,
	SPAWN_RUN_EXITED, /* waits for its acknowledgement */
	SPAWN_RUN_FAILED, /* the start failed; waits for its acknowledgement */
};

#define SPAWN_RUN_PAUSED     (1U << 0)
#define SPAWN_RUN_STOPPING   (1U << 1) /* a stop, a kill, or leftovers being ended */
#define SPAWN_RUN_MAIN_ENDED (1U << 2) /* only leftovers are left */
#define SPAWN_RUN_SURVIVORS  (1U << 3) /* not even SIGKILL ended all of the tree */
#define SPAWN_RUN_SHUTDOWN \
	(1U << 4)                 /* was going on when the spawner was told to stop */
#define SPAWN_RUN_STDIN (1U << 5) /* its stdin is a pipe that is kept open */
#define SPAWN_RUN_READY (1U << 6) /* it has said so on its ready_fd */

struct spawn_usage {
	int64_t utime_usec, stime_usec;
	int64_t maxrss_kib;
	int64_t minflt, majflt, inblock, oublock, nvcsw, nivcsw;
};

/* Everything that is known of a run; what does not apply in its state is 0. */
struct spawn_run_info {
	struct spawn_token token;
	enum spawn_run_state state;
	uint32_t flags; /* SPAWN_RUN_* bits */
	int32_t pid;    /* of the main process, also its process group and session */
	uint64_t start_time; /* of the pid: clock ticks since boot, as /proc/PID/stat */
	rv_time started_boot, ended_boot; /* CLOCK_BOOTTIME, ns */
	int64_t started_usec, ended_usec; /* wall clock */
	int32_t status;                   /* EXITED: as wait(2) gives it */
	uint32_t leftovers;               /* EXITED: processes left when main ended */
	struct spawn_usage usage;         /* EXITED */
	int32_t error;                    /* FAILED: errno, > 0 */
	enum spawn_step step;             /* FAILED */
};

/* The spawner took the start back because it was told to stop: no program has run. */
bool spawn_run_never_began(const struct spawn_run_info *info);
/* The start waited at its gate and was taken back (spawn_client_recall): no program has run,
 * and it is in no table. */
bool spawn_run_was_recalled(const struct spawn_run_info *info);

#endif
