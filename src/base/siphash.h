/*
 * SipHash-1-3 (Aumasson and Bernstein): a keyed hash of short inputs that an outsider
 * who does not know the key cannot make collide. Not for signatures.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *key, const void *p, size_t n);
/* the hash of the eight bytes of v, lowest first */
uint64_t siphash13_u64(const struct siphash_key *key, uint64_t v);

#endif
