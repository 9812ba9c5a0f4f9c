/*
 * The framer must cut a stream the same way in whatever pieces it comes: the input at
 * once is compared with the input in small pieces, whose size is its first byte.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "tests/fuzz/fuzz.h"
#include "varlink/frame.h"

#define SIZE_LIMIT 300

/* Appends all messages with their NULs to out; returns what the framer said last. */
static int cut(struct buf *out, const uint8_t *data, size_t size, size_t step)
{
	struct vl_framer f;
	size_t len;
	char *text;
	int r = 0;

	vl_framer_init(&f, SIZE_LIMIT);
	for (size_t i = 0; i < size && r >= 0; i += step) {
		INVARIANT(vl_framer_feed(&f, data + i, MIN(step, size - i)) == 0);
		while ((r = vl_framer_next(&f, &text, &len)) == 1) {
			INVARIANT(len <= SIZE_LIMIT && strlen(text) == len);
			INVARIANT(buf_append(out, text, len + 1) == 0);
		}
	}
	vl_framer_deinit(&f);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_NULL, pieces = BUF_NULL;

	if (size < 2)
		return 0;
	INVARIANT(cut(&whole, data + 1, size - 1, size) ==
		  cut(&pieces, data + 1, size - 1, data[0] % 16 + 1));
	INVARIANT(buf_len(&whole) == buf_len(&pieces));
	INVARIANT(memcmp(buf_head(&whole), buf_head(&pieces), buf_len(&whole)) == 0);
	buf_deinit(&whole);
	buf_deinit(&pieces);
	return 0;
}
