#include <check.h>
#include <errno.h>
#include <string.h>

#include "daemon/control.h"
#include "daemon/interfaces.h"
#include "tests/support/unit.h"
#include "varlink/registry.h"

/* a connection with the daemon's interfaces, and a call that came on it */
static struct vl_registry *registry;
static struct vl_server_conn *conn;
static struct vl_call *call;

static void receive(const char *message)
{
	static const struct vl_registry_info info = {
		"reeve", "test", "1.0", "https://example.org/"};
	/* a reply that its interface does not declare is a bug and aborts */
	static const struct vl_server_ops ops = {.check_replies = true};

	ck_assert_int_eq(vl_registry_new(&registry, &info), 0);
	ck_assert_int_eq(vl_registry_add(registry, io_reeve_Job_varlink,
				 control_job_methods, control_n_job_methods, NULL),
		0);
	ck_assert_int_eq(vl_registry_add(registry, io_reeve_Pool_varlink,
				 control_pool_methods, control_n_pool_methods, NULL),
		0);
	ck_assert_int_eq(
		vl_registry_add(registry, io_reeve_Daemon_varlink,
			control_daemon_methods, control_n_daemon_methods, NULL),
		0);
	ck_assert_int_eq(vl_server_conn_new(&conn, registry, NULL, &ops, NULL), 0);
	ck_assert_int_eq(vl_server_conn_feed(conn, message, strlen(message) + 1), 0);
	ck_assert_int_eq(vl_server_conn_next_call(conn, &call), VL_NEXT_CALL);
}

static void assert_answer(const char *expected)
{
	struct buf *out = vl_server_conn_output(conn);

	ck_assert_uint_eq(buf_len(out), strlen(expected) + 1);
	ck_assert_str_eq(buf_head(out), expected);
	vl_call_free(call);
	vl_server_conn_free(conn);
	vl_registry_free(registry);
}

static void assert_error(const char *message, int error, const char *expected)
{
	receive(message);
	ck_assert_int_eq(reply_errno(call, error), 0);
	assert_answer(expected);
}

START_TEST(errors_are_those_of_the_interface_that_was_called)
{
	assert_error("{\"method\":\"io.reeve.Job.List\"}", -ENOMEM,
		"{\"error\":\"io.reeve.Job.Unavailable\",\"parameters\":"
		"{\"what\":\"Cannot allocate memory\"}}");
	assert_error("{\"method\":\"io.reeve.Pool.List\"}", -ENOMEM,
		"{\"error\":\"io.reeve.Pool.Unavailable\",\"parameters\":"
		"{\"what\":\"Cannot allocate memory\"}}");
	assert_error("{\"method\":\"io.reeve.Daemon.Reload\"}", -ENOSPC,
		"{\"error\":\"io.reeve.Daemon.Unavailable\",\"parameters\":"
		"{\"what\":\"No space left on device\"}}");
	assert_error("{\"method\":\"io.reeve.Job.List\"}", -ENOSPC,
		"{\"error\":\"io.reeve.Job.NoSpace\",\"parameters\":"
		"{\"what\":\"the state directory\"}}");
}
END_TEST

START_TEST(number_below_0_is_refused_by_name)
{
	receive("{\"method\":\"io.reeve.Job.List\",\"parameters\":{\"limit\":-1}}");
	ck_assert(!control_refuses_negative(call, "from_id"));
	ck_assert(control_refuses_negative(call, "limit"));
	assert_answer(
		"{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":"
		"{\"parameter\":\"limit\",\"reason\":\"below 0\"}}");
}
END_TEST

UNIT_MAIN("control", errors_are_those_of_the_interface_that_was_called,
	number_below_0_is_refused_by_name)
