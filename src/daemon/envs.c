#include "config.h"

#include <errno.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hashmap.h"
#include "base/invariant.h"
#include "base/strv.h"
#include "daemon/commit.h"
#include "daemon/envs.h"

struct envs {
	struct hashmap *by_digest;
	struct hashmap *by_id;
	size_t bytes, bytes_max;
	uint64_t last_id;
};

int envs_new(struct envs **ret, size_t bytes_max)
{
	struct envs *es;
	int r;

	es = calloc(1, sizeof(*es));
	if (!es)
		return -ENOMEM;
	es->bytes_max = bytes_max;
	r = hashmap_new(&es->by_digest, HASHMAP_STRING);
	if (r >= 0)
		r = hashmap_new(&es->by_id, HASHMAP_U64);
	if (r < 0) {
		envs_free(es);
		return r;
	}
	*ret = es;
	return 0;
}

struct envs *envs_free(struct envs *es)
{
	struct env_set *e;

	if (!es)
		return NULL;
	if (es->by_id) {
		HASHMAP_FOREACH(e, es->by_id)
			free(e);
	}
	hashmap_free(es->by_id);
	hashmap_free(es->by_digest);
	free(es);
	return NULL;
}

void envs_set_limit(struct envs *es, size_t bytes_max)
{
	es->bytes_max = bytes_max;
}

/* its digest is known */
static int add(struct envs *es, struct env_set *e)
{
	int r;

	r = hashmap_put(es->by_digest, e->digest, e);
	if (r < 0)
		return r;
	r = hashmap_put_u64(es->by_id, e->id, e);
	if (r < 0) {
		hashmap_remove(es->by_digest, e->digest);
		return r;
	}
	es->bytes += e->len;
	if (e->id > es->last_id)
		es->last_id = e->id;
	return 0;
}

static void forget(struct envs *es, struct env_set *e)
{
	hashmap_remove(es->by_digest, e->digest);
	hashmap_remove_u64(es->by_id, e->id);
	es->bytes -= e->len;
	free(e);
}

int envs_intern(struct envs *es, struct env_set **ret, char *const *env)
{
	struct env_set *e, *old;
	size_t len = 0, at = 0;
	int r;

	STRV_FOREACH(s, env)
		len += strlen(*s) + 1;
	e = calloc(1, sizeof(*e) + len);
	if (!e)
		return -ENOMEM;
	e->len = len;
	STRV_FOREACH(s, env) {
		size_t n = strlen(*s) + 1;

		memcpy(e->data + at, *s, n);
		at += n;
	}
	SHA256Data((const uint8_t *)e->data, e->len, e->digest);
	old = hashmap_get(es->by_digest, e->digest);
	if (old) {
		free(e);
		e = old;
	} else {
		r = es->bytes + len > es->bytes_max ? -RV_ELIMIT : 0;
		e->id = es->last_id + 1;
		if (r >= 0)
			r = add(es, e);
		if (r < 0) {
			free(e);
			return r;
		}
	}
	*ret = env_set_ref(e);
	return 0;
}

int envs_record(const struct env_set *e, struct txn *t)
{
	struct store_op *op;

	if (!e)
		return 0;
	/* also when it is known: its last job may be removed in the same transaction */
	op = txn_add(t, STORE_ENV_INSERT);
	if (!op)
		return -ENOMEM;
	op->env = (struct store_env){.id = e->id, .data = e->data, .len = e->len};
	return 0;
}

int envs_get(struct envs *es, struct env_set **ret, char *const *env, struct txn *t)
{
	struct env_set *e;
	int r = envs_intern(es, &e, env);

	if (r < 0)
		return r;
	r = envs_record(e, t);
	if (r < 0) {
		envs_put(es, e);
		return r;
	}
	*ret = e;
	return 0;
}

struct env_set *env_set_ref(struct env_set *e)
{
	if (e)
		e->n_users++;
	return e;
}

void envs_put(struct envs *es, struct env_set *e)
{
	if (!e)
		return;
	INVARIANT(e->n_users > 0);
	if (--e->n_users == 0)
		forget(es, e);
}

int envs_add(struct envs *es, const struct store_env *rec)
{
	struct env_set *e;
	int r;

	e = calloc(1, sizeof(*e) + rec->len);
	if (!e)
		return -ENOMEM;
	e->id = rec->id;
	e->len = rec->len;
	memcpy(e->data, rec->data, rec->len);
	SHA256Data((const uint8_t *)e->data, e->len, e->digest);
	r = add(es, e);
	if (r < 0)
		free(e);
	return r;
}

struct env_set *envs_by_id(const struct envs *es, uint64_t id)
{
	return id ? hashmap_get_u64(es->by_id, id) : NULL;
}

int env_set_strv(char ***ret, const struct env_set *e)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	size_t at = 0;

	while (e && at < e->len) {
		size_t n = strnlen(e->data + at, e->len - at);
		int r = strv_builder_take(&b, strndup(e->data + at, n));

		if (r < 0)
			return r;
		at += n + 1;
	}
	*ret = NULL;
	return b.n > 0 ? strv_builder_finish(&b, ret) : 0;
}
