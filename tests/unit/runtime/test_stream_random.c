/*
 * Random pieces in, random ways of reading out, against the text itself: whatever was
 * asked for comes in order and complete.
 */
#include "config.h"

#include "tests/unit/runtime/net_test.h"

enum { TEXT = 20000 };

struct fuzz {
	int fd;
	unsigned seed;
	const char *text;
};

static int fuzz_writer(void *arg)
{
	struct fuzz *f = arg;
	size_t at = 0;

	while (at < TEXT) {
		size_t n = (size_t)rand_r(&f->seed) % 700 + 1;

		n = MIN(n, TEXT - at);
		ck_assert_int_eq(rv_send_all(f->fd, f->text + at, n), 0);
		at += n;
		if (rand_r(&f->seed) % 3)
			ck_assert_int_eq(rv_yield(), 0);
	}
	shutdown(f->fd, SHUT_WR);
	return 0;
}

/* one read, of a random kind; how many bytes, 0 at the end; checks them */
static size_t fuzz_read(rv_stream *s, unsigned *seed, const char *text, size_t left)
{
	static char b[1000];
	const char *out = b, *end;
	size_t n = (size_t)rand_r(seed) % sizeof(b) + 1, want = 0;
	ssize_t k;
	int r = 0;

	switch (rand_r(seed) % 4) {
	case 0:
		k = rv_stream_read(s, b, n);
		ck_assert_int_ge((int)k, 0);
		ck_assert_uint_le((size_t)k, n);
		n = want = (size_t)k;
		break;
	case 1:
		want = MIN(n, left);
		r = rv_stream_readexactly(s, b, n, &n);
		ck_assert_int_eq(r, want < n ? -RV_EINCOMPLETE : r);
		break;
	case 2:
		end = memchr(text, '\n', left);
		want = end ? (size_t)(end - text) + 1 : left;
		ck_assert_int_eq(rv_stream_readline(s, &out, &n), 0);
		break;
	default:
		end = memmem(text, left, "aab", 3);
		want = end ? (size_t)(end - text) + 3 : left;
		r = rv_stream_readuntil(s, "aab", 3, &out, &n);
		if (r == -RV_ELIMIT) {
			ck_assert_uint_gt(want, 512);
			return SIZE_MAX;
		}
		ck_assert_int_eq(r, end ? 0 : -RV_EINCOMPLETE);
	}
	ck_assert_uint_eq(n, want);
	ck_assert_mem_eq(out, text, n);
	return n;
}

RT_TEST(random_pieces_and_reads_agree_with_the_text)
{
	static char text[TEXT];

	for (unsigned seed = 1; seed <= 40; seed++) {
		struct fuzz f = {.seed = seed, .text = text};
		unsigned rs = seed * 7919;
		size_t at = 0, n;
		rv_stream *s;
		rv_task *t;

		for (size_t i = 0; i < TEXT; i++)
			text[i] = "aaaabbbc"[rand_r(&rs) % 8];
		for (size_t i = 0; i < TEXT; i += (size_t)rand_r(&rs) % 300 + 1)
			text[i] = '\n';
		f.fd = stream_pair(&s);
		ck_assert_int_eq(rv_stream_set_limit(s, 512), 0);
		t = rv_spawn(fuzz_writer, &f);
		do {
			n = fuzz_read(s, &rs, text + at, TEXT - at);
			if (n != SIZE_MAX)
				at += n;
		} while (at < TEXT);
		ck_assert_int_eq(rv_task_join(t, NULL), 0);
		rv_task_unref(t);
		stream_end(s, f.fd);
	}
	return 0;
}

UNIT_MAIN("stream_random", random_pieces_and_reads_agree_with_the_text)
