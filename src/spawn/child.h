/*
 * One start: the request as the child needs it, and the part between clone and exec.
 *
 * A struct start is one allocation that the loop's thread builds, a starter thread
 * works on, and the loop's thread takes back; who has it when is said in starter.h.
 */
#ifndef SPAWN_CHILD_H
#define SPAWN_CHILD_H

#include <stdatomic.h>

#include "base/list.h"
#include "spawn/wire.h"

struct run;

struct start {
	struct list link;
	/* NULL: nobody waits for it any more; the loop's, and read where it has ended and
	 * may be followed (relay.h): such a one is not given up */
	struct run *run;

	/* the request: fixed once built, everything points into this allocation */
	struct spawn_request req; /* with argv and env; descriptors are owned */
	char **argv_sh;           /* argv with one free place before it, for /bin/sh */
	const char *path;         /* PATH to look argv[0] up in, NULL: it has a slash */
	char *exec_buf;           /* room for one candidate, when path is set */
	size_t exec_size;
	char *cgroup_leaf;  /* directory of this run's own cgroup, or NULL */
	char *cgroup_procs; /* the file in it that takes the child, or NULL */
	char *slot;         /* REEVE_SLOT, once it is known; NULL: it has none */
	char **slot_entry;  /* where that goes in the environment */
	char *pid_text;     /* where its environment says its own pid; NULL: nowhere */
	bool stay;          /* its thread waits a moment for its end (starter.h) */

	/* what the child tells while its parent thread is suspended; the loop's thread
	 * reads it to see where a start hangs */
	_Atomic uint16_t step; /* enum spawn_step that is being tried */
	atomic_int child_pid;  /* 0: it has not run yet */
	int pidfd;             /* written by the kernel before the child runs */
	int stdin_fd;          /* SPAWN_STDIO_PIPE: the end to write to; else -1 */
	int ready_fd;          /* of a request with one, the end to read; else -1 */
	int error;             /* errno of the step, set right before it ends */
	rv_time child_boot;    /* CLOCK_BOOTTIME as the child began */

	/* set by the loop's thread under the starters' lock */
	int give_up;    /* errno: ETIMEDOUT or ECANCELED; it was sent SIGKILL */
	bool abandoned; /* not even SIGKILL ended it; nobody waits for it any more */

	/* result, when it has come back: error 0 and a pid with its pidfd, or an error
	 */
	pid_t pid;
	uint64_t start_time;
	rv_time started_boot;
	int64_t started_usec;

	/* with stay, and after an end that was seen; else pidfd tells */
	bool ended;
	bool end_claimed; /* it stands in the file of claims */
	bool quiet; /* another follows, and nobody need hear of this one at once */
	rv_time ended_boot;
	int64_t ended_usec;
};

/* What is the same for all children; set once before the first start. */
struct child_common {
	struct rlimit nofile; /* the limit that the spawner itself was started with */
	int low_fds_end;      /* descriptors from here on are never a child's */
};

/* What the entry function of the child gets. */
struct child_args {
	struct start *start;
	const struct child_common *common;
	/* where stdin is if it is a pipe, stdout and stderr if they came along, and the
	 * end to write to of ready_fd; below low_fds_end */
	int in_fd, out_fd, err_fd, ready_fd;
};

/**
 * Build a start from a decoded request.
 *
 * @blob_data  the strings, len bytes, checked with wire_blob_check
 * @mark       value of REEVE_TOKEN
 *
 * 0, -ENOMEM. The descriptors in ws->req are the start's on success.
 */
int start_new(struct start **ret, const struct wire_start *ws, const char *blob_data,
	const char *mark);
/* its number at its gate, before it begins */
void start_set_number(struct start *s, uint32_t number);
struct start *start_free(struct start *s); /* closes what it still has open */

/*
 * Entry of the child: clone(2) runs it on a stack of its own while the thread that
 * called is suspended and all memory is shared. Never returns into the parent's frames:
 * ends in exec, or in _exit after start->error is set.
 */
int child_main(void *child_args);

#endif
