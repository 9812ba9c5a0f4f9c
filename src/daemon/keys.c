#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hashmap.h"
#include "daemon/commit.h"
#include "daemon/keys.h"

static const int64_t keep_usec = 3600 * USEC_PER_SEC;
static const int64_t expire_slack_usec = 60 * USEC_PER_SEC;

struct keys {
	const struct clock *clock;
	struct hashmap *by_text;
	size_t max;
	struct list by_age; /* of struct submit_key.link, oldest first */
};

int keys_new(struct keys **ret, const struct clock *clock, size_t max)
{
	struct keys *ks = calloc(1, sizeof(*ks));

	if (!ks || hashmap_new(&ks->by_text, HASHMAP_STRING) < 0) {
		free(ks);
		return -ENOMEM;
	}
	ks->clock = clock;
	ks->max = max;
	list_init(&ks->by_age);
	*ret = ks;
	return 0;
}

void keys_set_limit(struct keys *ks, size_t max)
{
	ks->max = max;
}

struct keys *keys_free(struct keys *ks)
{
	struct submit_key *k;

	if (!ks)
		return NULL;
	HASHMAP_FOREACH(k, ks->by_text)
		free(k);
	hashmap_free(ks->by_text);
	free(ks);
	return NULL;
}

static void key_unref(struct submit_key *k)
{
	if (k->dropped && k->n_waiting == 0)
		free(k);
}

static void forget(struct keys *ks, struct submit_key *k)
{
	hashmap_remove(ks->by_text, k->text);
	list_remove(&k->link);
	k->dropped = true;
	key_unref(k);
}

/* One user's many must not keep others from submitting. The store still has it: a repeat
 * of that call is refused there, never run twice. False: all are pending. */
static bool forget_oldest(struct keys *ks)
{
	LIST_FOREACH(node, &ks->by_age) {
		struct submit_key *k = LIST_ENTRY(node, struct submit_key, link);

		if (k->pending)
			continue;
		forget(ks, k);
		return true;
	}
	return false;
}

static int key_new(
	struct keys *ks, struct submit_key **ret, uint32_t uid, const char *key)
{
	size_t size = strlen(key) + 16;
	struct submit_key *k;
	int r;

	while (hashmap_size(ks->by_text) >= ks->max)
		if (!forget_oldest(ks))
			return -RV_ELIMIT;
	k = calloc(1, sizeof(*k) + size);
	if (!k)
		return -ENOMEM;
	snprintf(k->text, size, "%" PRIu32 ":%s", uid, key);
	k->uid = uid;
	k->created_usec = clock_wall_usec(ks->clock);
	rv_event_init(&k->settled);
	r = hashmap_put(ks->by_text, k->text, k);
	if (r < 0) {
		free(k);
		return r;
	}
	list_append(&ks->by_age, &k->link);
	*ret = k;
	return 0;
}

const char *submit_key_name(const struct submit_key *k)
{
	return strchr(k->text, ':') + 1;
}

int keys_begin(struct keys *ks, struct submit_key **ret, uint32_t uid, const char *key)
{
	char text[SUBMIT_KEY_MAX + 16];

	snprintf(text, sizeof(text), "%" PRIu32 ":%s", uid, key);
	for (;;) {
		struct submit_key *k = hashmap_get(ks->by_text, text);
		int r;

		if (!k) {
			r = key_new(ks, ret, uid, key);
			if (r >= 0)
				(*ret)->pending = true;
			return r;
		}
		if (!k->pending) {
			*ret = k;
			return 1;
		}
		k->n_waiting++;
		r = rv_event_wait(&k->settled);
		k->n_waiting--;
		key_unref(k);
		if (r < 0)
			return r;
	}
}

void key_commit(struct keys *ks, struct submit_key *k)
{
	k->pending = false;
	rv_event_set(&k->settled);
}

void key_drop(struct keys *ks, struct submit_key *k)
{
	k->pending = false;
	rv_event_set(&k->settled);
	forget(ks, k);
}

int keys_load(struct keys *ks, const struct store_key *rec)
{
	struct submit_key *k;
	int r;

	r = key_new(ks, &k, rec->uid, rec->key);
	if (r < 0)
		return r == -RV_ELIMIT ? 0 : r;
	k->first_id = rec->first_id;
	k->n = rec->n;
	k->created_usec = rec->created_usec;
	return 0;
}

static struct submit_key *oldest(struct keys *ks, int64_t before)
{
	struct list *node = list_first(&ks->by_age);
	struct submit_key *k = node ? LIST_ENTRY(node, struct submit_key, link) : NULL;

	return k && !k->pending && k->created_usec < before ? k : NULL;
}

int keys_expire(struct keys *ks, struct txn *t)
{
	int64_t before = clock_wall_usec(ks->clock) - keep_usec;
	struct store_op *op;
	struct submit_key *k;

	/* a minute late, so that not every submit expires the one of an hour before */
	if (!oldest(ks, before - expire_slack_usec))
		return 0;
	op = txn_add(t, STORE_KEYS_EXPIRE);
	if (!op)
		return -ENOMEM;
	op->meta.number = before;
	while ((k = oldest(ks, before)))
		forget(ks, k);
	return 0;
}
