/*
 * Environments that jobs share: stored once however many jobs refer to them, found by
 * their content, gone with the last job. Loop thread only.
 */
#ifndef DAEMON_ENVS_H
#define DAEMON_ENVS_H

#include "store/store.h"

struct envs;
struct txn;

struct env_set {
	uint64_t id;
	size_t len;
	size_t n_users;  /* jobs that refer to it, and calls that are about to */
	char digest[65]; /* SHA-256 of the content */
	char data[];     /* NAME=VALUE, each ended by NUL */
};

/* @bytes_max  limit of all environments together */
int envs_new(struct envs **ret, size_t bytes_max);
struct envs *envs_free(struct envs *es);
void envs_set_limit(struct envs *es, size_t bytes_max);

/**
 * The environment with that content; the caller is a user of it until envs_put.
 *
 * @t  gets its insert, which is nothing to the store when the environment is there
 *
 * Returns 0, -RV_ELIMIT (all environments together would pass the limit), -ENOMEM.
 */
int envs_get(struct envs *es, struct env_set **ret, char *const *env, struct txn *t);
/* The same in two: the environment, of which nothing is recorded yet; */
int envs_intern(struct envs *es, struct env_set **ret, char *const *env);
/* and its insert, for a job whose record refers to it; it is held until that is committed.
 * NULL is fine. 0, -ENOMEM */
int envs_record(const struct env_set *e, struct txn *t);
struct env_set *env_set_ref(struct env_set *e); /* one more user; NULL is fine */
void envs_put(struct envs *es, struct env_set *e);
/* from the store, with no user yet */
int envs_add(struct envs *es, const struct store_env *rec);
struct env_set *envs_by_id(const struct envs *es, uint64_t id);
/* as an environment; strings are copies. 0, -ENOMEM */
int env_set_strv(char ***ret, const struct env_set *e);

#endif
