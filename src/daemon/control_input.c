/* PutInput: bytes for the stdin of a job that will be submitted. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "config/configuration.h"
#include "daemon/control_job.h"
#include "daemon/core.h"
#include "daemon/inputs.h"

int control_job_put_input(struct control_conn *conn, struct vl_call *call)
{
	const json_t *params = vl_call_params(call);
	struct core *core = control_core(conn->control);
	const char *given = json_string_value(json_object_get(params, "input"));
	const json_t *data = json_object_get(params, "data_b64");
	_cleanup_free_ void *bytes = NULL;
	char name[INPUT_NAME_MAX] = "";
	enum config_key limit = CONFIG_INPUT_MAX;
	json_t *reply;
	size_t n;
	int r;

	if (given && strlen(given) >= sizeof(name))
		return vl_call_invalid(call, "input", "no such input");
	if (given)
		memcpy(name, given, strlen(given) + 1);
	r = base64_decode(
		&bytes, &n, json_string_value(data), json_string_length(data));
	if (r == -EINVAL)
		return vl_call_invalid(call, "data_b64", "not base64");
	if (r < 0)
		return r;
	r = inputs_put(core->inputs, name, conn, conn->peer.uid, bytes, n,
		json_is_true(json_object_get(params, "last")), &limit);
	if (r == -ENOENT)
		return vl_call_invalid(call, "input", "no such input");
	if (r == -RV_ELIMIT)
		return reply_error(call, "io.reeve.Job.LimitReached",
			"{\"limit\":\"%s\",\"maximum\":%" PRId64 "}",
			config_key_info[limit].key, core->config->v[limit].num);
	if (r < 0)
		return r;
	reply = json_pack("{s:s}", "input", name);
	r = vl_call_reply(call, reply, false);
	json_decref(reply);
	return r;
}
