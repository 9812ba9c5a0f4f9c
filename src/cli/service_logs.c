#include "config.h"

#include "cli/service_logs.h"
#include "cli/service_steer.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/logs.h"
#include "cli/logs_many.h"
#include "cli/select.h"
#include "client/client.h"

/* which services are followed: those that were there, and those that come */
struct followed {
	const struct cli *c;
	char *const *names; /* globs and groups go on to match */
	size_t n;
	const json_t *first; /* that were selected at first */
	bool has_group;      /* a name is that of a group */
};

static bool is_followed(const struct followed *f, const json_t *service)
{
	const char *name = json_str(service, "name");
	json_t *s;
	size_t i;

	if (options_has(&f->c->opts, OPT_ALL))
		return true;
	for (size_t k = 0; k < f->n; k++)
		if (fnmatch(f->names[k], name, 0) == 0 ||
			STREQ(f->names[k], json_str(service, "group")))
			return true;
	json_array_foreach((json_t *)f->first, i, s)
	{
		if (STREQ(json_str(s, "name"), name))
			return true;
	}
	return false;
}

/* An event does not say of which group: of one, whatever happens may be news. */
static bool may_be_followed(void *arg, const char *name)
{
	const struct followed *f = arg;
	json_t *service = json_pack("{s:s}", "name", name);
	bool is = f->has_group || !service || is_followed(f, service);

	json_decref(service);
	return is;
}

static bool is_going_on(const json_t *instance)
{
	const char *state = json_str(instance, "state");

	return !STREQ(state, "stopped") && !STREQ(state, "exited") &&
	       !STREQ(state, "failed");
}

/* "web"; "web.1" of one of several */
static const char *label_of(
	const json_t *service, const json_t *instance, char *buf, size_t size)
{
	int64_t number = json_int(instance, "instance", 0);

	if (json_array_size(json_object_get(service, "instances")) > 1 || number > 0)
		snprintf(buf, size, "%s.%" PRId64, json_str(service, "name"), number);
	else
		snprintf(buf, size, "%s", json_str(service, "name"));
	return buf;
}

static int want_instances(struct logs_many *m, const json_t *service)
{
	const json_t *instances = json_object_get(service, "instances");
	char label[96];
	json_t *in;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)instances, i, in)
	{
		label_of(service, in, label, sizeof(label));
		if (r == 0 && json_int(in, "job", 0) > 0)
			r = logs_many_want(m, json_int(in, "job", 0), label,
				is_going_on(in), json_int(in, "starts", 0));
	}
	return r;
}

static int list_followed(void *arg, struct client *control, struct logs_many *m)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *s;
	size_t i;
	int r;

	r = client_call_pages(control, "io.reeve.Service.List", NULL, "services",
		&reply, NULL, RV_FOREVER);
	json_array_foreach(json_object_get(reply, "services"), i, s)
	{
		if (r == 0 && is_followed(arg, s))
			r = want_instances(m, s);
	}
	return r;
}

/* one that is named has no name before its lines while it has one instance */
static bool is_one(const json_t *list, char *const *names, size_t n)
{
	return n == 1 && json_array_size(list) == 1 &&
	       STREQ(names[0], json_str(json_array_get(list, 0), "name"));
}

/* 0, or the exit code */
static int follow(const struct cli *c, const struct log_options *lo, const json_t *list,
	char *const *names, size_t n)
{
	struct followed f = {.c = c, .names = names, .n = n, .first = list};
	const struct logs_many_ops ops = {list_followed, may_be_followed, &f};
	struct logs_many *m = logs_many_new(c, lo);
	json_t *s;
	size_t i;
	int r;

	json_array_foreach((json_t *)list, i, s)
	{
		for (size_t k = 0; k < n; k++)
			f.has_group |= STREQ(names[k], json_str(s, "group"));
	}
	if (!m)
		return cli_fail_errno(c, -ENOMEM, "service logs");
	logs_many_watch(m, &ops);
	if (!is_one(list, names, n))
		logs_many_name_all(m);
	r = logs_many_follow(m);
	logs_many_free(m);
	return r;
}

/* The jobs of them, and what they are called. 0, -ENOMEM */
static int select_jobs(
	struct selection *sel, struct log_options *lo, const json_t *list)
{
	_cleanup_free_ char *err = NULL;
	json_t *s, *in;
	size_t k, i;
	int r = 0;

	lo->labels = json_object();
	sel->listed = true;
	sel->filters = json_pack("{s:s}", "user", "*"); /* whoever they run as */
	if (!sel->filters || !lo->labels)
		return -ENOMEM;
	json_array_foreach((json_t *)list, k, s)
	{
		json_array_foreach(json_object_get(s, "instances"), i, in)
		{
			char id[24], label[96];

			if (r < 0 || json_int(in, "job", 0) <= 0)
				continue;
			snprintf(id, sizeof(id), "%" PRId64, json_int(in, "job", 0));
			r = selection_add(sel, id, &err);
			if (r >= 0)
				r = json_put(lo->labels, id,
					json_string(
						label_of(s, in, label, sizeof(label))));
		}
	}
	selection_finish(sel);
	return r;
}

/* of those whose lines are elsewhere */
static void tell_elsewhere(const struct cli *c, const json_t *list)
{
	json_t *s;
	size_t i;

	json_array_foreach((json_t *)list, i, s)
	{
		const char *output = json_str(s, "output");

		if (STREQ(output, "null"))
			cli_note(c,
				"service '%s': its output is dropped: output = null",
				json_str(s, "name"));
		else if (*output)
			cli_note(c,
				"service '%s': its output is not kept here: output = "
				"%s",
				json_str(s, "name"), output);
	}
}

int service_logs(struct cli *c, struct client *client, char *const *names, size_t n)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(log_options_deinit) struct log_options lo = {.params = NULL};
	_cleanup_json_ json_t *list = NULL;
	struct client *same = client; /* replaced only where one is followed */
	int r = log_options_read(&lo, c);

	if (r == 0)
		r = service_select(c, client, "service logs", names, n, false, &list);
	if (r != 0)
		return r;
	tell_elsewhere(c, list);
	if (lo.follow)
		return follow(c, &lo, list, names, n);
	/* who asks for a service means all its starts, of which the last may be a moment old */
	lo.reach_back = lo.run == 0;
	lo.past_runs = lo.reach_back && log_filter_is_set(&lo.filter);
	r = select_jobs(&sel, &lo, list);
	if (r < 0)
		return cli_fail_errno(c, r, "service logs");
	if (selection_is_empty(&sel))
		return cli_fail(c, CLI_EXIT_NOTHING, "none of it was started yet");
	return logs_show(c, &lo, &same, &sel);
}
