/*
 * `config`: what the daemon would read, looked at and changed without it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/unix_socket.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/config_change.h"
#include "cli/config_check.h"
#include "cli/config_diff.h"
#include "client/client.h"
#include "config/config_file.h"
#include "config/config_get.h"
#include "config/config_names.h"
#include "config/config_print.h"

static const char *file_option(const struct cli *c)
{
	const char *file = options_get(&c->opts, OPT_FILE);

	return file ? file : options_get(&c->opts, OPT_CONFIG);
}

/* ---- check ------------------------------------------------------------------------------- */

static int check_as(struct cli *c, const char *name, const char *file)
{
	_cleanup_(config_as_deinit) struct config_as as = {.place = NULL};
	int r = config_as_read(c, &as, name, file);

	return r != 0 ? r : config_check_files(c, &as.paths, CHECK_TELL);
}

static int config_verb_check(struct cli *c)
{
	const char *as = options_get(&c->opts, OPT_AS);
	int worst = CLI_EXIT_OK;

	if (as && c->opts.n_args != 2)
		return cli_fail(c, CLI_EXIT_USAGE, "config: check --as NAME FILE");
	if (as)
		return check_as(c, as, c->opts.args[1]);
	if (c->opts.n_args == 1)
		return config_check(c, c->target.mode, file_option(c), CHECK_TELL);
	for (size_t i = 1; i < c->opts.n_args; i++) {
		int r = config_check(c, c->target.mode, c->opts.args[i], CHECK_TELL);

		worst = MAX(worst, r);
	}
	return worst;
}

/* ---- show, get --------------------------------------------------------------------------- */

static int load(struct cli *c, struct config **ret)
{
	_cleanup_(config_paths_deinitp) struct config_paths paths = {0};
	int r = config_check_paths(&paths, c->target.mode, file_option(c));

	return r < 0 ? cli_fail_errno(c, r, "config %s", c->opts.args[0])
		     : config_check_load(c, &paths, ret);
}

static json_t *item_json(const struct config_item *item)
{
	json_t *o = json_pack("{s:s, s:s*, s:s, s:s%, s:s*}", "section",
		item->place.section, "name", item->place.argument, "key",
		item->place.key, "value", item->value, strlen(item->value), "from",
		item->from);

	if (o && item->origin->file)
		json_object_update_new(
			o, json_pack("{s:s, s:i}", "file", item->origin->file, "line",
				   (int)item->origin->line));
	return o;
}

struct sought {
	char *name[2]; /* of a section, NULL behind it */
	bool is_there;
};

static int look_for(const struct config_item *item, void *arg)
{
	struct sought *s = arg;

	s->is_there |= config_place_is_in(&item->place, s->name);
	return 0;
}

/* Is there a section for each of the names? */
static int check_names(struct cli *c, const struct config *config, char *const *names)
{
	for (; *names; names++) {
		struct sought s = {.name = {*names}};
		int r = config_each(config, look_for, &s);

		if (r < 0)
			return cli_fail_errno(c, r, "config show");
		if (!s.is_there)
			return cli_fail(c, CLI_EXIT_NOTHING,
				"config show: there is no section '%s'", *names);
	}
	return 0;
}

struct shown {
	char *const *sections;
	json_t *list;
	bool only_changed;
};

static int show_item(const struct config_item *item, void *arg)
{
	const struct shown *s = arg;

	if (!item->place.key || (s->only_changed && !item->origin->file) ||
		!config_place_is_in(&item->place, s->sections))
		return 0;
	return json_array_append_new(s->list, item_json(item)) < 0 ? -ENOMEM : 0;
}

static int config_verb_show(struct cli *c)
{
	_cleanup_(config_freep) struct config *config = NULL;
	struct shown s = {.sections = c->opts.args + 1,
		.only_changed = options_has(&c->opts, OPT_CHANGED)};
	int r = load(c, &config);

	if (r == 0)
		r = check_names(c, config, s.sections);
	if (r != 0)
		return r;
	if (!c->json) {
		r = config_print(stdout, config, s.only_changed, s.sections);
		return r < 0 ? cli_fail_errno(c, r, "config show") : CLI_EXIT_OK;
	}
	s.list = json_array();
	r = s.list ? config_each(config, show_item, &s) : -ENOMEM;
	if (r >= 0)
		json_print(stdout, s.list, false);
	json_decref(s.list);
	return r < 0 ? cli_fail_errno(c, r, "config show") : CLI_EXIT_OK;
}

/* there is no such key, or no such section */
static int fail_unknown(struct cli *c, const struct config_place *place)
{
	_cleanup_free_ char *why = NULL;
	int r = config_place_check(place, &why);

	if (r < 0)
		return cli_fail_errno(c, r, "config get");
	return cli_fail(c, CLI_EXIT_USAGE, "config get: %s",
		r == 0 ? why
		       : "there is no such key: [reeved] and [defaults] have no names");
}

/* there is no section of that name */
static int fail_nothing(
	struct cli *c, const struct config *config, const struct config_place *place)
{
	const struct config_names *sections = NULL;
	_cleanup_free_ const char **names = NULL;
	const char *meant;

	for (int s = CONFIG_SECTION_POOL; s < CONFIG_SECTION_N; s++)
		if (STREQ(place->section, config_section_name[s]))
			sections = &config->named[s];
	if (sections && place->argument)
		names = calloc(sections->n + 1, sizeof(*names));
	for (size_t i = 0; names && i < sections->n; i++)
		names[i] = sections->v[i].name;
	meant = names ? str_nearest(place->argument, names, sections->n) : NULL;
	return cli_fail(c, CLI_EXIT_NOTHING, "config get: no [%s %s]%s%s%s",
		place->section, place->argument ? place->argument : "NAME",
		meant ? ", did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

static int config_verb_get(struct cli *c)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	_cleanup_free_ char *name = NULL;
	struct config_item item = {.value = NULL};
	int r;

	if (c->opts.n_args != 2)
		return cli_fail(c, CLI_EXIT_USAGE, "config: get SECTION.KEY");
	name = strdup(c->opts.args[1]);
	if (!name)
		return cli_fail_errno(c, -ENOMEM, "config get");
	if (config_place_parse(&item.place, name) < 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"config get: '%s' is not SECTION.KEY or SECTION.NAME.KEY",
			c->opts.args[1]);
	r = load(c, &config);
	if (r != 0)
		return r;
	r = config_get(&value, &item.origin, config, &item.place);
	if (r == -ENOENT)
		return fail_unknown(c, &item.place);
	if (r == -ESRCH)
		return fail_nothing(c, config, &item.place);
	if (r >= 0)
		r = buf_append_byte(&value, '\0');
	if (r < 0)
		return cli_fail_errno(c, r, "config get");
	item.value = buf_head(&value);
	if (c->json) {
		_cleanup_json_ json_t *o = item_json(&item);

		if (!o)
			return cli_fail_errno(c, -ENOMEM, "config get");
		json_print(stdout, o, false);
	} else {
		puts(item.value);
	}
	return CLI_EXIT_OK;
}

/* ---- whose files ------------------------------------------------------------------------- */

static int fail_whose(const struct cli *c, const char *why)
{
	return cli_fail(c, CLI_EXIT_USAGE,
		"config %s: the daemon at '%s' (%s) %s: --system, --user or --file "
		"says "
		"which files are meant",
		c->opts.args[0], c->target.socket, target_reason_text(&c->target), why);
}

/* Those of the daemon that a socket names, which is not always that of whoever calls: it is
 * asked. Root's own files are the system's: they are not meant by chance. 0, or the exit code */
static int choose_mode(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *status = NULL;
	struct unix_peer peer;
	bool is_system;

	if (client_open(&client, c->target.socket, CLI_CONNECT_TIMEOUT) < 0 ||
		unix_peer_get(&peer, client_fd(client)) < 0 ||
		client_call(client, "io.reeve.Daemon.Status", NULL, &status, NULL,
			CLI_CONNECT_TIMEOUT) != 0)
		return c->target.mode == PATHS_SYSTEM ? fail_whose(c, "does not answer")
						      : 0;
	is_system = STREQ(json_str(status, "mode"), "system");
	/* anybody can say that of their own: what they name must not make root write its files */
	if (peer.uid != geteuid() && !(is_system && peer.uid == 0))
		return fail_whose(c, "is another user's");
	c->target.mode = is_system ? PATHS_SYSTEM : PATHS_USER;
	return 0;
}

/* does it look at the usual files, of a daemon that nothing but its socket is said of? */
static bool is_mode_open(const struct cli *c)
{
	const char *word = c->opts.args[0];
	bool names_files = STREQ(word, "check") && c->opts.n_args > 1 &&
			   !options_get(&c->opts, OPT_AS);
	/* the daemon itself says what differs */
	bool is_asked = STREQ(word, "diff") && !options_get(&c->opts, OPT_AS);

	return !target_is_default(&c->target) && !c->target.mode_is_said &&
	       !file_option(c) && !names_files && !is_asked;
}

int cmd_config(struct cli *c)
{
	/* in the order of the words in the table of verbs */
	static int (*const verbs[])(struct cli *) = {config_verb_check,
		config_verb_show, config_verb_get, config_change_set,
		config_change_unset, config_change_edit, config_diff_show};
	const char *word = c->opts.n_args > 0 ? c->opts.args[0] : NULL;

	for (size_t i = 0; word && i < ARRAY_LEN(verbs); i++)
		if (STREQ(c->command->words[i], word)) {
			int r = is_mode_open(c) ? choose_mode(c) : 0;

			return r != 0 ? r : verbs[i](c);
		}
	return cli_fail(c, CLI_EXIT_USAGE, "config: %s", c->command->usage);
}
