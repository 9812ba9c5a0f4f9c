/*
 * Two arrays: entries, dense and in no order that matters, and an index of slots with
 * linear probing that points into it. Walking is a pass over a dense array, and removal
 * moves the last entry into the gap, so no tombstones are needed in either.
 */
#include "config.h"

#include "base/hashmap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/siphash.h"

#define SLOTS_MIN   16
#define ENTRIES_MIN 8
#define ENTRIES_MAX (UINT32_MAX / 2) /* indices are 32 bits, and 0 means none */

union hashmap_key {
	uint64_t number;
	char *text; /* ours */
};

struct hashmap_entry {
	uint64_t hash;
	union hashmap_key key;
	void *value;
};

struct hashmap_slot {
	uint32_t tag;   /* upper half of the hash: most mismatches end here */
	uint32_t entry; /* place in entries + 1; 0: free */
};

struct hashmap {
	struct hashmap_slot *slots;
	size_t n_slots; /* 0 or a power of two, at most three quarters in use */
	struct hashmap_entry *entries;
	size_t n, n_max;
	enum hashmap_kind kind;
};

/* one key for the process: a key per map would say nothing more to an attacker */
static struct siphash_key hash_key;
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void hash_key_make(void)
{
	ssize_t n;

	do
		n = getrandom(&hash_key, sizeof(hash_key), 0);
	while (n < 0 && errno == EINTR);
	/* up to 256 bytes come whole or not at all */
	INVARIANT(n == (ssize_t)sizeof(hash_key));
}

int hashmap_new(struct hashmap **ret, enum hashmap_kind kind)
{
	struct hashmap *m;

	pthread_once(&hash_key_once, hash_key_make);
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->kind = kind;
	*ret = m;
	return 0;
}

struct hashmap *hashmap_free(struct hashmap *m)
{
	if (!m)
		return NULL;
	if (m->kind == HASHMAP_STRING) {
		for (size_t i = 0; i < m->n; i++)
			free(m->entries[i].key.text);
	}
	free(m->entries);
	free(m->slots);
	free(m);
	return NULL;
}

size_t hashmap_size(const struct hashmap *m)
{
	return m->n;
}

static inline uint32_t hash_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static void index_insert(
	struct hashmap_slot *slots, size_t n_slots, uint64_t hash, size_t entry)
{
	size_t mask = n_slots - 1, i = (size_t)hash & mask;

	while (slots[i].entry)
		i = (i + 1) & mask;
	slots[i] = (struct hashmap_slot){hash_tag(hash), (uint32_t)entry + 1};
}

/* the slot that points at an entry that is in the map */
static size_t index_find_entry(const struct hashmap *m, uint64_t hash, size_t entry)
{
	size_t mask = m->n_slots - 1, i = (size_t)hash & mask;

	while (m->slots[i].entry != entry + 1) {
		INVARIANT(m->slots[i].entry != 0);
		i = (i + 1) & mask;
	}
	return i;
}

/* Frees slot i and moves those behind it forward that would not be found past a gap. */
static void index_remove(struct hashmap *m, size_t i)
{
	size_t mask = m->n_slots - 1, gap = i;

	for (;;) {
		size_t home;

		i = (i + 1) & mask;
		if (!m->slots[i].entry)
			break;
		home = (size_t)m->entries[m->slots[i].entry - 1].hash & mask;
		/* may move when its home does not lie behind the gap, cyclically */
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	}
	m->slots[gap] = (struct hashmap_slot){0, 0};
}

static int index_resize(struct hashmap *m, size_t n_slots)
{
	struct hashmap_slot *slots;

	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->n; i++)
		index_insert(slots, n_slots, m->entries[i].hash, i);
	free(m->slots);
	m->slots = slots;
	m->n_slots = n_slots;
	return 0;
}

static int entries_resize(struct hashmap *m, size_t n_max)
{
	struct hashmap_entry *entries;

	entries = reallocarray(m->entries, n_max, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	m->entries = entries;
	m->n_max = n_max;
	return 0;
}

/* room for one more; a failure leaves the map as it was */
static int hashmap_grow(struct hashmap *m)
{
	int r;

	if (m->n == m->n_max) {
		if (m->n >= ENTRIES_MAX / 2)
			return -ENOMEM;
		r = entries_resize(m, MAX(m->n_max * 2, (size_t)ENTRIES_MIN));
		if (r < 0)
			return r;
	}
	if (m->n + 1 > m->n_slots / 4 * 3)
		return index_resize(m, MAX(m->n_slots * 2, (size_t)SLOTS_MIN));
	return 0;
}

/* Half of what is there at an eighth of use; when that fails, the larger arrays serve.
 */
static void hashmap_shrink(struct hashmap *m)
{
	if (m->n_max > ENTRIES_MIN && m->n <= m->n_max / 8)
		(void)entries_resize(m, m->n_max / 2);
	if (m->n_slots > SLOTS_MIN && m->n <= m->n_slots / 8)
		(void)index_resize(m, m->n_slots / 2);
}

static inline bool entry_has_key(
	const struct hashmap *m, const struct hashmap_entry *e, union hashmap_key key)
{
	if (m->kind == HASHMAP_U64)
		return e->key.number == key.number;
	return strcmp(e->key.text, key.text) == 0;
}

static inline uint64_t hash_of(const struct hashmap *m, union hashmap_key key)
{
	if (m->kind == HASHMAP_U64)
		return siphash13_u64(&hash_key, key.number);
	return siphash13(&hash_key, key.text, strlen(key.text));
}

/* true and the slot when the key is there */
static bool hashmap_find(
	const struct hashmap *m, union hashmap_key key, uint64_t hash, size_t *ret_slot)
{
	size_t mask, i;

	if (m->n == 0)
		return false;
	mask = m->n_slots - 1;
	for (i = (size_t)hash & mask; m->slots[i].entry; i = (i + 1) & mask) {
		const struct hashmap_entry *e;

		if (m->slots[i].tag != hash_tag(hash))
			continue;
		e = &m->entries[m->slots[i].entry - 1];
		if (e->hash == hash && entry_has_key(m, e, key)) {
			*ret_slot = i;
			return true;
		}
	}
	return false;
}

/* the key is not in the map; takes a text key when it succeeds */
static int hashmap_add(
	struct hashmap *m, union hashmap_key key, uint64_t hash, void *value)
{
	int r;

	r = hashmap_grow(m);
	if (r < 0)
		return r;
	m->entries[m->n] = (struct hashmap_entry){hash, key, value};
	index_insert(m->slots, m->n_slots, hash, m->n);
	m->n++;
	return 0;
}

static int hashmap_add_text(
	struct hashmap *m, const char *key, uint64_t hash, void *value)
{
	_cleanup_free_ char *copy = strdup(key);
	int r;

	if (!copy)
		return -ENOMEM;
	r = hashmap_add(m, (union hashmap_key){.text = copy}, hash, value);
	if (r < 0)
		return r;
	copy = NULL; /* the map's */
	return 0;
}

static void *hashmap_lookup(const struct hashmap *m, union hashmap_key key)
{
	size_t slot;

	if (m->n == 0 || !hashmap_find(m, key, hash_of(m, key), &slot))
		return NULL;
	return m->entries[m->slots[slot].entry - 1].value;
}

static void *hashmap_take(struct hashmap *m, union hashmap_key key)
{
	struct hashmap_entry removed;
	size_t slot, gap, last;

	if (m->n == 0 || !hashmap_find(m, key, hash_of(m, key), &slot))
		return NULL;
	gap = m->slots[slot].entry - 1;
	last = m->n - 1;
	removed = m->entries[gap];
	index_remove(m, slot);
	if (gap != last) {
		slot = index_find_entry(m, m->entries[last].hash, last);
		m->entries[gap] = m->entries[last];
		m->slots[slot].entry = (uint32_t)gap + 1;
	}
	m->n--;
	if (m->kind == HASHMAP_STRING)
		free(removed.key.text);
	hashmap_shrink(m);
	return removed.value;
}

/* lookups only read the key: the union's member is not const because entries own theirs
 */
static inline union hashmap_key text_key(const struct hashmap *m, const char *key)
{
	INVARIANT(m->kind == HASHMAP_STRING && key);
	return (union hashmap_key){.text = (char *)key};
}

static inline union hashmap_key number_key(const struct hashmap *m, uint64_t key)
{
	INVARIANT(m->kind == HASHMAP_U64);
	return (union hashmap_key){.number = key};
}

int hashmap_put(struct hashmap *m, const char *key, void *value)
{
	union hashmap_key k = text_key(m, key);
	uint64_t hash = hash_of(m, k);
	size_t slot;

	if (hashmap_find(m, k, hash, &slot))
		return -EEXIST;
	return hashmap_add_text(m, key, hash, value);
}

int hashmap_set(struct hashmap *m, const char *key, void *value, void **ret_old)
{
	union hashmap_key k = text_key(m, key);
	uint64_t hash = hash_of(m, k);
	void *old = NULL;
	size_t slot;
	int r;

	if (hashmap_find(m, k, hash, &slot)) {
		struct hashmap_entry *e = &m->entries[m->slots[slot].entry - 1];

		old = e->value;
		e->value = value;
	} else {
		r = hashmap_add_text(m, key, hash, value);
		if (r < 0)
			return r;
	}
	if (ret_old)
		*ret_old = old;
	return 0;
}

void *hashmap_get(const struct hashmap *m, const char *key)
{
	return hashmap_lookup(m, text_key(m, key));
}

void *hashmap_remove(struct hashmap *m, const char *key)
{
	return hashmap_take(m, text_key(m, key));
}

int hashmap_put_u64(struct hashmap *m, uint64_t key, void *value)
{
	union hashmap_key k = number_key(m, key);
	uint64_t hash = hash_of(m, k);
	size_t slot;

	if (hashmap_find(m, k, hash, &slot))
		return -EEXIST;
	return hashmap_add(m, k, hash, value);
}

void *hashmap_get_u64(const struct hashmap *m, uint64_t key)
{
	return hashmap_lookup(m, number_key(m, key));
}

void *hashmap_remove_u64(struct hashmap *m, uint64_t key)
{
	return hashmap_take(m, number_key(m, key));
}

/* From the last entry to the first: a removal fills the gap with an entry that was
 * visited already. *it counts the entries still to visit, plus one; 0 means not begun.
 */
bool hashmap_next(const struct hashmap *m, size_t *it, void **ret_value)
{
	if (*it == 0)
		*it = m->n + 1;
	if (*it == 1)
		return false;
	--*it;
	*ret_value = m->entries[*it - 1].value;
	return true;
}
