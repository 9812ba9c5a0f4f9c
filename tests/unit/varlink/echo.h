/* A small service that the tests of connections talk to. */
#ifndef TESTS_UNIT_VARLINK_ECHO_H
#define TESTS_UNIT_VARLINK_ECHO_H

#include <check.h>

#include "varlink/server_conn.h"

static const char echo_text[] =
	"interface io.test\n"
	"method Ping() -> ()\n"
	"method Echo(text: string, times: ?int) -> (text: string)\n"
	"method Stream(n: ?int) -> (i: int)\n"
	"method Undone() -> ()\n";

static void echo_handler(void)
{
}

static const struct vl_method echo_methods[] = {
	{"Ping", echo_handler, 0, 1},
	{"Echo", echo_handler, 0, 2},
	{"Stream", echo_handler, VL_METHOD_MORE_REQUIRED, 3},
};

static inline struct vl_registry *echo_registry(void)
{
	static const struct vl_registry_info info = {
		"reeve", "test", "1.0", "https://example.org/"};
	struct vl_registry *reg;

	ck_assert_int_eq(vl_registry_new(&reg, &info), 0);
	ck_assert_int_eq(vl_registry_add(reg, echo_text, echo_methods, 3, NULL), 0);
	return reg;
}

#endif
