#include "config.h"

#include "cli/reply_error.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/exit.h"
#include "cli/json.h"
#include "cli/text.h"
#include "cli/time.h"

/* {member} is replaced by the member of the parameters, a time where it ends in _usec.
 * Of several rows with one name the first whose members all came is taken. */
static const struct {
	const char *name;
	enum cli_exit code;
	const char *text;
} errors[] = {
	{"io.reeve.Job.NotFound", CLI_EXIT_NOTHING, "job {id} does not exist"},
	{"io.reeve.Job.NotFound", CLI_EXIT_NOTHING, "no job is named '{name}'"},
	{"io.reeve.Job.NotFound", CLI_EXIT_NOTHING, "no job has the label '{label}'"},
	{"io.reeve.Job.NotFound", CLI_EXIT_NOTHING, "there is no such job"},
	{"io.reeve.Job.OfOtherUser", CLI_EXIT_NOTHING,
		"job {id} belongs to {user}: --user {user}"},
	{"io.reeve.Job.Removed", CLI_EXIT_NOTHING,
		"job {id} was removed on {removed_usec}"},
	{"io.reeve.Job.Removed", CLI_EXIT_NOTHING, "job {id} was removed"},
	{"io.reeve.Job.NothingSelected", CLI_EXIT_NOTHING, "no job matches"},
	{"io.reeve.Job.WrongState", CLI_EXIT_SOME, "job {id} is {state}"},
	{"io.reeve.Job.NoStdin", CLI_EXIT_SOME,
		"job {id} was not submitted with --stdin-open"},
	{"io.reeve.Job.SendFailed", CLI_EXIT_SOME,
		"job {id} did not get all of it ({why}): {sent} bytes went in"},
	{"io.reeve.Job.LimitReached", CLI_EXIT_REFUSED,
		"the daemon refuses: the limit {limit} = {maximum} is reached"},
	{"io.reeve.Job.NoSpace", CLI_EXIT_REFUSED,
		"the daemon refuses: no space left ({what})"},
	{"io.reeve.Job.ShuttingDown", CLI_EXIT_REFUSED,
		"the daemon refuses: it is shutting down"},
	{"io.reeve.Job.Unavailable", CLI_EXIT_REFUSED, "not available: {what}"},
	{"io.reeve.Job.Invalid", CLI_EXIT_USAGE, "{field}: {message}"},
	{"io.reeve.Job.NotPermitted", CLI_EXIT_PERMISSION,
		"{field}: not permitted: {message}"},
	{"io.reeve.Daemon.Unavailable", CLI_EXIT_REFUSED, "not available: {what}"},
	{"io.reeve.Pool.NotFound", CLI_EXIT_NOTHING, "there is no pool '{name}'"},
	{"io.reeve.Pool.Exists", CLI_EXIT_SOME,
		"pool '{name}' is there already ({origin})"},
	{"io.reeve.Pool.Exists", CLI_EXIT_SOME, "pool '{name}' is there already"},
	{"io.reeve.Pool.Defined", CLI_EXIT_SOME,
		"pool '{name}' is not of run time ({origin}): take its section out, "
		"and reload"},
	{"io.reeve.Pool.NotDefined", CLI_EXIT_SOME,
		"pool '{name}' was added at run time: there is nothing to go back to"},
	{"io.reeve.Pool.InUse", CLI_EXIT_SOME,
		"pool '{name}' has unfinished jobs: {unfinished}"},
	{"io.reeve.Pool.Invalid", CLI_EXIT_USAGE, "{field}: {message}"},
	{"io.reeve.Pool.LimitReached", CLI_EXIT_REFUSED,
		"the daemon refuses: the limit {limit} = {maximum} is reached"},
	{"io.reeve.Pool.Unavailable", CLI_EXIT_REFUSED, "not available: {what}"},
	{"io.reeve.Schedule.NotFound", CLI_EXIT_NOTHING,
		"there is no schedule '{name}'"},
	{"io.reeve.Schedule.Exists", CLI_EXIT_SOME,
		"schedule '{name}' is there already ({origin})"},
	{"io.reeve.Schedule.Defined", CLI_EXIT_SOME,
		"schedule '{name}' is not of run time ({origin}): take its section "
		"out, and reload"},
	{"io.reeve.Schedule.Invalid", CLI_EXIT_USAGE, "{field}: {message}"},
	{"io.reeve.Schedule.Refused", CLI_EXIT_REFUSED,
		"schedule '{name}': no job: {message}"},
	{"io.reeve.Schedule.LimitReached", CLI_EXIT_REFUSED,
		"the daemon refuses: the limit {limit} = {maximum} is reached"},
	{"io.reeve.Schedule.Unavailable", CLI_EXIT_REFUSED, "not available: {what}"},
	{"io.reeve.Service.NotFound", CLI_EXIT_NOTHING, "there is no service '{name}'"},
	{"io.reeve.Service.NoGroup", CLI_EXIT_NOTHING,
		"there is no group '{name}' of services"},
	{"io.reeve.Service.NotReloadable", CLI_EXIT_SOME,
		"service '{name}' has no reload-signal and no reload-command in "
		"the configuration"},
	{"io.reeve.Service.RollStopped", CLI_EXIT_SOME,
		"rolling restart of service '{name}': {reason}"},
	{"io.reeve.Service.Rolling", CLI_EXIT_SOME,
		"service '{name}' is being restarted, one instance after the other"},
	{"io.reeve.Service.LimitReached", CLI_EXIT_REFUSED,
		"the daemon refuses: the limit {limit} = {maximum} is reached"},
	{"io.reeve.Service.Unavailable", CLI_EXIT_REFUSED, "not available: {what}"},
	{"io.reeve.Daemon.ShuttingDown", CLI_EXIT_REFUSED,
		"the daemon refuses: it is shutting down"},
	{"io.reeve.Daemon.ConfigInvalid", CLI_EXIT_SOME,
		"the configuration is not valid, nothing was changed"},
	{"org.varlink.service.InterfaceNotFound", CLI_EXIT_USAGE,
		"the daemon has no interface '{interface}'"},
	{"org.varlink.service.MethodNotFound", CLI_EXIT_USAGE,
		"the daemon has no method '{method}'"},
	{"org.varlink.service.MethodNotImplemented", CLI_EXIT_REFUSED,
		"the daemon does not implement '{method}'"},
	{"org.varlink.service.InvalidParameter", CLI_EXIT_USAGE,
		"the daemon does not accept '{parameter}': {reason}"},
	{"org.varlink.service.InvalidParameter", CLI_EXIT_USAGE,
		"the daemon does not accept '{parameter}'"},
	{"org.varlink.service.ExpectedMore", CLI_EXIT_USAGE,
		"this method answers with a stream: use --more"},
	{"org.varlink.service.PermissionDenied", CLI_EXIT_PERMISSION, "not permitted"},
};

/* SendFailed: what its words mean, to put the job and the bytes into */
static const struct {
	const char *why, *text;
} send_failures[] = {
	{"eof", "the end of job {id}'s stdin was sent before; {sent} bytes went in"},
	{"closed", "job {id} has closed its stdin; {sent} bytes went in"},
	{"ended", "job {id} has ended; {sent} bytes went in"},
	{"timeout", "job {id} reads nothing; {sent} bytes went in"},
	{"lost", "the stdin of job {id} was closed when its spawner was killed; "
		 "{sent} bytes went in"},
	{"shutdown", "the daemon is shutting down; {sent} bytes went to job {id}"},
};

int exit_code_of_error(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (STREQ(errors[i].name, name))
			return errors[i].code;
	return CLI_EXIT_REFUSED;
}

/* 1; 0 when the member did not come; -ENOMEM */
static int append_member(struct buf *out, const char *key, const json_t *params)
{
	const json_t *v = json_object_get(params, key);
	size_t n = strlen(key);
	char when[TIME_TEXT_MAX];
	int r;

	if (json_is_string(v))
		r = buf_append(out, json_string_value(v), json_string_length(v));
	else if (json_is_integer(v) && n > 5 && STREQ(key + n - 5, "_usec"))
		r = buf_append_str(
			out, time_format(when, sizeof(when), json_integer_value(v)));
	else if (json_is_integer(v))
		r = buf_printf(out, "%" PRId64, (int64_t)json_integer_value(v));
	else
		return 0;
	return r < 0 ? r : 1;
}

/* 1; 0 when a member is missing; -ENOMEM */
static int fill(struct buf *out, const char *text, const json_t *params)
{
	char key[32];
	int r;

	while (*text) {
		size_t n = strcspn(text, "{");

		r = buf_append(out, text, n);
		if (r < 0)
			return r;
		text += n;
		if (!*text)
			break;
		n = strcspn(text + 1, "}");
		snprintf(key, sizeof(key), "%.*s", (int)n, text + 1);
		r = append_member(out, key, params);
		if (r <= 0)
			return r;
		text += n + 2;
	}
	return 1;
}

char *reply_error_text(const char *name, const json_t *params)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	_cleanup_free_ char *all = NULL;
	int r;

	/* of all that is said on the command line only the daemon can tell this one */
	if (STREQ(name, "org.varlink.service.InvalidParameter") &&
		STREQ(json_str(params, "parameter"), "select.user"))
		return text_printf("--user: there is no such user");
	for (size_t i = 0; i < ARRAY_LEN(send_failures); i++)
		if (STREQ(name, "io.reeve.Job.SendFailed") &&
			STREQ(json_str(params, "why"), send_failures[i].why) &&
			fill(&out, send_failures[i].text, params) > 0)
			return buf_steal_str(&out, NULL);
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (!STREQ(errors[i].name, name))
			continue;
		buf_clear(&out);
		r = fill(&out, errors[i].text, params);
		if (r < 0)
			return NULL;
		if (r > 0)
			return buf_steal_str(&out, NULL);
	}
	all = params ? json_dumps(params, JSON_COMPACT) : NULL;
	return text_printf("the daemon answers %s %s", name, all ? all : "");
}
