#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/support/unit.h"
#include "varlink/json_write.h"

static struct buf out;

static void expect(const char *s)
{
	ck_assert_uint_eq(buf_len(&out), strlen(s));
	ck_assert_mem_eq(buf_head(&out), s, strlen(s));
	buf_deinit(&out);
}

START_TEST(integers_print_at_their_ends)
{
	json_write_int(&out, INT64_MIN);
	buf_append_byte(&out, ' ');
	json_write_int(&out, INT64_MAX);
	buf_append_byte(&out, ' ');
	json_write_int(&out, 0);
	expect("-9223372036854775808 9223372036854775807 0");
}
END_TEST

START_TEST(string_is_escaped_where_json_asks_for_it)
{
	static const char s[] = "a\0\x1f\x7f\b\f\n\r\t\"\\/\xf0\x9f\x98\x80";

	json_write_string(&out, s, sizeof(s) - 1);
	expect("\"a\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\/\xf0\x9f\x98\x80\"");
}
END_TEST

START_TEST(bytes_that_are_not_utf8_become_replacement_characters)
{
	json_write_string(&out,
		"a\xff"
		"b\xc3",
		4);
	expect("\"a\xef\xbf\xbd"
	       "b\xef\xbf\xbd\"");
	json_write_string(&out, "\xe2\x82", 2); /* cut inside of a character */
	expect("\"\xef\xbf\xbd\xef\xbf\xbd\"");
}
END_TEST

START_TEST(any_value_reads_back_the_same)
{
	static const char text[] = "{\"a\":[1,-2.5,0.1,1e300,true,false,null,\"x\"],"
				   "\"\":{},\"b\":[],\"c\":2.0}";
	json_t *v = json_loads(text, 0, NULL), *again;

	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(json_write_value(&out, v, 10), 0);
	again = json_loadb(buf_head(&out), buf_len(&out), 0, NULL);
	ck_assert(json_equal(v, again));
	ck_assert_int_eq(json_write_value(&out, v, 1), -RV_ELIMIT);
	buf_deinit(&out);
	json_decref(v);
	json_decref(again);
}
END_TEST

START_TEST(writer_puts_commas_and_keys)
{
	struct json_writer w;
	char *const argv[] = {(char *)"a", (char *)"b c", NULL};
	char *const odd[] = {(char *)"a", (char *)"\xff", NULL};
	json_t *v = json_pack("[i]", 1);

	json_writer_init(&w, &out);
	json_writer_object(&w, NULL);
	json_writer_int(&w, "i", 1);
	json_writer_bool(&w, "b", false);
	json_writer_null(&w, "n");
	json_writer_array(&w, "l");
	json_writer_object(&w, NULL);
	json_writer_object_end(&w);
	json_writer_string(&w, NULL, "x");
	json_writer_array_end(&w);
	json_writer_value(&w, "v", v);
	json_writer_strv(&w, "argv", argv);
	json_writer_strv(&w, "odd", odd);
	json_writer_strv(&w, "none", NULL);
	json_writer_bytes(&w, "cwd", "/\xc3\xa4", 3);
	json_writer_bytes(&w, "bad", "\xff\0", 2);
	json_writer_bytes(&w, "nul", "a\0b", 3);
	json_writer_bytes(&w, "empty", NULL, 0);
	json_writer_base64(&w, "out", "hi", 2);
	json_writer_object_end(&w);
	ck_assert_int_eq(json_writer_end(&w), 0);
	expect("{\"i\":1,\"b\":false,\"n\":null,\"l\":[{},\"x\"],\"v\":[1],"
	       "\"argv\":[\"a\",\"b c\"],\"odd_b64\":[\"YQ==\",\"/w==\"],\"none\":[],"
	       "\"cwd\":\"/\xc3\xa4\",\"bad_b64\":\"/wA=\",\"nul_b64\":\"YQBi\","
	       "\"empty\":\"\",\"out\":\"aGk=\"}");
	json_decref(v);
}
END_TEST

START_TEST(writer_that_failed_leaves_the_buffer_as_it_was)
{
	struct json_writer w;
	json_t *v = json_array();

	for (int i = 0; i < 40; i++)
		v = json_pack("[o]", v);
	buf_append_str(&out, "before");
	json_writer_init(&w, &out);
	json_writer_object(&w, NULL);
	json_writer_value(&w, "deep", v);
	json_writer_int(&w, "i", 1);
	json_writer_object_end(&w);
	ck_assert_int_eq(json_writer_end(&w), -RV_ELIMIT);
	expect("before");
	json_decref(v);
}
END_TEST

UNIT_MAIN("json_write", integers_print_at_their_ends,
	string_is_escaped_where_json_asks_for_it,
	bytes_that_are_not_utf8_become_replacement_characters,
	any_value_reads_back_the_same, writer_puts_commas_and_keys,
	writer_that_failed_leaves_the_buffer_as_it_was)
