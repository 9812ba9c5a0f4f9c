/* What the files of pools share; see pools.h. */
#ifndef DAEMON_POOLS_PRIV_H
#define DAEMON_POOLS_PRIV_H

#include "base/hashmap.h"
#include "daemon/core.h"
#include "daemon/pools.h"

struct txn;

/* a pool of which something was said at run time */
struct custom {
	char name[POOL_NAME_MAX + 1];
	struct pool_record rec;
};

struct pools {
	struct core *core;
	const struct config *config; /* that was applied last */
	struct hashmap *customs;     /* of struct custom, by name */
	size_t n_added;
	rv_lock changing; /* one change after the other */
};

struct custom *pools_custom(const struct pools *ps, const char *name); /* NULL */
/* What is said of a pool from now on. Takes the record, also on failure. 0, -ENOMEM */
int pools_keep(struct pools *ps, const char *name, struct pool_record *rec);
/* into a transaction. 0, -ENOMEM */
int pools_put_record(struct txn *t, const char *name, const struct pool_record *rec);
/* what a pool is where nothing is said at run time; NULL: the defaults */
void pool_settings_of_section(
	struct pool_settings *ret, const struct config_named *section);
/* A file that came later has taken it over with all it was added with. */
bool pool_is_taken_over(
	const struct pool_record *rec, const struct config_named *section);
/* Bring the scheduler's pool to what holds. 0, -ENOMEM */
int pools_apply_one(struct pools *ps, const char *name);

#endif
