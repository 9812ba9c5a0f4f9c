/*
 * After a crash, a restart, or the loss of the spawner: which recorded runs go on, which
 * have ended, which never began, and which nobody can tell of.
 *
 * A recorded run that the complete table of the *same* spawner does not hold was never
 * started. The same goes for one whose spawner left in good order and does not name it in
 * the exits file. Else, with another spawner, its end is looked for in that file, its
 * process by its pid and start time and by its mark in /proc; else it is lost. It is never
 * started again by itself.
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

/* There are runs of before of which it is not known yet what became of them. When that is
 * known, core->run_ended is set and cleared. */
bool recovery_is_pending(const struct recovery *rc);

/* spawner_link_opts.before_table: read the exits file, and look for marks in /proc where there
 * are runs that they may help. 0, -ECANCELED, -errno */
RV_AWAIT int recovery_look_around(void *recovery);

/* spawner_link_opts.on_table */
void recovery_match(
	struct spawner_run *runs, size_t n, bool same_instance, void *recovery);

#endif
