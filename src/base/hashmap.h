/*
 * Hash map from a byte string or a 64-bit integer to a pointer.
 *
 * Open addressing, SipHash with a key of the process (keys come from outside and must
 * not be able to collide on purpose). Keys are copied for strings; values are the
 * caller's. NULL can be a value, but get and remove cannot tell it from a missing key.
 * A map that is emptied gives its memory back by and by. Not thread-safe.
 */
#ifndef BASE_HASHMAP_H
#define BASE_HASHMAP_H

#include "reeve/base.h"

struct hashmap;

enum hashmap_kind { HASHMAP_STRING, HASHMAP_U64 };

int hashmap_new(struct hashmap **ret, enum hashmap_kind kind);
struct hashmap *hashmap_free(struct hashmap *m); /* takes NULL, returns NULL */
size_t hashmap_size(const struct hashmap *m);

/* 0; -EEXIST when the key is there (map unchanged); -ENOMEM */
int hashmap_put(struct hashmap *m, const char *key, void *value);
/* like put, but an old value is replaced and given back in ret_old (may be NULL) */
int hashmap_set(struct hashmap *m, const char *key, void *value, void **ret_old);
void *hashmap_get(const struct hashmap *m, const char *key);
void *hashmap_remove(struct hashmap *m, const char *key); /* the value, or NULL */

int hashmap_put_u64(struct hashmap *m, uint64_t key, void *value);
void *hashmap_get_u64(const struct hashmap *m, uint64_t key);
void *hashmap_remove_u64(struct hashmap *m, uint64_t key);

/* Walk in no particular order; *it starts at 0. False at the end. The current element
 * may be removed while walking, nothing may be added. */
bool hashmap_next(const struct hashmap *m, size_t *it, void **ret_value);
#define HASHMAP_FOREACH(value, m)                                           \
	for (size_t it_##value = 0; __extension__({                         \
		     void *next_##value;                                    \
		     bool more_##value =                                    \
			     hashmap_next((m), &it_##value, &next_##value); \
		     if (more_##value)                                      \
			     (value) = next_##value;                        \
		     more_##value;                                          \
	     });)

#endif
