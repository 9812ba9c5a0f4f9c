/* Errors and pages as replies; see control.h. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "daemon/control.h"
#include "reeve/task.h"
#include "varlink/json_write.h"

int reply_error(struct vl_call *call, const char *name, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	json_t *params;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL;
		return -ENOMEM;
	}
	params = json_loads(text, 0, NULL);
	INVARIANT(params);
	r = vl_call_error(call, name, params);
	json_decref(params);
	return r;
}

/* what every interface declares */
static int reply_unavailable(struct vl_call *call, int error)
{
	const char *method = vl_call_name(call);
	const char *dot = strrchr(method, '.');
	json_t *params = json_pack("{s:s}", "what", rv_strerror(error));
	char name[64];
	int r;

	snprintf(name, sizeof(name), "%.*s.Unavailable", dot ? (int)(dot - method) : 0,
		method);
	r = vl_call_error(call, name, params);
	json_decref(params);
	return r;
}

int reply_errno(struct vl_call *call, int error)
{
	bool is_job = strncmp(vl_call_name(call), "io.reeve.Job.", 13) == 0;

	if (error == -EPERM || error == -EACCES)
		return vl_call_denied(call);
	if (is_job && (error == -ENOSPC || error == -EDQUOT))
		return reply_error(call, "io.reeve.Job.NoSpace",
			"{\"what\":\"the state directory\"}");
	if (is_job && error == -RV_ESHUTDOWN)
		return reply_error(call, "io.reeve.Job.ShuttingDown", "{}");
	return reply_unavailable(call, error);
}

bool control_refuses_negative(struct vl_call *call, const char *member)
{
	const json_t *v = json_object_get(vl_call_params(call), member);

	if (!json_is_integer(v) || json_integer_value(v) >= 0)
		return false;
	vl_call_invalid(call, member, "below 0");
	return true;
}

int control_reply_object(
	struct vl_call *call, struct json_writer *w, const struct buf *text)
{
	int r;

	json_writer_object_end(w);
	r = json_writer_end(w);
	return r < 0 ? r
		     : vl_call_reply_text(call, buf_head(text), buf_len(text), false);
}

int control_reply_pages(struct control_conn *conn, struct vl_call *call,
	control_page_fn fill, void *arg)
{
	bool more = vl_call_wants_more(call);

	for (;;) {
		_cleanup_(buf_deinitp) struct buf page = BUF_NULL;
		struct json_writer w;
		int r;

		json_writer_init(&w, &page);
		json_writer_object(&w, NULL);
		more = fill(&w, &page, arg) && more;
		json_writer_object_end(&w);
		r = json_writer_end(&w);
		if (r >= 0)
			r = vl_call_reply_text(
				call, buf_head(&page), buf_len(&page), more);
		if (r < 0 || !more)
			return r;
		r = control_wait_writable(conn, call);
		if (r >= 0)
			r = rv_yield(); /* one page a turn: others wait too */
		if (r < 0)
			return r;
	}
}
