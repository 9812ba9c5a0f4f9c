#include "config.h"

#include "cli/config_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/config_check.h"
#include "cli/text.h"
#include "client/client.h"
#include "config/config_diff.h"
#include "config/configuration.h"

/* ---- of files ------------------------------------------------------------------------------ */

static void append_service(json_t *o, const char *name)
{
	if (!json_object_get(o, "services"))
		json_object_set_new(o, "services", json_array());
	json_array_append_new(json_object_get(o, "services"), json_string(name));
}

/* config_diff_fn: a Change of io.reeve.Daemon into the array */
static int take_difference(const struct config_difference *d, void *arg)
{
	static const char *const name[] = {
		[CONFIG_DIFF_VALUE] = "value",
		[CONFIG_DIFF_NEW_SECTION] = "new",
		[CONFIG_DIFF_GONE] = "gone",
	};
	json_t *o = json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:b}", "what",
		name[d->what], "section", d->place.section, "name", d->place.argument,
		"key", d->place.key, "before", d->before, "after", d->after, "file",
		d->origin->file, "restart_needed", 0);

	if (o && d->origin->file)
		json_object_set_new(o, "line", json_integer(d->origin->line));
	STRV_FOREACH(service, d->services)
		if (o)
			append_service(o, *service);
	return json_array_append_new(arg, o) < 0 ? -ENOMEM : 0;
}

/* As a reply of Diff. 0, or the exit code */
static int compare_files(struct cli *c, const struct config_paths *before,
	const struct config_paths *after, json_t **ret)
{
	_cleanup_(config_freep) struct config *a = NULL, *b = NULL;
	json_t *changes;
	int r = config_check_load(c, before, &a);

	if (r == 0)
		r = config_check_load(c, after, &b);
	if (r != 0)
		return r;
	changes = json_array();
	r = changes ? config_diff(a, b, take_difference, changes) : -ENOMEM;
	if (r >= 0)
		*ret = json_pack("{s:O, s:i, s:[]}", "changes", changes, "n",
			(int)json_array_size(changes), "overrides");
	json_decref(changes);
	return r < 0 || !*ret ? cli_fail_errno(c, r < 0 ? r : -ENOMEM, "config diff")
			      : 0;
}

/* the usual files against another one by itself */
static int compare_file(struct cli *c, const char *file, json_t **ret)
{
	_cleanup_(config_paths_deinitp) struct config_paths usual = {0}, one = {0};
	int r = config_check_paths(&usual, c->target.mode, NULL);

	if (r >= 0)
		r = config_check_paths(&one, c->target.mode, file);
	one.mode = usual.mode;
	return r < 0 ? cli_fail_errno(c, r, "config diff")
		     : compare_files(c, &usual, &one, ret);
}

/* the usual files against those with another one in a place of theirs */
static int compare_as(struct cli *c, const char *name, const char *file, json_t **ret)
{
	_cleanup_(config_as_deinit) struct config_as as = {.place = NULL};
	struct config_paths usual;
	int r = config_as_read(c, &as, name, file);

	if (r != 0)
		return r;
	usual = as.paths;
	usual.instead = NULL;
	return compare_files(c, &usual, &as.paths, ret);
}

/* ---- of the daemon ------------------------------------------------------------------------- */

static int ask_daemon(struct cli *c, json_t **ret)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_free_ char *error = NULL;
	int r = cli_connect(c, &client);

	if (r != 0)
		return r;
	r = client_call(
		client, "io.reeve.Daemon.Diff", NULL, &reply, &error, RV_FOREVER);
	if (r < 0)
		return cli_fail_lost(c, r);
	if (r > 0)
		return config_check_refused(c, error, reply);
	*ret = TAKE_PTR(reply);
	return 0;
}

enum { SERVICES_TOLD_MAX = 5 }; /* by their names */

/* ---- in words ------------------------------------------------------------------------------ */

/* what a section that goes leaves behind */
static const char *after_gone(const json_t *change)
{
	const char *section = json_str(change, "section");

	if (STREQ(section, "pool"))
		return "; its jobs wait until it is there again";
	if (STREQ(section, "service"))
		return json_is_true(json_object_get(change, "stopped"))
			       ? ""
			       : "; it is stopped";
	return STREQ(section, "schedule") ? "; its jobs go on" : "";
}

/* Other instances than there are now; of files, than the other ones say. */
static void print_instances(const json_t *change)
{
	int64_t after = strtoll(json_str(change, "after"), NULL, 10);
	int64_t now = json_int(
		change, "instances", strtoll(json_str(change, "before"), NULL, 10));

	if (json_is_true(json_object_get(change, "stopped")))
		fputs("; it stays stopped", stdout);
	else if (after > now)
		printf("; %" PRId64 " more %s started", after - now,
			after - now == 1 ? "is" : "are");
	else if (after < now)
		printf("; %" PRId64 " %s stopped", now - after,
			now - after == 1 ? "is" : "are");
}

/* what comes of another value of [defaults] or an environment: a few are named, of many it is
 * said how many there are */
static void print_services(const json_t *change)
{
	const json_t *services = json_object_get(change, "services");
	size_t n = json_array_size(services);

	if (n == 1 && STREQ(json_str(change, "section"), "service"))
		fputs("; it is restarted", stdout);
	else if (n == 1)
		printf("; service %s is restarted",
			json_string_value(json_array_get(services, 0)));
	else if (n > SERVICES_TOLD_MAX)
		printf("; %zu services are restarted", n);
	else if (n > 0)
		fputs("; services ", stdout);
	for (size_t i = 0; n > 1 && n <= SERVICES_TOLD_MAX && i < n; i++)
		printf("%s%s%s", json_string_value(json_array_get(services, i)),
			i + 2 < n    ? ", "
			: i + 2 == n ? " and "
				     : "",
			i + 1 == n ? " are restarted" : "");
}

static char *quoted(const char *value)
{
	_cleanup_free_ char *shown = text_escape_dup(value);
	bool is_plain = shown && *shown && !strpbrk(shown, " '\"\\");

	return !shown ? NULL : is_plain ? TAKE_PTR(shown) : text_printf("'%s'", shown);
}

static bool is_list(const char *key)
{
	int f = job_field_by_key(key);

	if (f >= 0)
		return job_type_appends(job_field_info[f].type);
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (STREQ(config_key_info[k].key, key))
			return config_type_is_list(config_key_info[k].type);
	return false;
}

/* What has a line for each of its elements: each by itself. malloc'd; NULL: out of memory */
static char *quoted_value(const char *key, const char *value)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	if (!strchr(value, '\n') || !is_list(key))
		return quoted(value);
	for (const char *line = value, *end; line; line = *end ? end + 1 : NULL) {
		_cleanup_free_ char *own = NULL, *shown = NULL;

		end = line + strcspn(line, "\n");
		own = strndup(line, (size_t)(end - line));
		shown = own ? quoted(own) : NULL;
		if (!shown ||
			buf_printf(&out, "%s%s", line > value ? " " : "", shown) < 0)
			return NULL;
	}
	return buf_steal_str(&out, NULL);
}

static void print_place(const json_t *change)
{
	const char *section = json_str(change, "section"),
		   *key = json_str(change, "key");
	_cleanup_free_ char *name = text_escape_dup(json_str(change, "name"));

	printf("%s%s%s%s%s", section, name && *name ? "." : "", name ? name : "",
		*key ? "." : "", key);
}

static int print_change(const json_t *change, bool in_new)
{
	const char *what = json_str(change, "what");
	const char *section = json_str(change, "section"),
		   *key = json_str(change, "key");
	_cleanup_free_ char *before = quoted_value(key, json_str(change, "before")),
			    *after = quoted_value(key, json_str(change, "after"));

	if (!before || !after)
		return -ENOMEM;
	print_place(change);
	if (STREQ(what, "new"))
		fputs(" is new", stdout);
	else if (STREQ(what, "gone"))
		printf(" goes%s", after_gone(change));
	else if (in_new)
		printf(" is %s", after);
	else if (!json_is_set(change, "after"))
		printf(" was %s, and is not given any more", before);
	else if (!json_is_set(change, "before"))
		printf(" becomes %s", after);
	else
		printf(" becomes %s, was %s", after, before);
	if (STREQ(what, "value") && !in_new && STREQ(section, "service") &&
		STREQ(key, "instances"))
		print_instances(change);
	if (STREQ(section, "defaults"))
		fputs(", for jobs that are submitted from then on", stdout);
	print_services(change);
	if (json_is_true(json_object_get(change, "restart_needed")))
		fputs(", when the daemon is restarted", stdout);
	putchar('\n');
	return 0;
}

static bool same_section(const json_t *a, const json_t *b)
{
	return a && STREQ(json_str(a, "section"), json_str(b, "section")) &&
	       STREQ(json_str(a, "name"), json_str(b, "name"));
}

static int print_diff(const json_t *diff)
{
	json_t *changes = json_object_get(diff, "changes"), *v, *new = NULL;
	int64_t n_more = json_int(diff, "n", 0) - (int64_t)json_array_size(changes);
	size_t i;
	int r = 0;

	json_array_foreach(changes, i, v)
	{
		if (STREQ(json_str(v, "what"), "new"))
			new = v;
		r = print_change(v, new != v &&same_section(new, v));
		if (r < 0)
			return r;
	}
	if (n_more > 0)
		printf("and %" PRId64 " more change%s\n", n_more, text_plural(n_more));
	json_array_foreach(json_object_get(diff, "overrides"), i, v)
	{
		_cleanup_free_ char *value = quoted(json_str(v, "value"));

		if (!value)
			return -ENOMEM;
		print_place(v);
		printf(" = %s was set at run time, and %s\n", value,
			json_is_true(json_object_get(v, "stays")) ? "stays"
								  : "is dropped");
	}
	return 0;
}

/* 0, or the exit code */
static int show(struct cli *c, bool *ret_differs)
{
	const char *as = options_get(&c->opts, OPT_AS);
	const char *file = options_get(&c->opts, OPT_FILE);
	_cleanup_json_ json_t *diff = NULL;
	int64_t n;
	int r;

	if (!file)
		file = options_get(&c->opts, OPT_CONFIG);
	if (c->opts.n_args != (as ? 2 : 1) || (as && file))
		return cli_fail(c, CLI_EXIT_USAGE,
			"config diff [--exit-code] [--file FILE | --as NAME FILE]");
	r = as     ? compare_as(c, as, c->opts.args[1], &diff)
	    : file ? compare_file(c, file, &diff)
		   : ask_daemon(c, &diff);
	if (r != 0)
		return r;
	n = json_int(diff, "n", 0);
	*ret_differs = n > 0;
	if (c->json)
		r = json_print(stdout, diff, false);
	else if (n == 0 && json_array_size(json_object_get(diff, "overrides")) == 0)
		r = puts("nothing would change") < 0 ? -EIO : 0;
	else
		r = print_diff(diff);
	return r < 0 ? cli_fail_write(c, r) : 0;
}

int config_diff_show(struct cli *c)
{
	bool differs = false;
	int r = show(c, &differs);

	if (!options_has(&c->opts, OPT_EXIT_CODE))
		return r;
	/* as diff(1): what is no answer has to be told from one */
	if (r == CLI_EXIT_SOME)
		return CLI_EXIT_USAGE;
	return r == 0 && differs ? CLI_EXIT_SOME : r;
}
