#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "tests/support/unit.h"
#include "varlink/bytes_field.h"

static struct vl_fault fault;

static int get(const char *json, char **ret, size_t *ret_len)
{
	json_t *o = json_loads(json, 0, NULL);
	int r;

	ck_assert_ptr_nonnull(o);
	r = vl_get_bytes(o, "cwd", ret, ret_len, &fault);
	json_decref(o);
	return r;
}

static int get_array(const char *json, char ***ret)
{
	json_t *o = json_loads(json, 0, NULL);
	int r;

	ck_assert_ptr_nonnull(o);
	r = vl_get_bytes_array(o, "argv", ret, &fault);
	json_decref(o);
	return r;
}

START_TEST(text_and_base64_give_the_same_bytes)
{
	char *p;
	size_t n;

	ck_assert_int_eq(get("{\"cwd\":\"/tmp\"}", &p, &n), 1);
	ck_assert_str_eq(p, "/tmp");
	ck_assert_uint_eq(n, 4);
	free(p);
	ck_assert_int_eq(get("{\"cwd_b64\":\"L3RtcA==\",\"cwd\":null}", &p, NULL), 1);
	ck_assert_str_eq(p, "/tmp");
	free(p);
	ck_assert_int_eq(get("{\"cwd_b64\":\"L/8=\"}", &p, &n), 1);
	ck_assert_str_eq(p, "/\xff");
	free(p);
}
END_TEST

START_TEST(absent_field_is_told_apart_from_an_empty_one)
{
	char *p, **v;

	ck_assert_int_eq(get("{}", &p, NULL), 0);
	ck_assert_int_eq(get("{\"cwd\":null}", &p, NULL), 0);
	ck_assert_int_eq(get("{\"cwd\":\"\"}", &p, NULL), 1);
	free(p);
	ck_assert_int_eq(get_array("{}", &v), 0);
	ck_assert_int_eq(get_array("{\"argv\":[]}", &v), 1);
	ck_assert_uint_eq(strv_len(v), 0);
	strv_free(v);
}
END_TEST

START_TEST(wrong_bytes_are_refused_with_their_field)
{
	char *p, **v;

	ck_assert_int_eq(
		get("{\"cwd\":\"a\",\"cwd_b64\":\"YQ==\"}", &p, NULL), -EINVAL);
	ck_assert_str_eq(fault.path, "cwd_b64");
	ck_assert_str_eq(fault.reason, "only one of 'cwd' and 'cwd_b64' may be given");
	ck_assert_int_eq(get("{\"cwd_b64\":\"?\"}", &p, NULL), -EINVAL);
	ck_assert_str_eq(fault.reason, "not base64");
	ck_assert_int_eq(get("{\"cwd_b64\":\"YQBi\"}", &p, NULL), -EINVAL);
	ck_assert_str_eq(fault.reason, "must not contain a NUL byte");
	ck_assert_int_eq(get("{\"cwd\":1}", &p, NULL), -EINVAL);
	ck_assert_int_eq(get_array("{\"argv_b64\":[\"YQ==\",\"x\"]}", &v), -EINVAL);
	ck_assert_str_eq(fault.path, "argv_b64[1]");
	ck_assert_int_eq(get_array("{\"argv\":\"x\"}", &v), -EINVAL);
	ck_assert_str_eq(fault.path, "argv");
}
END_TEST

static void put_and_get(char *const *v, const char *key)
{
	json_t *o = json_object();
	char **again;

	ck_assert_int_eq(vl_put_bytes_array(o, "argv", v), 0);
	ck_assert_uint_eq(json_object_size(o), 1);
	ck_assert_ptr_nonnull(json_object_get(o, key));
	ck_assert_int_eq(vl_get_bytes_array(o, "argv", &again, &fault), 1);
	ck_assert(strv_equal(v, again));
	strv_free(again);
	json_decref(o);
}

START_TEST(array_goes_as_base64_as_a_whole)
{
	char *const text[] = {(char *)"ls", (char *)"\xc3\xa4", (char *)"", NULL};
	char *const bytes[] = {(char *)"ls", (char *)"\xe4", NULL};

	put_and_get(text, "argv");
	put_and_get(bytes, "argv_b64");
}
END_TEST

START_TEST(single_field_chooses_its_twin_by_its_bytes)
{
	json_t *o = json_object();

	ck_assert_int_eq(vl_put_bytes(o, "a", "x", 1), 0);
	ck_assert_int_eq(vl_put_bytes(o, "b", "\xff", 1), 0);
	ck_assert_int_eq(vl_put_bytes(o, "c", NULL, 0), 0);
	ck_assert_str_eq(json_string_value(json_object_get(o, "a")), "x");
	ck_assert_str_eq(json_string_value(json_object_get(o, "b_b64")), "/w==");
	ck_assert_str_eq(json_string_value(json_object_get(o, "c")), "");
	json_decref(o);
}
END_TEST

UNIT_MAIN("bytes_field", text_and_base64_give_the_same_bytes,
	absent_field_is_told_apart_from_an_empty_one,
	wrong_bytes_are_refused_with_their_field, array_goes_as_base64_as_a_whole,
	single_field_chooses_its_twin_by_its_bytes)
