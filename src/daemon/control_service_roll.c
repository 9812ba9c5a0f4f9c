/* io.reeve.Service: restarts of several, and waiting. */
#include "config.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "daemon/control_job.h"
#include "daemon/control_priv.h"
#include "daemon/core.h"
#include "daemon/service_roll.h"
#include "varlink/json_write.h"

static int fail(
	struct vl_call *call, const char *error, const char *name, const char *reason)
{
	json_t *params = json_pack("{s:s, s:s*}", "name", name, "reason", reason);
	int r = vl_call_error(call, error, params);

	json_decref(params);
	return r;
}

static int read_names(char ***ret, const json_t *list)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	json_t *name;
	size_t i;

	json_array_foreach((json_t *)list, i, name)
	{
		if (strv_builder_add(&b, json_string_value(name)) < 0)
			return -ENOMEM;
	}
	return strv_builder_finish(&b, ret);
}

/* the client hears how it went */
static int answer_when_over(
	struct services *ss, struct vl_call *call, char *const *names)
{
	const struct service *failed;
	int r = services_wait_roll(ss, names, strv_len(names), &failed);

	if (r < 0)
		return r;
	if (failed)
		return fail(call, "io.reeve.Service.RollStopped", failed->name,
			failed->rec.roll_failed);
	return vl_call_reply_text(call, "{\"changed\":true}", 16, false);
}

int control_service_roll(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	struct services *ss = control_core(conn->control)->services;
	_cleanup_(strv_freep) char **names = NULL;
	const char *name;
	bool changed;
	int r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	r = read_names(&names, json_object_get(params, "names"));
	if (r >= 0)
		r = services_roll(ss, names, strv_len(names), &changed, &name);
	if (r == -ENOENT)
		return fail(call, "io.reeve.Service.NotFound", name, NULL);
	if (r == -EBUSY)
		return fail(call, "io.reeve.Service.Rolling", name, NULL);
	if (r < 0)
		return r;
	if (!changed)
		return vl_call_reply_text(call, "{\"changed\":false}", 17, false);
	if (json_is_true(json_object_get(params, "wait")))
		return answer_when_over(ss, call, names);
	return vl_call_reply_text(call, "{\"changed\":true}", 16, false);
}

int control_service_restart_group(struct control_conn *conn, struct vl_call *call)
{
	const char *name =
		json_string_value(json_object_get(vl_call_params(call), "name"));
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_(strv_freep) char **names = NULL;
	struct json_writer w;
	int r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	r = services_restart_group(control_core(conn->control)->services, name, &names);
	if (r == -ENOENT)
		return fail(call, "io.reeve.Service.NoGroup", name, NULL);
	if (r < 0)
		return r;
	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "services");
	STRV_FOREACH(s, names)
		json_writer_string(&w, NULL, *s);
	json_writer_array_end(&w);
	return control_reply_object(call, &w, &text);
}

int control_service_wait(struct control_conn *conn, struct vl_call *call)
{
	struct services *ss = control_core(conn->control)->services;
	const char *name =
		json_string_value(json_object_get(vl_call_params(call), "name"));
	int r;

	if (!conn->is_admin)
		return vl_call_denied(call);
	if (!services_is_there(ss, name))
		return fail(call, "io.reeve.Service.NotFound", name, NULL);
	if (json_is_true(json_object_get(vl_call_params(call), "ready")))
		return control_service_answer_up(conn, call, NULL);
	r = services_wait(ss, name);
	return r < 0 ? r : vl_call_reply_text(call, "{}", 2, false);
}
