/*
 * Keys of submits: a client that lost the answer repeats the call with the same key and
 * gets the ids of the first one. Kept for an hour, also over restarts. Loop thread only.
 */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include "base/clock.h"
#include "base/list.h"
#include "reeve/sync.h"
#include "store/store.h"

struct keys;
struct txn;

struct submit_key {
	struct list link; /* by age */
	uint64_t first_id;
	uint32_t n;
	uint32_t uid;
	int64_t created_usec;
	bool pending;     /* its submit is being committed */
	rv_event settled; /* not pending any more; look it up again */
	unsigned n_waiting;
	bool dropped;
	char text[]; /* "uid:key" */
};

enum { SUBMIT_KEY_MAX = 128 /* bytes */ };

/* max: of keys that are remembered; lowered, it holds from the next new key on */
int keys_new(struct keys **ret, const struct clock *clock, size_t max);
void keys_set_limit(struct keys *ks, size_t max);
struct keys *keys_free(struct keys *ks);

/**
 * Begin a submit under a key, or find the one that was.
 *
 * Returns 1 with *ret an earlier one that is on disk; 0 with *ret a new pending one: the
 * caller ends it by key_commit or key_drop; -ECANCELED, -ENOMEM, -RV_ELIMIT (so many calls
 * are under way; where there are many old keys the oldest goes).
 */
RV_AWAIT int keys_begin(
	struct keys *ks, struct submit_key **ret, uint32_t uid, const char *key);
/* the part of text after "uid:" */
const char *submit_key_name(const struct submit_key *k);
void key_commit(struct keys *ks, struct submit_key *k);
void key_drop(struct keys *ks, struct submit_key *k);

/* from the store, oldest first */
int keys_load(struct keys *ks, const struct store_key *rec);
/* Forget old ones; adds the operation to the txn when there are any. */
int keys_expire(struct keys *ks, struct txn *t);

#endif
