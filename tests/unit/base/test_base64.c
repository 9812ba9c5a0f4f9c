#include "config.h"

#include "base/base64.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/unit.h"

/* RFC 4648, section 10 */
static const struct {
	const char *plain, *coded;
} vectors[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

START_TEST(encode_gives_the_rfc_vectors)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		size_t n = strlen(vectors[i].plain);
		char out[16];

		base64_encode(out, vectors[i].plain, n);
		ck_assert_str_eq(out, vectors[i].coded);
		ck_assert_uint_eq(base64_encoded_len(n), strlen(vectors[i].coded));
	}
}
END_TEST

START_TEST(decode_gives_the_rfc_vectors_with_a_nul_behind)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		_cleanup_free_ void *out = NULL;
		const char *coded = vectors[i].coded;
		size_t n;

		ck_assert_int_eq(base64_decode(&out, &n, coded, strlen(coded)), 0);
		ck_assert_uint_eq(n, strlen(vectors[i].plain));
		ck_assert_str_eq(out, vectors[i].plain);
	}
}
END_TEST

START_TEST(all_bytes_survive_both_ways)
{
	unsigned char in[256];
	char coded[352];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(in); n++) {
		_cleanup_free_ void *out = NULL;
		size_t len;

		base64_encode(coded, in, n);
		ck_assert_uint_eq(strlen(coded), base64_encoded_len(n));
		ck_assert_int_eq(base64_decode(&out, &len, coded, strlen(coded)), 0);
		ck_assert_uint_eq(len, n);
		ck_assert_mem_eq(out, in, n);
	}
}
END_TEST

START_TEST(bad_text_is_refused)
{
	static const char *const bad[] = {"Z", "Zg",
		"Zg=", "Zg===", "====", "Z===", "=Zg=", "Zg=v", "Zm9vZg==Zm9v", "Zm 9",
		"Zm9v\n", "Zm9-", "Zm9_", "Zg==Zg==",
		/* bits behind the last byte */ "Zh==", "Zm9=", "\303\251AA"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		void *out = &out;
		size_t len = 77;

		ck_assert_msg(
			base64_decode(&out, &len, bad[i], strlen(bad[i])) == -EINVAL,
			"'%s' was taken", bad[i]);
		ck_assert_ptr_eq(out, &out);
		ck_assert_uint_eq(len, 77);
	}
}
END_TEST

START_TEST(a_nul_inside_is_refused)
{
	void *out;
	size_t len;

	ck_assert_int_eq(base64_decode(&out, &len, "Zm9\0", 4), -EINVAL);
}
END_TEST

START_TEST(decode_without_memory_fails)
{
	void *out;
	size_t len;
	int r;

	alloc_fail_at(1);
	r = base64_decode(&out, &len, "Zm9v", 4);
	ck_assert(alloc_fail_stop());
	ck_assert_int_eq(r, -ENOMEM);
}
END_TEST

UNIT_MAIN("base64", encode_gives_the_rfc_vectors,
	decode_gives_the_rfc_vectors_with_a_nul_behind, all_bytes_survive_both_ways,
	bad_text_is_refused, a_nul_inside_is_refused, decode_without_memory_fails)
