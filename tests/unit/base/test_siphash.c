#include "config.h"

#include "base/siphash.h"

#include "base/macro.h"
#include "tests/support/unit.h"

START_TEST(hashes_are_those_of_another_implementation)
{
	/* key 0, message 0, 1, 2 ...: CPython 3.11's hash() of bytes, PYTHONHASHSEED=0
	 */
	static const struct {
		size_t n;
		uint64_t hash;
	} vectors[] = {
		{1, UINT64_C(0x68a914128e01e473)},
		{7, UINT64_C(0x2f098ab0c751325a)},
		{8, UINT64_C(0xead411e67ebe2eea)},
		{9, UINT64_C(0x75927f9d95124362)},
		{15, UINT64_C(0xf30eb725bb91c9ea)},
		{16, UINT64_C(0x8972188433a5c5b7)},
		{63, UINT64_C(0x385d3e39e5f37359)},
	};
	const struct siphash_key key = {0, 0};
	unsigned char message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (unsigned char)i;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		ck_assert_uint_eq(
			siphash13(&key, message, vectors[i].n), vectors[i].hash);
}
END_TEST

START_TEST(number_hashes_as_its_bytes)
{
	const struct siphash_key key = {1, UINT64_MAX};
	const unsigned char bytes[] = {8, 7, 6, 5, 4, 3, 2, 1};

	ck_assert_uint_eq(siphash13_u64(&key, UINT64_C(0x0102030405060708)),
		siphash13(&key, bytes, sizeof(bytes)));
}
END_TEST

START_TEST(both_halves_of_the_key_matter)
{
	const struct siphash_key a = {0, 0}, b = {1, 0}, c = {0, 1};

	ck_assert_uint_ne(siphash13(&a, "x", 1), siphash13(&b, "x", 1));
	ck_assert_uint_ne(siphash13(&a, "x", 1), siphash13(&c, "x", 1));
	ck_assert_uint_ne(siphash13(&a, NULL, 0), siphash13(&c, NULL, 0));
}
END_TEST

UNIT_MAIN("siphash", hashes_are_those_of_another_implementation,
	number_hashes_as_its_bytes, both_halves_of_the_key_matter)
