/*
 * The files that runs write their output to.
 *
 * A run's own process has its file open for appending, so nothing that happens to the
 * daemon can lose or block it. Creating and removing files can stall behind another's
 * fsync, so both happen in a worker, ahead of need and after it. A file that stayed empty is
 * used again, where a write lease proves that nobody has it open any more.
 *
 * Names are paths below the state directory, unique over all restarts: the epoch is in
 * them. Loop thread only.
 */
#ifndef DAEMON_OUTPUTS_H
#define DAEMON_OUTPUTS_H

#include "base/list.h"
#include "reeve/task.h"

struct core;
struct outputs;

enum { OUTPUT_NAME_MAX = 48 };

struct output_file {
	struct list link; /* in outputs.ready */
	int fd;           /* O_WRONLY | O_APPEND; ours alone */
	char name[OUTPUT_NAME_MAX];
};

int outputs_new(struct outputs **ret, struct core *core);
struct outputs *outputs_free(struct outputs *os);

/* The task that makes and removes files; a service task. */
int outputs_main(void *outputs);

/* An empty file for a run. 0, or why none can be made (-ENOSPC, -EMFILE, ...). */
RV_AWAIT int outputs_take(struct outputs *os, struct output_file **ret);
/**
 * A descriptor for the run's process; the caller closes it once it is passed on.
 *
 * Opened anew and not duplicated: the kernel counts open file descriptions, so only then
 * does the lease in outputs_finish see that a straggler still has the file.
 */
int outputs_open_for_run(const struct output_file *f);
/* The run that had it is over, or never began. Takes f. Returns the bytes in it (holes do
 * not count), 0 when it is empty: then its name means nothing any more. */
int64_t outputs_finish(struct outputs *os, struct output_file *f);
/* The run goes on without us: close it, leave the file. Takes f. */
void outputs_detach(struct output_file *f);
/* The file of a run that was found going on. 0, -errno. */
int outputs_adopt(struct outputs *os, struct output_file **ret, const char *name);

/* Unlink soon, in a worker: a file below the state directory, of output or input, that no
 * record names any more. */
void outputs_remove(struct outputs *os, const char *name);

/* bytes of all kept outputs of finished runs, and those that go first */
void outputs_account(struct outputs *os, int64_t bytes); /* may be negative */
int64_t outputs_total(const struct outputs *os);

/* Remove files that no record names: blocking, before the first run starts.
 * is_known says whether a record names it. Returns their number or -errno. */
int outputs_sweep(
	struct outputs *os, bool (*is_known)(const char *name, void *arg), void *arg);

#endif
