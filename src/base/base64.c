#include "config.h"

#include "base/base64.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_len(size_t n)
{
	INVARIANT(n <= SIZE_MAX / 4 * 3 - 3);
	return (n + 2) / 3 * 4;
}

void base64_encode(char *out, const void *p, size_t n)
{
	const unsigned char *in = p;

	for (; n >= 3; in += 3, n -= 3) {
		*out++ = alphabet[in[0] >> 2];
		*out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = alphabet[in[2] & 63];
	}
	if (n > 0) {
		unsigned char second = n > 1 ? in[1] : 0;

		*out++ = alphabet[in[0] >> 2];
		*out++ = alphabet[(in[0] & 3) << 4 | second >> 4];
		*out++ = n > 1 ? alphabet[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	*out = '\0';
}

/* 0 to 63, or -1. Comparisons, not a table: it is small and has nothing to get wrong.
 */
static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int base64_decode(void **ret, size_t *ret_len, const char *s, size_t n)
{
	_cleanup_free_ unsigned char *out = NULL;
	size_t n_digits = n, n_out = 0, len;
	unsigned int bits = 0;

	if (n % 4 != 0)
		return -EINVAL;
	while (n_digits > 0 && n - n_digits < 2 && s[n_digits - 1] == '=')
		n_digits--;
	len = n_digits / 4 * 3 + n_digits % 4 * 3 / 4;
	out = malloc(len + 1);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < n_digits; i++) {
		int v = digit_value(s[i]);

		if (v < 0)
			return -EINVAL;
		bits = (bits << 6 | (unsigned int)v) & 0xffffff;
		/* the i-th digit completes a byte, except the first of each four */
		if (i % 4 != 0)
			out[n_out++] = (unsigned char)(bits >> (6 - i % 4 * 2));
	}
	/* Bits past the last byte must be zero: one text for each value. */
	if (n_digits % 4 == 2 && (bits & 15) != 0)
		return -EINVAL;
	if (n_digits % 4 == 3 && (bits & 3) != 0)
		return -EINVAL;
	INVARIANT(n_out == len);
	out[len] = '\0';
	*ret = TAKE_PTR(out);
	*ret_len = len;
	return 0;
}
