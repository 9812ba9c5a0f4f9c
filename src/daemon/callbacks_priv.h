/* What the files of callbacks share. */
#ifndef DAEMON_CALLBACKS_PRIV_H
#define DAEMON_CALLBACKS_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/callbacks.h"

struct hashmap;

struct callbacks {
	struct core *core;
	struct hashmap *plans;  /* of struct plan, by its id */
	size_t n_planned;       /* jobs in them */
	struct hashmap *by_job; /* those in the table of jobs: see callbacks_table.c */
	uint64_t n_dropped;     /* since there was much room last */
};

/* NULL is fine */
void callbacks_table_free(struct hashmap *by_job);

#endif
