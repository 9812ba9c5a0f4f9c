#include "config.h"

#include <errno.h>
#include <string.h>

#include "tests/support/unit.h"
#include "varlink/idl.h"

static const char text[] =
	"interface a.b\n"
	"type Tree (value: int, left: ?Tree, right: ?Tree)\n"
	"type Mode (fast, slow)\n"
	"method F(b: ?bool, i: ?int, f: ?float, s: ?string, o: ?object, any: ?any,"
	" mode: ?Mode, list: ?[]string, map: ?[string]int, set: ?[string](),"
	" jobs: ?[](name: string, env: ?[]string), tree: ?Tree) -> ()\n"
	"method G(needed: int, last: any) -> (out: ?int)\n";

static struct vl_fault fault;

static int check(const char *method, const char *json)
{
	struct vl_idl *idl;
	json_t *v = json_loads(json, 0, NULL);
	int r;

	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(vl_idl_parse(&idl, NULL, text, sizeof(text) - 1), 0);
	r = vl_check(&vl_idl_member(idl, VL_MEMBER_METHOD, method)->type, v, &fault);
	vl_idl_free(idl);
	json_decref(v);
	return r;
}

static void good(const char *json)
{
	ck_assert_msg(
		check("F", json) == 0, "%s: %s: %s", json, fault.path, fault.reason);
}

static void bad(const char *json, const char *path, const char *reason)
{
	ck_assert_msg(check("F", json) == -EINVAL, "accepted: %s", json);
	ck_assert_str_eq(fault.path, path);
	ck_assert_str_eq(fault.reason, reason);
}

START_TEST(right_types_pass)
{
	good("{}");
	good("{\"b\":true,\"i\":-9,\"f\":1.5,\"s\":\"\",\"o\":{\"x\":[{}]},\"any\":[1]"
	     "}");
	good("{\"mode\":\"slow\",\"list\":[],\"map\":{\"a\":1},\"set\":{\"x\":{}}}");
	good("{\"jobs\":[{\"name\":\"a\"},{\"name\":\"b\",\"env\":[\"X=1\"]}]}");
	good("{\"tree\":{\"value\":1,\"left\":{\"value\":2,\"left\":null}}}");
	good("{\"b\":null,\"list\":null}");
}
END_TEST

START_TEST(types_are_exact_but_an_int_is_a_good_float)
{
	good("{\"f\":1}");
	bad("{\"i\":1.0}", "i", "expected int, got float");
	bad("{\"i\":\"1\"}", "i", "expected int, got string");
	bad("{\"b\":1}", "b", "expected bool, got int");
	bad("{\"s\":true}", "s", "expected string, got bool");
	bad("{\"o\":[]}", "o", "expected object, got array");
	bad("{\"list\":{}}", "list", "expected array, got object");
	bad("{\"map\":[]}", "map", "expected object, got array");
}
END_TEST

START_TEST(enum_takes_its_values_only)
{
	bad("{\"mode\":\"medium\"}", "mode", "expected one of: fast, slow");
	bad("{\"mode\":0}", "mode", "expected string, got int");
}
END_TEST

START_TEST(path_leads_to_the_place)
{
	bad("{\"jobs\":[{\"name\":\"a\"},{\"name\":\"b\",\"env\":[\"X\",1]}]}",
		"jobs[1].env[1]", "expected string, got int");
	bad("{\"jobs\":[{}]}", "jobs[0].name", "missing");
	bad("{\"jobs\":[{\"name\":null}]}", "jobs[0].name",
		"expected string, got null");
	bad("{\"jobs\":[{\"name\":\"\",\"nmae\":1}]}", "jobs[0].nmae", "unknown field");
	bad("{\"map\":{\"k\":\"v\"}}", "map.k", "expected int, got string");
	bad("{\"set\":{\"k\":{\"v\":1}}}", "set.k.v", "unknown field");
	bad("{\"tree\":{\"value\":1,\"right\":{\"value\":2,\"left\":{}}}}",
		"tree.right.left.value", "missing");
	bad("{\"list\":[null]}", "list[0]", "expected string, got null");
}
END_TEST

START_TEST(missing_fields_are_named)
{
	ck_assert_int_eq(check("G", "{\"needed\":1,\"last\":0}"), 0);
	ck_assert_int_eq(check("G", "{\"needed\":1}"), -EINVAL);
	ck_assert_str_eq(fault.path, "last");
	ck_assert_str_eq(fault.reason, "missing");
	ck_assert_int_eq(check("G", "{\"needed\":1,\"last\":null}"), -EINVAL);
	ck_assert_str_eq(fault.reason, "expected a value, got null");
}
END_TEST

START_TEST(overlong_path_is_cut_not_overrun)
{
	char json[2000];

	memset(json, 'k', sizeof(json));
	memcpy(json, "{\"map\":{\"", 9);
	strcpy(json + 1500, "\":\"\"}}");
	ck_assert_int_eq(check("F", json), -EINVAL);
	ck_assert_uint_eq(strlen(fault.path), VL_PATH_SIZE - 1);
	ck_assert_int_eq(strncmp(fault.path, "map.kkkk", 8), 0);
}
END_TEST

UNIT_MAIN("idl_check", right_types_pass, types_are_exact_but_an_int_is_a_good_float,
	enum_takes_its_values_only, path_leads_to_the_place, missing_fields_are_named,
	overlong_path_is_cut_not_overrun)
