/*
 * After a crash, a restart, or the loss of the spawner: which recorded runs go on, which
 * have ended, which never began, and which nobody can tell of.
 *
 * A recorded run that the complete table of the *same* spawner does not hold was never
 * started. With another spawner it is looked for in the exits file, by its pid and start
 * time, and by its mark in /proc; else it is lost. It is never started again by itself.
 */
#ifndef DAEMON_RECOVERY_H
#define DAEMON_RECOVERY_H

#include "daemon/spawner_link.h"
#include "store/store.h"

struct core;
struct recovery;

int recovery_new(struct recovery **ret, struct core *core);
struct recovery *recovery_free(struct recovery *rc);

/* a run that the store says has not ended; copied */
int recovery_add(struct recovery *rc, const struct store_run *rec);

/* In a worker or before the loop runs: read the exits file, look for the marks of recorded
 * runs in /proc where they may be needed. */
int recovery_look_around(struct recovery *rc);

/* spawner_link_opts.on_table */
void recovery_match(
	struct spawner_run *runs, size_t n, bool same_instance, void *recovery);

#endif
