/* What the files of dependents share; see dependents.h. */
#ifndef DAEMON_DEPENDENTS_PRIV_H
#define DAEMON_DEPENDENTS_PRIV_H

#include "daemon/dependents.h"
#include "reeve/sync.h"

enum { YIELD_EVERY = 1024 };

struct planned_skip {
	struct job *job; /* busy, so that it stays */
	struct store_job rec;
	char *reason; /* of rec; owned */
};

struct dependents {
	struct core *core;
	rv_event work;
	rv_lock changes;
	/* ids of jobs to be looked at: waiting ones themselves, of others their dependents */
	uint64_t *line;
	size_t first, n, n_max;
	bool look_at_all; /* at every waiting one: after a start, or when memory was short */
	size_t n_kept;
	unsigned n_looked;
	struct txn *txn; /* of the skips; NULL: none are planned */
	struct planned_skip *skips;
	size_t n_skips;
};

void dependents_look_at_all(struct dependents *d);
/* deps_look_fn; arg is the core. A change that is being recorded counts already. */
bool dependents_look_up(uint64_t id, struct dep_job *ret, void *core);

#endif
