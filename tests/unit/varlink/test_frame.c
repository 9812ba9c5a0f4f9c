#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/support/unit.h"
#include "varlink/frame.h"
#include "varlink/plain.h"

static struct vl_framer framer;
static char *text;
static size_t len;

/* sizeof without the string's own NUL */
#define FEED(s) ck_assert_int_eq(vl_framer_feed(&framer, s, sizeof(s) - 1), 0)
#define NEXT()  vl_framer_next(&framer, &text, &len)

static void begin(size_t size_max)
{
	vl_framer_init(&framer, size_max);
}

static void end(void)
{
	vl_framer_deinit(&framer);
}

START_TEST(frame_without_nul_is_incomplete)
{
	begin(100);
	FEED("{\"a\":1}");
	ck_assert_int_eq(NEXT(), 0);
	ck_assert(vl_framer_is_midway(&framer));
	FEED("\0");
	ck_assert_int_eq(NEXT(), 1);
	ck_assert_str_eq(text, "{\"a\":1}");
	ck_assert_uint_eq(len, 7);
	ck_assert(!vl_framer_is_midway(&framer));
	ck_assert_int_eq(NEXT(), 0);
	end();
}
END_TEST

START_TEST(messages_in_one_piece_come_one_by_one)
{
	begin(100);
	FEED("{}\0 {\"a\":{}}\n\0{\"b");
	ck_assert_int_eq(NEXT(), 1);
	ck_assert_str_eq(text, "{}");
	ck_assert_int_eq(NEXT(), 1);
	ck_assert_str_eq(text, " {\"a\":{}}\n");
	ck_assert_int_eq(NEXT(), 0);
	ck_assert(vl_framer_is_midway(&framer));
	end();
}
END_TEST

START_TEST(message_byte_by_byte_is_whole)
{
	static const char message[] = "{\"a\\\"}{\":[\"\\\\\",{\"x\":\"]\"}]}";

	begin(100);
	for (size_t i = 0; i + 1 < sizeof(message); i++) {
		ck_assert_int_eq(vl_framer_feed(&framer, message + i, 1), 0);
		ck_assert_int_eq(NEXT(), 0);
	}
	FEED("\0");
	ck_assert_int_eq(NEXT(), 1);
	ck_assert_str_eq(text, message);
	end();
}
END_TEST

START_TEST(scan_goes_on_where_it_stopped)
{
	begin(100);
	FEED("{\"abc");
	ck_assert_int_eq(NEXT(), 0);
	ck_assert_uint_eq(framer.scanned, 5);
	FEED("d");
	ck_assert_int_eq(NEXT(), 0);
	ck_assert_uint_eq(framer.scanned, 6);
	end();
}
END_TEST

START_TEST(message_at_the_limit_passes_and_one_over_fails)
{
	begin(9);
	FEED("{\"a\":123}\0");
	ck_assert_int_eq(NEXT(), 1);
	ck_assert_uint_eq(len, 9);
	FEED("{\"a\":1234}\0");
	ck_assert_int_eq(NEXT(), -EMSGSIZE);
	end();
}
END_TEST

START_TEST(endless_message_fails_at_the_limit_without_its_nul)
{
	begin(8);
	FEED("{\"aaaaa");
	ck_assert_int_eq(NEXT(), 0);
	FEED("a");
	ck_assert_int_eq(NEXT(), 0);
	FEED("a");
	ck_assert_int_eq(NEXT(), -EMSGSIZE);
	end();
}
END_TEST

START_TEST(error_is_final_and_keeps_no_bytes)
{
	begin(8);
	FEED("x");
	ck_assert_int_eq(NEXT(), -RV_EPROTOCOL);
	for (int i = 0; i < 1000; i++)
		FEED("{}\0");
	ck_assert_int_eq(NEXT(), -RV_EPROTOCOL);
	ck_assert_uint_eq(buf_len(&framer.in), 0);
	end();
}
END_TEST

static int result_of(const void *p, size_t n)
{
	int r;

	begin(4096);
	ck_assert_int_eq(vl_framer_feed(&framer, p, n), 0);
	r = NEXT();
	end();
	return r;
}
#define RESULT_OF(s) result_of(s, sizeof(s) - 1)

START_TEST(what_is_no_object_is_refused_at_its_first_byte)
{
	ck_assert_int_eq(RESULT_OF("G"), -RV_EPROTOCOL); /* GET / HTTP/1.1 */
	ck_assert_int_eq(RESULT_OF("["), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF(" \""), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("\xff"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("\0"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF(" \0"), -RV_EPROTOCOL);
}
END_TEST

START_TEST(nul_inside_of_an_object_is_refused)
{
	ck_assert_int_eq(RESULT_OF("{\0"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("{\"a\0b\":1}\0"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("{\"a\\\0b\":1}\0"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("{\"a\":[1}\0"), -RV_EPROTOCOL);
}
END_TEST

START_TEST(garbage_behind_the_object_is_refused)
{
	ck_assert_int_eq(RESULT_OF("{}x\0"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("{}{}\0"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("{}}\0"), -RV_EPROTOCOL);
	ck_assert_int_eq(RESULT_OF("{} \t\r\n\0"), 1);
}
END_TEST

static int result_of_depth(int depth)
{
	char p[200];
	size_t n = 0;

	memcpy(p, "{\"[[[[\":", 8); /* brackets in strings do not count */
	n = 8;
	for (int i = 1; i < depth; i++)
		p[n++] = '[';
	for (int i = 1; i < depth; i++)
		p[n++] = ']';
	p[n++] = '}';
	p[n++] = '\0';
	return result_of(p, n);
}

START_TEST(depth_at_the_limit_passes_and_one_more_fails)
{
	ck_assert_int_eq(result_of_depth(VL_DEPTH_MAX), 1);
	ck_assert_int_eq(result_of_depth(VL_DEPTH_MAX + 1), -RV_ELIMIT);
}
END_TEST

START_TEST(depth_counts_what_is_open_not_what_was)
{
	begin(4096);
	FEED("{\"a\":[");
	for (int i = 0; i < 100; i++)
		FEED("[{}],");
	FEED("[]]}\0");
	ck_assert_int_eq(NEXT(), 1);
	end();
}
END_TEST

START_TEST(idle_framer_gives_its_memory_back)
{
	static char big[100000];

	memset(big, 'a', sizeof(big));
	memcpy(big, "{\"", 2);
	memcpy(big + sizeof(big) - 3, "\"}\0", 3);
	begin(sizeof(big));
	ck_assert_int_eq(vl_framer_feed(&framer, big, sizeof(big)), 0);
	ck_assert_int_eq(NEXT(), 1);
	ck_assert_int_eq(NEXT(), 0);
	ck_assert_uint_le(framer.in.cap, 4096);
	end();
}
END_TEST

/* every byte at every place, among bytes that are plain */
START_TEST(plain_bytes_are_stepped_over_and_no_other)
{
	for (size_t n = 0; n <= 24; n++)
		for (size_t at = 0; at < n; at++)
			for (int c = 0; c < 256; c++) {
				bool plain =
					c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
				char bytes[24];

				memset(bytes, 'x', n);
				bytes[at] = (char)c;
				ck_assert_uint_eq(plain_span(bytes, n),
					plain ? n / 8 * 8 : MIN(n / 8 * 8, at));
			}
}
END_TEST

UNIT_MAIN("frame", frame_without_nul_is_incomplete,
	messages_in_one_piece_come_one_by_one, message_byte_by_byte_is_whole,
	scan_goes_on_where_it_stopped, message_at_the_limit_passes_and_one_over_fails,
	endless_message_fails_at_the_limit_without_its_nul,
	error_is_final_and_keeps_no_bytes,
	what_is_no_object_is_refused_at_its_first_byte,
	nul_inside_of_an_object_is_refused, garbage_behind_the_object_is_refused,
	depth_at_the_limit_passes_and_one_more_fails,
	depth_counts_what_is_open_not_what_was, idle_framer_gives_its_memory_back,
	plain_bytes_are_stepped_over_and_no_other)
