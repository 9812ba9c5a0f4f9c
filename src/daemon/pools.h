/*
 * Pools: from the configuration, or added at run time; and what was changed of either at run
 * time, which is kept in the store.
 *
 * What a file defines can be changed at run time until the next reload that changes its
 * section. Loop thread only.
 */
#ifndef DAEMON_POOLS_H
#define DAEMON_POOLS_H

#include "daemon/pool_record.h"
#include "sched/pool.h"

struct core;
struct job;
struct pools;

int pools_new(struct pools **ret, struct core *core);
struct pools *pools_free(struct pools *ps);
/* A record of the store; one that cannot be read is logged. 0, -ENOMEM */
int pools_load(struct pools *ps, const char *name, const char *text);
/* Bring pools and resources to what the configuration and the records say. 0, -ENOMEM */
int pools_apply(struct pools *ps, const struct config *cf);
/* Names that were added at run time, and that files define too: each is an error. */
void pools_check(
	const struct pools *ps, const struct config *cf, struct config_errors *errors);

/* ---- changes ------------------------------------------------------------------------- */
/* Each answers when it is on disk: 0, or the committer's error, -ENOMEM, -ECANCELED, and: */

/* -EEXIST; -RV_ELIMIT: pools-max */
RV_AWAIT int pools_add(
	struct pools *ps, const char *name, const struct pool_settings *settings);
/* -ENOENT. *ret_changed: something is different from before */
RV_AWAIT int pools_set(struct pools *ps, const char *name,
	const struct pool_settings *settings, bool *ret_changed);
/* What was set at run time is dropped. -ENOENT; -EPERM: it was added at run time */
RV_AWAIT int pools_reset(struct pools *ps, const char *name, bool *ret_changed);
/* -ENOENT; -EPERM: a file defines it; -EBUSY: there are unfinished jobs in it */
RV_AWAIT int pools_remove(struct pools *ps, const char *name);

enum pool_steer {
	POOL_PAUSE,  /* nothing of it starts */
	POOL_RESUME, /* the end of both others */
	POOL_DRAIN,  /* it takes no new jobs; those that it has go on and start */
};
/* -ENOENT */
RV_AWAIT int pools_steer(
	struct pools *ps, const char *name, enum pool_steer what, bool *ret_changed);

/* A job has failed for good: pools that have pause-on-failure are paused, at once. */
void pools_job_failed(struct pools *ps, const struct job *j);

/* ---- looking --------------------------------------------------------------------------- */

/* where it is defined: its section in the configuration; NULL: none */
const struct config_named *pools_section(const struct pools *ps, const char *name);
/* what was said of it at run time; NULL: nothing */
const struct pool_record *pools_record(const struct pools *ps, const char *name);
/* would what was set at run time outlive a reload of cf? */
bool pools_keeps_settings(
	const struct pools *ps, const char *name, const struct config *cf);
/* is a key set at run time, in place of what its section says? */
bool pools_key_is_set(const struct pools *ps, const char *name, enum config_key key);
/* what holds for it, of all keys of [pool]; borrowed, until something is changed of it */
void pools_settings(
	const struct pools *ps, const char *name, struct pool_settings *ret);

#endif
