#include "config.h"

#include "cli/service_status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/time.h"

/* ---- what it uses -------------------------------------------------------------------------- */

/* ", 12.3M, 40ms CPU" of all its processes; "" where there are none */
static void describe_use(const json_t *instance, char *buf, size_t size)
{
	char memory[32], cpu[TIME_TEXT_MAX];

	buf[0] = '\0';
	if (json_is_set(instance, "memory_bytes"))
		snprintf(buf, size, ", %s, %s CPU",
			size_format(memory, sizeof(memory),
				json_int(instance, "memory_bytes", 0)),
			time_format_span(
				cpu, sizeof(cpu), json_int(instance, "cpu_usec", 0)));
}

/* ---- its last ends ------------------------------------------------------------------------- */

static int print_end(const struct cli *c, const json_t *run)
{
	char when[TIME_TEXT_MAX], took[TIME_TEXT_MAX], how[160];
	const char *reason = json_str(run, "reason");
	int64_t exit_code = json_int(run, "exit_code", -1);
	int64_t sig = json_int(run, "signal", 0);

	if (*reason)
		snprintf(how, sizeof(how), "%s", reason);
	else if (sig > 0)
		snprintf(how, sizeof(how), "%s", signal_name((int)sig));
	else
		snprintf(how, sizeof(how), "exit status %" PRId64, exit_code);
	return print_pair(stdout, "last end", "%s, %s, after %s", how,
		time_format_relative(when, sizeof(when),
			json_int(run, "finished_usec", 0), c->now_usec),
		time_format_span(took, sizeof(took), json_int(run, "elapsed_usec", 0)));
}

static int print_ends(const struct cli *c, const json_t *instance)
{
	json_t *run;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(instance, "last_ends"), i, run)
	{
		if (r >= 0)
			r = print_end(c, run);
	}
	return r;
}

/* ---- what it printed ------------------------------------------------------------------------ */

static int print_output(const json_t *instance)
{
	const json_t *output = json_object_get(instance, "last_output");
	json_t *line;
	size_t i;
	int r = 0;

	/* of the newest run that goes without saying */
	if (json_is_false(json_object_get(output, "newest")))
		r = print_pair(stdout, "output", "of run %" PRId64 ", which failed:",
			json_int(output, "run", 0));
	json_array_foreach(json_object_get(output, "lines"), i, line)
	{
		if (r >= 0 && printf("    %s\n", json_string_value(line)) < 0)
			r = -EIO;
	}
	return r;
}

/* ---- whether it is well ---------------------------------------------------------------------- */

static int print_ready(const struct cli *c, const json_t *i)
{
	int64_t since = json_int(i, "ready_usec", 0), pid = json_int(i, "main_pid", 0);
	bool ready = json_is_true(json_object_get(i, "ready"));
	const char *by = json_str(i, "ready_by"), *says = json_str(i, "says");
	const char *why = json_str(i, "ready_why");
	char when[TIME_TEXT_MAX] = "", pid_text[48] = "";

	if (STREQ(by, "exec") && ready && !*says && !pid)
		return 0;
	if (pid)
		snprintf(pid_text, sizeof(pid_text), ", main process %" PRId64, pid);
	if (ready && since)
		time_format_relative(when, sizeof(when), since, c->now_usec);
	return print_pair(stdout, "ready", "%s%s%s (%s)%s%s%s%s%s",
		ready ? "yes" : "no", *when ? ", since " : "", when, by,
		*why ? ", asked last: " : "", why, *says ? ", says that it is " : "",
		says, pid_text);
}

static int print_live(const struct cli *c, const json_t *live)
{
	int64_t failures = json_int(live, "failures", 0);
	int64_t since = json_int(live, "ok_since_usec", 0);
	int64_t watchdog = json_int(live, "watchdog_usec", 0);
	char text[TIME_TEXT_MAX] = "";
	const char *probe = json_str(live, "probe"), *why = json_str(live, "why");
	bool bad = json_is_true(json_object_get(live, "unresponsive"));
	int r = 0;

	if (*probe && failures > 0)
		r = print_pair(stdout, "live",
			"%s, failures: %" PRId64 " of %" PRId64 " (%s)", probe,
			failures, json_int(live, "failures_max", 0), why);
	else if (*probe && !bad && *why)
		r = print_pair(stdout, "live", "%s, cannot be asked (%s)", probe, why);
	else if (*probe)
		r = print_pair(stdout, "live", "%s, %s%s", probe,
			since ? "answers since " : "not asked yet",
			since ? time_format_relative(
					text, sizeof(text), since, c->now_usec)
			      : "");
	if (r >= 0 && watchdog)
		r = print_pair(stdout, "watchdog", "every %s%s%s",
			time_format_span(text, sizeof(text), watchdog),
			bad && failures == 0 ? ", unresponsive: " : "",
			bad && failures == 0 ? why : "");
	return r;
}

static int print_health(const struct cli *c, const json_t *i)
{
	_cleanup_free_ char *status = text_escape_dup(json_str(i, "status"));
	const json_t *live = json_object_get(i, "live");
	int r;

	if (!json_is_boolean(json_object_get(i, "ready")))
		return 0;
	r = print_ready(c, i);
	if (r >= 0 && status && *status)
		r = print_pair(stdout, "status", "%s", status);
	if (r >= 0 && json_is_object(live))
		r = print_live(c, live);
	return r;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int print_instance(const struct cli *c, const json_t *i)
{
	int64_t pid = json_int(i, "pid", 0);
	int64_t since = json_int(i, "since_usec", 0), due = json_int(i, "due_usec", 0);
	char name[32], when[TIME_TEXT_MAX] = "", use[96] = "", pid_text[24] = "";
	const char *hook;
	int r;

	snprintf(name, sizeof(name), "instance %" PRId64, json_int(i, "instance", 0));
	describe_use(i, use, sizeof(use));
	if (pid)
		snprintf(pid_text, sizeof(pid_text), ", pid %" PRId64, pid);
	if (due || since)
		time_format_relative(
			when, sizeof(when), due ? due : since, c->now_usec);
	hook = json_str(i, "hook");
	r = print_pair(stdout, name,
		"%s%s%s%s%s%s%s, starts: %" PRId64 ", restarts: %" PRId64 "%s%s",
		json_str(i, "state"), *hook ? ": " : "", hook,
		*when ? (due ? ", due " : ", since ") : "", when, pid_text, use,
		json_int(i, "starts", 0), json_int(i, "restarts", 0), pid ? "" : "; ",
		pid ? "" : json_str(i, "why"));
	if (r >= 0)
		r = print_health(c, i);
	if (r >= 0)
		r = print_ends(c, i);
	return r >= 0 ? print_output(i) : r;
}

static int print_wanted(const json_t *service)
{
	int64_t wanted = json_int(service, "wanted", 0);
	int64_t defined = json_int(service, "defined", 0);

	if (wanted == defined)
		return print_pair(stdout, "instances", "%" PRId64, wanted);
	return print_pair(stdout, "instances",
		"%" PRId64 ", set at run time; the configuration says %" PRId64, wanted,
		defined);
}

/* nothing where there are none */
static int print_names(const char *what, const json_t *names)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	json_t *name;
	size_t k;
	int r = 0;

	json_array_foreach((json_t *)names, k, name)
	{
		if (r >= 0)
			r = buf_printf(&text, "%s%s", k > 0 ? " " : "",
				json_string_value(name));
	}
	if (r < 0 || buf_len(&text) == 0)
		return r;
	return print_pair(stdout, what, "%.*s", (int)buf_len(&text), buf_head(&text));
}

int service_print_status(const struct cli *c, const json_t *service)
{
	static const char *const texts[] = {
		"state", "origin", "user", "restart", "command", "group", "roll"};
	int64_t next = json_int(service, "next_restart_usec", 0);
	char when[TIME_TEXT_MAX];
	json_t *i;
	size_t k;
	int r = print_pair(stdout, "service", "%s", json_str(service, "name"));

	for (k = 0; k < ARRAY_LEN(texts) && r >= 0; k++)
		if (*json_str(service, texts[k]))
			r = print_pair(
				stdout, texts[k], "%s", json_str(service, texts[k]));
	if (r >= 0)
		r = print_names("requires", json_object_get(service, "requires"));
	if (r >= 0)
		r = print_names("after", json_object_get(service, "after"));
	if (r >= 0)
		r = print_wanted(service);
	if (r >= 0 && next)
		r = print_pair(stdout, "next restart", "%s",
			time_format_relative(when, sizeof(when), next, c->now_usec));
	json_array_foreach(json_object_get(service, "instances"), k, i)
	{
		if (r >= 0)
			r = print_instance(c, i);
	}
	return r < 0 ? cli_fail_write(c, r) : 0;
}
