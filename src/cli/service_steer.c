#include "config.h"

#include "cli/service_steer.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "client/client.h"

#define INSTANCES_MAX 1000 /* daemon/service_record.h */

/* ---- which ------------------------------------------------------------------------------- */

static bool is_glob(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* NAME.N is how logs call an instance. */
static int fail_not_there(const struct cli *c, const json_t *list, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : 0;
	int64_t number;
	json_t *s;
	size_t i;

	if (dot && parse_i64(&number, dot + 1, 0, INSTANCES_MAX) >= 0)
		json_array_foreach((json_t *)list, i, s)
		{
			const char *service = json_str(s, "name");

			if (strlen(service) == len && strncmp(service, name, len) == 0)
				return cli_fail(c, CLI_EXIT_NOTHING,
					"there is no service '%s': services are meant "
					"as "
					"a whole, with all instances: '%s'",
					name, service);
		}
	return cli_fail(
		c, CLI_EXIT_NOTHING, "there is no service '%s', nor a group", name);
}

/* Those of the list that match one of the names, in the order of the list. 0, or the exit
 * code where a name that is no glob is not there. */
static int pick(const struct cli *c, const json_t *list, char *const *names, size_t n,
	json_t **ret)
{
	_cleanup_json_ json_t *picked = json_array();
	_cleanup_free_ bool *found = calloc(n + 1, sizeof(*found));
	json_t *s;
	size_t i;

	if (!picked || !found)
		return cli_fail_errno(c, -ENOMEM, "service");
	json_array_foreach((json_t *)list, i, s)
	{
		bool wanted = options_has(&c->opts, OPT_ALL);

		for (size_t k = 0; k < n; k++) {
			bool matches = fnmatch(names[k], json_str(s, "name"), 0) == 0 ||
				       STREQ(names[k], json_str(s, "group"));

			found[k] |= matches;
			wanted |= matches;
		}
		if (wanted && json_array_append(picked, s) < 0)
			return cli_fail_errno(c, -ENOMEM, "service");
	}
	for (size_t k = 0; k < n; k++)
		if (!found[k] && !is_glob(names[k]))
			return fail_not_there(c, list, names[k]);
	if (json_array_size(picked) == 0)
		return cli_fail(c, CLI_EXIT_NOTHING, "no service matches");
	*ret = TAKE_PTR(picked);
	return 0;
}

int service_select(struct cli *c, struct client *client, const char *verb,
	char *const *names, size_t n, bool optional, json_t **ret)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_free_ char *error = NULL;
	bool all = options_has(&c->opts, OPT_ALL);
	int r;

	if (all && n > 0)
		return cli_fail(c, CLI_EXIT_USAGE, "%s: either names or --all", verb);
	if (!all && n == 0 && !optional)
		return cli_fail(c, CLI_EXIT_USAGE,
			"%s: which services? Names, globs, or --all%s", verb,
			STREQ(verb, "reload")
				? " (the configuration: reeve daemon reload)"
				: "");
	r = client_call_pages(client, "io.reeve.Service.List", NULL, "services", &reply,
		&error, RV_FOREVER);
	if (r != 0)
		return r < 0 ? cli_fail_lost(c, r) : cli_fail_reply(c, error, reply);
	if (n == 0 && optional) {
		*ret = json_incref(json_object_get(reply, "services"));
		return 0;
	}
	return pick(c, json_object_get(reply, "services"), names, n, ret);
}

/* ---- changes --------------------------------------------------------------------------------- */

/* the last operand: how many. 0, or the exit code */
static int read_instances(
	const struct cli *c, char *const *names, size_t n, int64_t *ret)
{
	if (n == 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"service scale: which services, and to how many instances?");
	if (parse_i64(ret, names[n - 1], 0, INSTANCES_MAX) < 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"service scale: not a number from 0 to %d: '%s'", INSTANCES_MAX,
			names[n - 1]);
	return 0;
}

static json_t *at_place(const json_t *list, size_t i, bool reversed)
{
	size_t n = json_array_size(list);

	return json_array_get(list, reversed ? n - 1 - i : i);
}

/* in the order of their starts: the list has them by name. NULL: out of memory */
static json_t *in_order(const json_t *list)
{
	size_t n = json_array_size(list), k;
	_cleanup_json_ json_t *sorted = json_array();

	for (size_t i = 0; i < n && sorted; i++) {
		json_t *s = json_array_get(list, i);
		int64_t order = json_int(s, "order", 0);

		for (k = json_array_size(sorted); k > 0; k--)
			if (json_int(json_array_get(sorted, k - 1), "order", 0) <=
				order)
				break;
		if (json_array_insert(sorted, k, s) < 0)
			return NULL;
	}
	return TAKE_PTR(sorted);
}

/* what became of its instances, where it did not go well; the exit code */
static int tell_failures(const struct cli *c, const char *name, const json_t *failed)
{
	json_t *f;
	size_t i;

	json_array_foreach((json_t *)failed, i, f)
		cli_fail(c, CLI_EXIT_SOME, "service '%s', instance %" PRId64 ": %s",
			name, json_int(f, "instance", 0), json_str(f, "reason"));
	return json_array_size(failed) > 0 ? CLI_EXIT_SOME : 0;
}

/* until none of them is on its way; ready: until they are */
static int wait_for_all(
	const struct cli *c, struct client *client, const json_t *list, bool ready)
{
	json_t *s;
	size_t i;
	int first = 0;

	json_array_foreach((json_t *)list, i, s)
	{
		_cleanup_json_ json_t *reply = NULL;
		int r = cli_call(c, client, "io.reeve.Service.Wait",
			json_pack("{s:s, s:b}", "name", json_str(s, "name"), "ready",
				(int)ready),
			&reply);

		if (r == 0)
			r = tell_failures(c, json_str(s, "name"),
				json_object_get(reply, "failed"));
		first = first ? first : r;
	}
	return first;
}

static int print_changed(const struct cli *c, bool changed)
{
	if (c->json)
		printf("{\"changed\":%s}\n", changed ? "true" : "false");
	return CLI_EXIT_OK;
}

int service_roll(struct cli *c, struct client *client, const char *verb,
	char *const *names, size_t n)
{
	_cleanup_json_ json_t *list = NULL, *reply = NULL;
	json_t *all, *s;
	size_t i;
	int r = service_select(c, client, verb, names, n, false, &list);

	if (r != 0)
		return r;
	all = json_array();
	json_array_foreach(list, i, s)
	{
		if (json_array_append(all, json_object_get(s, "name")) < 0)
			r = -ENOMEM;
	}
	if (r < 0) {
		json_decref(all);
		return cli_fail_errno(c, r, "service");
	}
	r = cli_call(c, client, "io.reeve.Service.Roll",
		json_pack("{s:o, s:b}", "names", all, "wait",
			(int)!options_has(&c->opts, OPT_NO_WAIT)),
		&reply);
	if (r != 0)
		return r;
	if (!json_is_true(json_object_get(reply, "changed")))
		cli_note(c, "nothing is restarted: %s stopped",
			json_array_size(list) == 1 ? "the service is"
						   : "all of these services are");
	return print_changed(c, json_is_true(json_object_get(reply, "changed")));
}

/* ---- one after the other --------------------------------------------------------------------- */

struct steering {
	const struct cli *c;
	struct client *client;
	const char *method;
	char *const *names; /* the operands */
	size_t n;
	int64_t instances; /* of Scale */
	bool waits;        /* for each, before the next is asked */
	bool changed;      /* something is */
	const char *left;  /* the first that was left as it is; NULL: none was */
	size_t n_left;
};

/* how a service was meant, by the first of these that holds */
enum meant { BY_NAME, BY_GROUP, BY_GLOB /* or --all */ };

static bool is_operand(const struct steering *st, const char *name)
{
	for (size_t k = 0; k < st->n; k++)
		if (STREQ(st->names[k], name))
			return true;
	return false;
}

static enum meant how_meant(const struct steering *st, const json_t *s)
{
	if (is_operand(st, json_str(s, "name")))
		return BY_NAME;
	return is_operand(st, json_str(s, "group")) ? BY_GROUP : BY_GLOB;
}

static void leave(struct steering *st, const json_t *s)
{
	if (!st->left)
		st->left = json_str(s, "name");
	st->n_left++;
}

static json_t *params_for(const struct steering *st, const json_t *s, bool unless_down)
{
	json_t *params = json_pack("{s:s}", "name", json_str(s, "name"));
	bool fine = params != NULL;

	if (fine && STREQ(st->method, "Scale"))
		fine = json_put(params, "instances", json_integer(st->instances)) == 0;
	if (fine && st->waits)
		fine = json_put(params, "wait", json_true()) == 0;
	if (fine && unless_down)
		fine = json_put(params, "unless_down", json_true()) == 0;
	if (fine)
		return params;
	json_decref(params);
	return NULL;
}

/* One that was not meant by its name, and cannot do this, is left as it is. The exit code */
static int ask(struct steering *st, const json_t *s, const char *method)
{
	enum meant meant = how_meant(st, s);
	bool restart = STREQ(method, "Restart"), changed;
	_cleanup_json_ json_t *params = params_for(st, s, restart && meant != BY_NAME);
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_free_ char *error = NULL;
	char full[64];
	int r;

	if (!params)
		return cli_fail_errno(st->c, -ENOMEM, "service");
	snprintf(full, sizeof(full), "io.reeve.Service.%s", method);
	r = client_call(st->client, full, params, &reply, &error, RV_FOREVER);
	if (r < 0)
		return cli_fail_lost(st->c, r);
	if (r > 0 && meant != BY_NAME &&
		STREQ(error, "io.reeve.Service.NotReloadable")) {
		leave(st, s);
		return 0;
	}
	if (r > 0)
		return cli_fail_reply(st->c, error, reply);
	changed = json_is_true(json_object_get(reply, "changed")) ||
		  json_int(reply, "n", 0) > 0;
	st->changed |= changed;
	if (restart && !changed && meant != BY_NAME)
		leave(st, s);
	if ((restart || STREQ(method, "Start")) && meant == BY_NAME &&
		json_int(s, "wanted", 0) == 0)
		cli_note(st->c,
			"service '%s' is to have no instances: reeve service scale %s "
			"1",
			json_str(s, "name"), json_str(s, "name"));
	return tell_failures(
		st->c, json_str(s, "name"), json_object_get(reply, "failed"));
}

/* All of it at once, which the daemon sees to. */
static int restart_group(struct steering *st, const char *name, const json_t *list)
{
	_cleanup_json_ json_t *reply = NULL, *asked = json_array();
	const json_t *restarted;
	json_t *s, *t;
	size_t i, k;
	int r = cli_call(st->c, st->client, "io.reeve.Service.RestartGroup",
		json_pack("{s:s}", "name", name), &reply);

	if (r != 0)
		return r;
	restarted = json_object_get(reply, "services");
	json_array_foreach((json_t *)list, i, s)
	{
		bool some = false;

		json_array_foreach((json_t *)restarted, k, t) some |=
			STREQ(json_string_value(t), json_str(s, "name"));
		if (some && json_array_append(asked, s) < 0)
			return cli_fail_errno(st->c, -ENOMEM, "service");
		if (!some && STREQ(json_str(s, "group"), name) &&
			how_meant(st, s) == BY_GROUP)
			leave(st, s);
	}
	st->changed |= json_array_size(restarted) > 0;
	return st->waits ? wait_for_all(st->c, st->client, asked, true) : 0;
}

static int restart_groups(struct steering *st, const json_t *list)
{
	int first = 0;

	for (size_t k = 0; k < st->n; k++) {
		bool is_group = false, again = false;
		json_t *s;
		size_t i;
		int r;

		json_array_foreach((json_t *)list, i, s) is_group |=
			STREQ(json_str(s, "group"), st->names[k]);
		for (size_t j = 0; j < k; j++)
			again |= STREQ(st->names[j], st->names[k]);
		if (!is_group || again)
			continue;
		r = restart_group(st, st->names[k], list);
		first = first ? first : r;
	}
	return first;
}

/* one of those that groups do not restart as a whole */
static int restart_one(struct steering *st, const json_t *s)
{
	switch (how_meant(st, s)) {
	case BY_GROUP: return 0;
	case BY_NAME: /* with its group it was restarted, unless it was down */
		return ask(st, s,
			is_operand(st, json_str(s, "group")) ? "Start" : "Restart");
	default: return ask(st, s, "Restart");
	}
}

static void tell_left(const struct steering *st)
{
	char others[64] = "";

	if (st->n_left > 1)
		snprintf(others, sizeof(others), " and %zu other%s", st->n_left - 1,
			st->n_left > 2 ? "s" : "");
	if (st->left && STREQ(st->method, "Restart"))
		cli_note(st->c,
			"left as it was, stopped or failed: service '%s'%s (one that "
			"is named is started)",
			st->left, others);
}

/* Each is tried: one that cannot be changed keeps no other. They are started in their order,
 * and stopped the other way round. */
int service_steer(struct cli *c, struct client *client, const char *verb,
	const char *method, char *const *names, size_t n)
{
	_cleanup_json_ json_t *list = NULL, *ordered = NULL, *asked = json_array();
	bool scale = STREQ(method, "Scale"), restart = STREQ(method, "Restart");
	bool stop = STREQ(method, "Stop"), together = stop || STREQ(method, "Start");
	bool wait = !STREQ(method, "Reset") && !STREQ(method, "Reload") &&
		    !options_has(&c->opts, OPT_NO_WAIT);
	struct steering st = {.c = c,
		.client = client,
		.method = method,
		.names = names,
		.n = n - (scale && n > 0),
		.waits = wait && !together};
	int r = scale ? read_instances(c, names, n, &st.instances) : 0;
	int first;

	if (r == 0)
		r = service_select(c, client, verb, names, st.n, false, &list);
	if (r != 0)
		return r;
	ordered = in_order(list);
	if (!ordered || !asked)
		return cli_fail_errno(c, -ENOMEM, "service");
	first = restart ? restart_groups(&st, ordered) : 0;
	for (size_t i = 0; i < json_array_size(ordered); i++) {
		json_t *s = at_place(ordered, i, stop);

		r = restart ? restart_one(&st, s) : ask(&st, s, method);
		first = first ? first : r;
		if (r == 0 && json_array_append(asked, s) < 0)
			return cli_fail_errno(c, -ENOMEM, "service");
	}
	if (wait && together) {
		r = wait_for_all(c, client, asked, !stop);
		first = first ? first : r;
	}
	tell_left(&st);
	if (STREQ(method, "Reload") && st.n_left == json_array_size(ordered))
		return cli_fail(c, CLI_EXIT_NOTHING,
			"none of these services has reload-signal or reload-command in "
			"the configuration");
	return first ? first : print_changed(c, st.changed);
}
