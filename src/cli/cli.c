#include "config.h"

#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "cli/autostart.h"
#include "cli/command_table.h"
#include "cli/limits.h"
#include "cli/reply_error.h"
#include "cli/select.h"
#include "cli/text.h"
#include "client/client.h"
#include "job/fields.h"

#define PERMISSION_DENIED "org.varlink.service.PermissionDenied"
enum { DENIED_MAX = 80 }; /* bytes of what was asked for, about */

/* how long a daemon that vanished may take to come back, and how often we look */
#define RECONNECT_TIME     RV_SEC(10)
#define RECONNECT_PAUSE_MS 50

/* The one place where an error is printed. params: what the daemon sent, or NULL. */
static int fail(const struct cli *c, int code, const char *name, const json_t *params,
	const char *message)
{
	_cleanup_json_ json_t *o = NULL;
	_cleanup_free_ char *escaped = NULL;

	fflush(stdout); /* what was printed before stands before it */
	if (!c->json) {
		escaped = text_escape_dup(message);
		fprintf(stderr, "reeve: %s\n", escaped ? escaped : message);
		return code;
	}
	o = json_pack("{s:s*, s:s%, s:i, s:O*}", "error", name, "message", message,
		strlen(message), "exit_code", code, "parameters", params);
	if (!o) /* bytes that are not UTF-8 */
		o = json_pack("{s:s*, s:i}", "error", name, "exit_code", code);
	if (o)
		json_print(stderr, o, false);
	return code;
}

static int code_of(const struct cli *c, int code)
{
	return c->failure_code ? c->failure_code : code;
}

PRINTF(3, 0)
static int vfail(const struct cli *c, int code, const char *fmt, va_list ap)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	_cleanup_free_ char *message = NULL;
	int r;

	r = buf_vprintf(&out, fmt, ap);
	message = r < 0 ? NULL : buf_steal_str(&out, NULL);
	return fail(c, code, NULL, NULL, message ? message : "out of memory");
}

int cli_fail(const struct cli *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	code = vfail(c, code_of(c, code), fmt, ap);
	va_end(ap);
	return code;
}

int cli_fail_with(const struct cli *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	code = vfail(c, code, fmt, ap);
	va_end(ap);
	return code;
}

int cli_fail_errno(const struct cli *c, int err, const char *fmt, ...)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	_cleanup_free_ char *message = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&out, fmt, ap);
	va_end(ap);
	if (r == 0)
		r = buf_printf(&out, ": %s", rv_strerror(err));
	message = r < 0 ? NULL : buf_steal_str(&out, NULL);
	return fail(c, code_of(c, exit_code_of_errno(err)), NULL, NULL,
		message ? message : "out of memory");
}

/* verbs for which jobs of one's own are not enough; of those with sub-verbs what does not change
 * anything is for whom it belongs to */
static bool is_for_administrators(const struct cli *c)
{
	static const char *const verbs[] = {"start", "stop", "restart", "reload",
		"force", "move", "pool", "daemon", "config"};
	static const char *const changes[] = {"start", "stop", "restart", "reload",
		"scale", "reset", "add", "rm", "run", "pause", "resume"};
	const char *verb = c->command->name;
	const char *sub = c->opts.n_args > 0 ? c->opts.args[0] : "";

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (STREQ(verbs[i], verb))
			return true;
	if (!STREQ(verb, "service") && !STREQ(verb, "schedule"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		if (STREQ(changes[i], sub))
			return true;
	return false;
}

/* The daemon says no more than that it is not permitted: what was asked for, and who may. called:
 * the parameters, whose name is the one of several that it is about; or NULL. NULL: out of
 * memory */
static char *denied_text(const struct cli *c, const json_t *called)
{
	_cleanup_(buf_deinitp) struct buf what = BUF_NULL;
	const char *name = json_str(called, "name");
	size_t n = *name && c->command->words ? 1 : *name ? 0 : c->opts.n_args;
	int r = buf_append_str(&what, c->command->name);

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (buf_len(&what) > DENIED_MAX) {
			r = buf_append_str(&what, " ...");
			break;
		}
		r = buf_printf(&what, " %.*s", DENIED_MAX, c->opts.args[i]);
	}
	if (r >= 0 && *name)
		r = buf_printf(&what, " %s", name);
	if (r >= 0)
		r = buf_append_str(&what,
			is_for_administrators(c)
				? ": not permitted: that is for administrators, root "
				  "and those of admins in reeve.conf"
				: ": not permitted: that is for the user whom it "
				  "belongs to, and for administrators, root and "
				  "those of admins in reeve.conf");
	return r < 0 ? NULL : buf_steal_str(&what, NULL);
}

static int fail_denied(const struct cli *c, const char *error, const json_t *called)
{
	_cleanup_free_ char *text = denied_text(c, called);

	return fail(c, code_of(c, CLI_EXIT_PERMISSION), error, NULL,
		text ? text : "not permitted");
}

int cli_fail_reply(const struct cli *c, const char *error, const json_t *params)
{
	_cleanup_free_ char *text = NULL;

	if (STREQ(error, PERMISSION_DENIED) && c->command)
		return fail_denied(c, error, NULL);
	text = reply_error_text(error, params);
	return fail(c, code_of(c, exit_code_of_error(error)), error, params,
		text ? text : error);
}

void cli_note(const struct cli *c, const char *fmt, ...)
{
	_cleanup_(buf_deinitp) struct buf raw = BUF_NULL, out = BUF_NULL;
	va_list ap;
	int r;

	if (c->json)
		return;
	va_start(ap, fmt);
	r = buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	if (r < 0 || text_escape(&out, buf_head(&raw), buf_len(&raw)) < 0)
		return;
	fflush(stdout);
	fprintf(stderr, "reeve: %.*s\n", (int)buf_len(&out), buf_head(&out));
}

int cli_connect(const struct cli *c, struct client **ret)
{
	int r;

	r = client_open(ret, c->target.socket, CLI_CONNECT_TIMEOUT);
	if (r >= 0)
		return 0;
	if (r != -ENOENT && r != -ECONNREFUSED)
		return cli_fail_errno(c, r, "cannot connect to %s", c->target.socket);
	if (c->command->flags & COMMAND_STARTS_DAEMON)
		return autostart(c, ret);
	return autostart_not_running(c);
}

int cli_connect_for(const struct cli *c, struct client **ret, struct selection *sel)
{
	struct limits limits;
	int r = cli_connect(c, ret);

	if (r != 0 || !selection_is_long(sel))
		return r;
	r = limits_ask(c, ret, &limits);
	if (r == 0)
		selection_fit(sel, limits.message_max);
	return r;
}

int cli_connect_once(
	struct cli *c, struct client **ret, struct selection *sel, json_t *params)
{
	int r = cli_select(c, sel, SELECT_OPTIONAL);

	if (r == 0)
		r = cli_connect_for(c, ret, sel);
	if (r != 0)
		return r;
	if (selection_n_chunks(sel) > 1)
		return cli_fail(c, CLI_EXIT_USAGE,
			"%s: more ids than one call takes; select by pool, label or "
			"name",
			c->command->name);
	if (!selection_is_absent(sel) &&
		json_put(params, "select", selection_json(sel, 0)) < 0)
		return cli_fail_errno(c, -ENOMEM, "%s", c->command->name);
	return 0;
}

int cli_reconnect(const struct cli *c, struct client **client, rv_time until)
{
	rv_time deadline = MIN(rv_now() + RECONNECT_TIME, until);
	int r;

	*client = client_close(*client);
	for (;;) {
		r = client_open(client, c->target.socket, CLI_CONNECT_TIMEOUT);
		if (r != -ENOENT && r != -ECONNREFUSED)
			return r;
		if (rv_now() >= deadline)
			return r;
		/* nothing tells that a socket begins to listen again */
		poll(NULL, 0, RECONNECT_PAUSE_MS);
	}
}

int cli_call(const struct cli *c, struct client *client, const char *method,
	json_t *params, json_t **ret)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_json_ json_t *mine = params;
	_cleanup_free_ char *error = NULL;
	int r;

	r = client_call(client, method, params, &reply, &error, RV_FOREVER);
	if (r < 0)
		return cli_fail_lost(c, r);
	if (r > 0 && STREQ(error, PERMISSION_DENIED) && c->command)
		return fail_denied(c, error, mine);
	if (r > 0)
		return cli_fail_reply(c, error, reply);
	if (ret)
		*ret = TAKE_PTR(reply);
	return 0;
}

int cli_fail_lost(const struct cli *c, int err)
{
	if (exit_code_of_errno(err) == CLI_EXIT_NO_DAEMON)
		return cli_fail(c, CLI_EXIT_NO_DAEMON,
			"the daemon closed the connection before it answered");
	return cli_fail_errno(c, err, "talking to the daemon failed");
}

int cli_fail_write(const struct cli *c, int err)
{
	if (ferror(stdout))
		return CLI_EXIT_SOME;
	return cli_fail_errno(c, err, "cannot write");
}

int cli_select(const struct cli *c, struct selection *ret, enum select_need need)
{
	_cleanup_free_ char *err = NULL;
	int r;

	r = selection_read(ret, &c->opts, stdin, c->now_usec, &err);
	if (r < 0)
		return cli_fail(c, r == -EINVAL ? CLI_EXIT_USAGE : CLI_EXIT_SOME,
			"%s: %s", c->command->name, err ? err : rv_strerror(r));
	if (need == SELECT_REQUIRED && selection_is_absent(ret))
		return cli_fail(c, CLI_EXIT_USAGE,
			"%s: which jobs? Give ids, names, or selectors such as --all",
			c->command->name);
	if (selection_is_empty(ret))
		return cli_fail(c, CLI_EXIT_NOTHING, "%s: no ids on standard input",
			c->command->name);
	return 0;
}

char *cli_job_outcome(char *buf, size_t size, const json_t *job)
{
	const char *result = json_str(job, "result");
	const char *reason = json_str(job, "reason");
	int64_t code = json_int(job, "exit_code", -1);

	if (json_int(job, "signal", 0) > 0)
		snprintf(buf, size, "%s, signal %s", result,
			signal_name((int)json_int(job, "signal", 0)));
	else if (code > 0 || (code == 0 && STREQ(result, "failed")))
		/* of one that failed with 0 that is the point: success-codes */
		snprintf(buf, size, "%s, exit %" PRId64, result, code);
	else if (*reason && !STREQ(reason, result))
		snprintf(buf, size, "%s, %s", result, reason);
	else
		snprintf(buf, size, "%s", result);
	return buf;
}
