#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "tests/support/unit.h"
#include "varlink/builtin.h"
#include "varlink/registry.h"

static const struct vl_registry_info info = {"v", "p", "1", "u"};
static const char text[] =
	"interface a.b\nmethod F()->(i: int)\nmethod G()->()\nerror E (why: string)";

static void handler(void)
{
}

static const struct vl_method methods[] = {{"F", handler, VL_METHOD_MORE_REQUIRED, 7}};

START_TEST(methods_are_found_by_their_full_names)
{
	struct vl_registry *reg;
	const struct vl_route *f, *g;

	ck_assert_int_eq(vl_registry_new(&reg, &info), 0);
	ck_assert_int_eq(vl_registry_add(reg, text, methods, 1, NULL), 0);
	f = vl_registry_route(reg, "a.b.F");
	g = vl_registry_route(reg, "a.b.G");
	ck_assert_str_eq(f->name, "a.b.F");
	ck_assert(f->method->handler == handler && f->method->id == 7);
	ck_assert_ptr_nonnull(g);
	ck_assert_ptr_null(g->method);
	ck_assert_ptr_null(vl_registry_route(reg, "a.b.E"));
	ck_assert_ptr_null(vl_registry_route(reg, "F"));
	ck_assert_ptr_nonnull(
		vl_registry_route(reg, "org.varlink.service.GetInfo")->builtin);
	ck_assert_str_eq(vl_registry_name(reg, 1), "a.b");
	ck_assert_ptr_null(vl_registry_name(reg, 2));
	ck_assert_ptr_eq(vl_registry_text(reg, "a.b"), text);
	vl_registry_free(reg);
}
END_TEST

START_TEST(wrong_interface_adds_nothing)
{
	static const struct vl_method unknown[] = {{"X", handler, 0, 0}};
	struct vl_idl_error error;
	struct vl_registry *reg;

	ck_assert_int_eq(vl_registry_new(&reg, &info), 0);
	ck_assert_int_eq(
		vl_registry_add(reg, "interface a.b\nfoo", NULL, 0, &error), -EINVAL);
	ck_assert_uint_eq(error.line, 2);
	ck_assert_int_eq(vl_registry_add(reg, text, unknown, 1, NULL), -ENOENT);
	ck_assert_ptr_null(vl_registry_interface(reg, "a.b"));
	ck_assert_ptr_null(vl_registry_route(reg, "a.b.F"));
	ck_assert_int_eq(vl_registry_add(reg, text, methods, 1, NULL), 0);
	ck_assert_int_eq(vl_registry_add(reg, text, methods, 1, NULL), -EEXIST);
	ck_assert_int_eq(
		vl_registry_add(reg, org_varlink_service_varlink, NULL, 0, NULL),
		-EEXIST);
	vl_registry_free(reg);
}
END_TEST

START_TEST(replies_are_checked_against_their_interface)
{
	json_t *good = json_pack("{s:i}", "i", 1),
	       *why = json_pack("{s:s}", "why", "x");
	const struct vl_route *f;
	struct vl_registry *reg;
	struct vl_fault fault;

	ck_assert_int_eq(vl_registry_new(&reg, &info), 0);
	ck_assert_int_eq(vl_registry_add(reg, text, methods, 1, NULL), 0);
	f = vl_registry_route(reg, "a.b.F");
	ck_assert_int_eq(vl_registry_check_reply(reg, f, NULL, good, &fault), 0);
	ck_assert_int_eq(vl_registry_check_reply(reg, f, NULL, why, &fault), -EINVAL);
	ck_assert_str_eq(fault.path, "why");
	ck_assert_int_eq(vl_registry_check_reply(reg, f, "a.b.E", why, &fault), 0);
	ck_assert_int_eq(
		vl_registry_check_reply(reg, f, "a.b.E", good, &fault), -EINVAL);
	ck_assert_int_eq(
		vl_registry_check_reply(reg, f, "org.varlink.service.PermissionDenied",
			vl_registry_empty(reg), &fault),
		0);
	ck_assert_int_eq(
		vl_registry_check_reply(reg, f, "a.b.X", why, &fault), -EINVAL);
	ck_assert_int_eq(
		vl_registry_check_reply(reg, f, "a.c.E", why, &fault), -EINVAL);
	ck_assert_int_eq(vl_registry_check_reply(reg, f, "E", why, &fault), -EINVAL);
	vl_registry_free(reg);
	json_decref(good);
	json_decref(why);
}
END_TEST

START_TEST(embedded_text_is_the_file)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_(buf_deinitp) struct buf file = BUF_NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s/src/varlink/org.varlink.service.varlink",
		srcdir ? srcdir : ".");
	ck_assert_int_eq(file_read(&file, AT_FDCWD, path, 65536), 0);
	ck_assert_uint_eq(strlen(org_varlink_service_varlink), buf_len(&file));
	ck_assert_mem_eq(org_varlink_service_varlink, buf_head(&file), buf_len(&file));
}
END_TEST

UNIT_MAIN("registry", methods_are_found_by_their_full_names,
	wrong_interface_adds_nothing, replies_are_checked_against_their_interface,
	embedded_text_is_the_file)
