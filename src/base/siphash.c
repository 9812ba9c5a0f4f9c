#include "config.h"

#include "base/siphash.h"

#include <endian.h>
#include <string.h>

struct siphash_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void siphash_round(struct siphash_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 = rotate_left(s->v2, 32);
}

/* the four constants are the algorithm's: "somepseudorandomlygeneratedbytes" */
static inline struct siphash_state siphash_begin(const struct siphash_key *key)
{
	return (struct siphash_state){
		.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};
}

static inline void siphash_block(struct siphash_state *s, uint64_t m)
{
	s->v3 ^= m;
	siphash_round(s);
	s->v0 ^= m;
}

static inline uint64_t siphash_end(struct siphash_state *s, uint64_t last)
{
	siphash_block(s, last);
	s->v2 ^= 0xff;
	siphash_round(s);
	siphash_round(s);
	siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash13(const struct siphash_key *key, const void *p, size_t n)
{
	struct siphash_state s = siphash_begin(key);
	const unsigned char *bytes = p;
	uint64_t last = (uint64_t)n << 56;
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t m;

		memcpy(&m, bytes + i, sizeof(m));
		siphash_block(&s, le64toh(m));
	}
	for (size_t k = 0; i + k < n; k++)
		last |= (uint64_t)bytes[i + k] << (8 * k);
	return siphash_end(&s, last);
}

uint64_t siphash13_u64(const struct siphash_key *key, uint64_t v)
{
	struct siphash_state s = siphash_begin(key);

	siphash_block(&s, v);
	return siphash_end(&s, UINT64_C(8) << 56);
}
