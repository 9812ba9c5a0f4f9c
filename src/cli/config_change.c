#include "config.h"

#include "cli/config_change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/config_change_priv.h"
#include "cli/config_check.h"
#include "config/config_file.h"
#include "config/config_get.h"
#include "config/config_names.h"

/* a later file may say otherwise */
static void note_override(const struct change *ch, const struct config *config,
	const struct config_place *at)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	const struct config_origin *origin;

	if (config && config_get(&value, &origin, config, at) >= 0 && origin->file &&
		!STREQ(origin->file, ch->path))
		cli_note(ch->c, "%s: %s:%u says otherwise, and is what holds", at->key,
			origin->file, origin->line);
}

/* another file may say what was taken out of this one, or was never in it */
static void note_rest(const struct change *ch, const struct config *config,
	const struct config_place *at)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	const struct config_origin *origin = NULL;

	if (config && at->key)
		(void)config_get(&value, &origin, config, at);
	for (int s = CONFIG_SECTION_POOL; config && !at->key && s < CONFIG_SECTION_N;
		s++) {
		const struct config_named *named =
			STREQ(at->section, config_section_name[s])
				? config_find(
					  config, (enum config_section)s, at->argument)
				: NULL;

		if (named)
			origin = &named->origin;
	}
	if (origin && origin->file && !STREQ(origin->file, ch->path))
		cli_note(ch->c, "%s: %s:%u says it, and is what holds",
			at->key ? at->key : at->argument, origin->file, origin->line);
}

/* one thing that is said on the command line */
struct setting {
	char *name; /* owned; at points into it */
	struct config_place at;
	const char *value; /* NULL: take it out */
	char *dot; /* in name: what stands behind it may be a key; NULL: it is none, or is one */
	bool changed;
};

static void settings_free(struct setting *v)
{
	for (struct setting *s = v; s && s->name; s++)
		free(s->name);
	free(v);
}
DEFINE_CLEANUP(struct setting *, settings_free)

/* SECTION.NAME, all of a section that has a name, which may have a '.' in it; what is a key, or
 * stands there as one, is a key. False: it can only be that. */
static bool take_as_section(struct setting *s)
{
	_cleanup_free_ char *why = NULL;
	bool has_names = false;

	for (int i = CONFIG_SECTION_POOL; i < CONFIG_SECTION_N; i++)
		has_names |= STREQ(s->at.section, config_section_name[i]);
	if (!has_names || !s->at.key ||
		(s->at.argument && config_place_check(&s->at, &why) != 0))
		return false;
	if (s->at.argument) {
		s->dot = s->name + (s->at.key - s->name) - 1;
		*s->dot = '.';
	} else {
		s->at.argument = s->at.key;
	}
	s->at.key = NULL;
	return true;
}

static void take_as_key(struct setting *s)
{
	if (!s->dot)
		return;
	*s->dot = '\0';
	s->at.key = s->dot + 1;
}

/* as config_edit */
static int edit_one(struct buf *out, const struct change *ch, const struct buf *text,
	struct setting *s, struct config_errors *errors)
{
	int r = config_edit(
		out, buf_head(text), buf_len(text), ch->path, &s->at, s->value, errors);

	if (r != 0 || s->value || !take_as_section(s))
		return r;
	buf_clear(out);
	r = config_edit(
		out, buf_head(text), buf_len(text), ch->path, &s->at, NULL, errors);
	if (r == 0)
		take_as_key(s);
	return r;
}

/* The text with all of it, up to one without a name. 1; 0: nothing differs; 2: told;
 * negative errors */
static int edit_text(struct change *ch, struct setting *v, struct buf *ret)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	bool changed = false;
	int r = 0;

	if (buf_len(&ch->old) > 0)
		r = buf_append(ret, buf_head(&ch->old), buf_len(&ch->old));
	for (; v->name && r >= 0; v++) {
		_cleanup_(buf_deinitp) struct buf next = BUF_NULL;

		r = edit_one(&next, ch, ret, v, &errors);
		v->changed = r > 0;
		if (r == -EINVAL) {
			r = config_check_tell(ch->c, &errors);
			return r < 0 ? r : 2;
		}
		if (r > 0) {
			struct buf before = *ret;

			changed = true;
			*ret = next;
			next = before;
		}
	}
	return r < 0 ? r : changed;
}

/* A key that there is not is taken out where a file has it; else it was misspelt. 0, or the exit
 * code */
static int check_unset(const struct change *ch, const struct setting *v)
{
	for (; v->name; v++) {
		_cleanup_free_ char *why = NULL;
		int r = v->value || v->changed ? 1 : config_place_check(&v->at, &why);

		if (r < 0)
			return change_fail(ch, r);
		if (r == 0)
			return cli_fail(
				ch->c, CLI_EXIT_USAGE, "config %s: %s", ch->verb, why);
	}
	return 0;
}

static int change_values(struct change *ch, struct setting *v)
{
	_cleanup_(config_errors_deinitp) struct config_errors faults =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = edit_text(ch, v, &text);
	bool changed = r == 1;
	int told;

	if (r == 2)
		return CLI_EXIT_SOME;
	told = r >= 0 ? check_unset(ch, v) : 0;
	if (told != 0)
		return told;
	if (changed)
		r = change_check(ch, &text, &config);
	if (r > 0)
		return cli_fail(ch->c, CLI_EXIT_SOME, "config %s: nothing was changed",
			ch->verb);
	if (r >= 0 && changed)
		r = change_write(ch, &text);
	if (r == -ESTALE)
		return cli_fail(ch->c, CLI_EXIT_SOME,
			"config %s: '%s' was changed meanwhile, by somebody else",
			ch->verb, ch->path);
	if (r < 0)
		return change_fail(ch, r);
	if (!changed)
		(void)change_count_faults(ch, &ch->old, &config, &faults);
	for (; v->name; v++)
		if (v->value)
			note_override(ch, config, &v->at);
		else
			note_rest(ch, config, &v->at);
	return change_say(ch, changed);
}

/* the arguments behind the verb: keys, each with a value behind it, or without */
static int change_by_command(const struct cli *c, const char *verb, bool has_values)
{
	_cleanup_(change_deinit) struct change ch = {.old = BUF_NULL};
	size_t step = has_values ? 2 : 1, n = (c->opts.n_args - 1) / step;
	_cleanup_(settings_freep) struct setting *v = calloc(n + 1, sizeof(*v));
	int r;

	for (size_t i = 0; v && i < n; i++) {
		char **args = c->opts.args + 1 + i * step;

		v[i].name = strdup(args[0]);
		v[i].value = has_values ? args[1] : NULL;
		if (!v[i].name)
			return cli_fail_errno(c, -ENOMEM, "config %s", verb);
		if (config_place_parse(&v[i].at, v[i].name) < 0)
			return cli_fail(c, CLI_EXIT_USAGE,
				"config %s: '%s' is not SECTION.KEY or "
				"SECTION.NAME.KEY",
				verb, args[0]);
	}
	if (!v)
		return cli_fail_errno(c, -ENOMEM, "config %s", verb);
	r = change_begin(&ch, c, verb);
	return r != 0 ? r : change_values(&ch, v);
}

int config_change_set(struct cli *c)
{
	if (c->opts.n_args < 3 || c->opts.n_args % 2 == 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"config: set SECTION.KEY VALUE [SECTION.KEY VALUE...]");
	return change_by_command(c, "set", true);
}

int config_change_unset(struct cli *c)
{
	if (c->opts.n_args < 2)
		return cli_fail(
			c, CLI_EXIT_USAGE, "config: unset SECTION.KEY|SECTION.NAME...");
	return change_by_command(c, "unset", false);
}
