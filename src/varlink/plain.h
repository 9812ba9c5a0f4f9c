/* Stepping over what is plain in a JSON string, eight bytes at a time. */
#ifndef VARLINK_PLAIN_H
#define VARLINK_PLAIN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PLAIN_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* a byte of w that is less than n, which is 128 at most */
static inline uint64_t plain_less(uint64_t w, uint8_t n)
{
	return (w - PLAIN_EACH(n)) & ~w & PLAIN_EACH(0x80);
}

/*
 * How many bytes from p on, of n, are plain: no quote, no backslash, no control character and
 * nothing but ASCII. May stop early within the last seven: the rest is to be looked at byte by
 * byte.
 */
static inline size_t plain_span(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t w, found;

		memcpy(&w, p + i, sizeof(w));
		w = le64toh(w);
		found = (w & PLAIN_EACH(0x80)) | plain_less(w, 0x20) |
			plain_less(w ^ PLAIN_EACH('"'), 1) |
			plain_less(w ^ PLAIN_EACH('\\'), 1);
		/* the lowest that is found is one; those above may be mistaken */
		if (found)
			return i + (size_t)__builtin_ctzll(found) / 8;
	}
	return i;
}

#endif
