#include "config.h"

#include "cli/config_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/config_check.h"
#include "cli/editor.h"
#include "cli/text.h"
#include "client/client.h"
#include "config/config_file.h"
#include "config/config_get.h"
#include "config/config_names.h"

/* the file that holds what is set by command */
#define LOCAL_FILE "90-local.conf"

/* One file, as it is and as it is to be. */
struct change {
	const struct cli *c;
	const char *verb;
	struct config_paths paths; /* what is read with it */
	struct config_instead instead;
	char *path; /* owned */
	struct buf old;
	struct stat was;
	bool is_there;
	bool is_read; /* by a daemon of the usual files */
};

static void change_deinit(struct change *ch)
{
	config_paths_deinit(&ch->paths);
	free(ch->path);
	buf_deinit(&ch->old);
}

/* of files: that one is not there does not mean that no daemon is */
static int fail(const struct change *ch, int r)
{
	bool is_forbidden = r == -EACCES || r == -EPERM || r == -EROFS;

	return cli_fail(ch->c, is_forbidden ? CLI_EXIT_PERMISSION : CLI_EXIT_SOME,
		"config %s: '%s': %s", ch->verb, ch->path ? ch->path : "?",
		rv_strerror(r));
}

/* Which file, and what is read together with it: the usual files where it is one of them,
 * else it alone. */
static int find_file(struct change *ch)
{
	const struct cli *c = ch->c;
	const char *file = options_get(&c->opts, OPT_FILE);
	int r;

	if (!file)
		file = options_get(&c->opts, OPT_CONFIG);
	r = config_check_paths(&ch->paths, c->target.mode, NULL);
	if (r < 0)
		return r;
	if (!file && !ch->paths.dropin_dir)
		return -ENOENT;
	/* "x.conf" is one in this directory, not in the daemon's */
	if (!file || strchr(file, '/')) {
		r = config_paths_place(&ch->path, &ch->paths, file ? file : LOCAL_FILE);
	} else {
		_cleanup_free_ char *here = text_printf("./%s", file);

		r = here ? config_paths_place(&ch->path, &ch->paths, here) : -ENOMEM;
	}
	ch->is_read = r >= 0;
	if (r != -ENOENT)
		return r;
	config_paths_deinit(&ch->paths);
	ch->path = strdup(file);
	return ch->path ? config_paths_single(&ch->paths, file) : -ENOMEM;
}

static int read_old(struct change *ch)
{
	_cleanup_close_ int fd =
		open(ch->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &ch->was) < 0)
		return -errno;
	if (!S_ISREG(ch->was.st_mode))
		return S_ISDIR(ch->was.st_mode) ? -EISDIR : -EINVAL;
	ch->is_there = true;
	return fd_read_to_end(&ch->old, fd, CONFIG_FILE_BYTES_MAX);
}

/* 0, or the exit code */
static int change_begin(struct change *ch, const struct cli *c, const char *verb)
{
	int r;

	*ch = (struct change){.c = c, .verb = verb, .old = BUF_NULL};
	r = find_file(ch);
	if (r == -ENOENT)
		return cli_fail(c, CLI_EXIT_SOME,
			"config %s: neither HOME nor XDG_CONFIG_HOME says where the "
			"configuration is",
			verb);
	if (r >= 0)
		r = read_old(ch);
	return r < 0 ? fail(ch, r) : 0;
}

/* how many faults there are with this text; negative errors */
static int count_faults(struct change *ch, const struct buf *text, struct config **ret,
	struct config_errors *errors)
{
	int r;

	ch->instead = (struct config_instead){
		.path = ch->path, .text = buf_head(text), .n = buf_len(text)};
	ch->paths.instead = &ch->instead;
	r = config_load(ret, &ch->paths, errors);
	if (r == -EINVAL)
		return (int)(errors->n + errors->n_more);
	return r;
}

/* Whether the text may be written: it is good, or less is wrong than before. 0; 1: told;
 * negative errors */
static int check(struct change *ch, const struct buf *text, struct config **ret)
{
	_cleanup_(
		config_errors_deinitp) struct config_errors errors = CONFIG_ERRORS_NULL,
							    old_errors =
								    CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *old = NULL;
	int n = count_faults(ch, text, ret, &errors), n_old = 0;

	if (n > 0)
		n_old = count_faults(ch, &ch->old, &old, &old_errors);
	if (n < 0 || n_old < 0)
		return n < 0 ? n : n_old;
	if (n == 0)
		return 0;
	if (config_check_tell(ch->c, &errors) < 0)
		return -ENOMEM;
	if (n >= n_old)
		return 1;
	cli_note(ch->c, "%d error%s less than before", n_old - n,
		text_plural(n_old - n));
	return 0;
}

static int make_dir(const struct change *ch)
{
	const char *slash = strrchr(ch->path, '/');
	_cleanup_free_ char *dir = NULL;

	if (ch->is_there || !slash || slash == ch->path)
		return 0;
	dir = strndup(ch->path, (size_t)(slash - ch->path));
	return dir ? mkdir_all(AT_FDCWD, dir, 0755) : -ENOMEM;
}

static int write_new(const struct change *ch, const struct buf *text)
{
	mode_t mask = umask(0);
	int r;

	umask(mask);
	/* only a directory that is known by name is made */
	r = ch->is_read ? make_dir(ch) : 0;
	if (r < 0)
		return r;
	/* never what the system's daemon would refuse: writable for others than its owner */
	return file_replace(ch->path, buf_head(text), buf_len(text), 0644 & ~mask,
		ch->is_there ? &ch->was : NULL);
}

static int say(const struct change *ch, bool changed)
{
	_cleanup_json_ json_t *o = NULL;

	if (!ch->c->json) {
		puts(changed ? "changed" : "unchanged");
		return CLI_EXIT_OK;
	}
	o = json_pack("{s:b, s:s}", "changed", changed, "file", ch->path);
	if (!o)
		return fail(ch, -ENOMEM);
	json_print(stdout, o, false);
	return CLI_EXIT_OK;
}

/* ---- values ------------------------------------------------------------------------- */

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
			return fail(ch, r);
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

	if (r == 2)
		return CLI_EXIT_SOME;
	if (r >= 0 && check_unset(ch, v) != 0)
		return CLI_EXIT_USAGE;
	if (changed)
		r = check(ch, &text, &config);
	if (r > 0)
		return cli_fail(ch->c, CLI_EXIT_SOME, "config %s: nothing was changed",
			ch->verb);
	if (r >= 0 && changed)
		r = write_new(ch, &text);
	if (r == -ESTALE)
		return cli_fail(ch->c, CLI_EXIT_SOME,
			"config %s: '%s' was changed meanwhile, by somebody else",
			ch->verb, ch->path);
	if (r < 0)
		return fail(ch, r);
	if (!changed)
		(void)count_faults(ch, &ch->old, &config, &faults);
	for (; v->name; v++)
		if (v->value)
			note_override(ch, config, &v->at);
		else
			note_rest(ch, config, &v->at);
	return say(ch, changed);
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

/* ---- in an editor ------------------------------------------------------------------------ */

/* the old text stays beside it, as FILE~ */
static int keep_old(const struct change *ch)
{
	_cleanup_free_ char *target = NULL, *path = NULL;

	if (!ch->is_there)
		return 0;
	target = realpath(ch->path, NULL);
	if (!target)
		return -errno;
	path = text_printf("%s~", target);
	return path ? file_write_like(
			      path, buf_head(&ch->old), buf_len(&ch->old), &ch->was)
		    : -ENOMEM;
}

/* 0: it is in its place; 1: told what is wrong; negative errors */
static int install(struct change *ch, const struct buf *text)
{
	_cleanup_(config_freep) struct config *config = NULL;
	int r = check(ch, text, &config);

	if (r == 0)
		r = keep_old(ch);
	if (r == 0)
		r = write_new(ch, text);
	if (r != -ESTALE)
		return r;
	cli_note(ch->c, "'%s' was changed meanwhile, by somebody else", ch->path);
	return 1;
}

/* the exit code */
static int reload(const struct change *ch)
{
	_cleanup_(client_closep) struct client *client = NULL;
	const struct cli *c = ch->c;

	if (!ch->is_read)
		return CLI_EXIT_OK;
	if (client_open(&client, c->target.socket, CLI_CONNECT_TIMEOUT) < 0) {
		cli_note(c, "no daemon runs: it takes it when it starts");
		return CLI_EXIT_OK;
	}
	return cli_call(c, client, "io.reeve.Daemon.Reload", NULL, NULL);
}

static bool same_text(const struct buf *a, const struct buf *b)
{
	return buf_len(a) == buf_len(b) &&
	       (buf_len(a) == 0 || memcmp(buf_head(a), buf_head(b), buf_len(a)) == 0);
}

/* An editor that failed: a text that nobody has typed is not worth a file. */
static int leave(const struct change *ch, const char *copy)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;

	if (file_read(&text, AT_FDCWD, copy, CONFIG_FILE_BYTES_MAX) < 0 ||
		!same_text(&text, &ch->old))
		return cli_fail(ch->c, CLI_EXIT_SOME,
			"config edit: nothing was changed; your text is in %s", copy);
	(void)unlink(copy);
	return cli_fail(ch->c, CLI_EXIT_SOME, "config edit: nothing was changed");
}

/* the exit code; the text stays in copy unless it was taken */
static int edit_copy(struct change *ch, const char *copy)
{
	int r;

	do {
		_cleanup_(buf_deinitp) struct buf text = BUF_NULL;

		r = editor_run(copy);
		if (r > 0)
			r = cli_fail(ch->c, CLI_EXIT_SOME,
				"config edit: the editor '%s' failed (exit %d)",
				editor_name(), r);
		else if (r == 0)
			r = file_read(&text, AT_FDCWD, copy, CONFIG_FILE_BYTES_MAX);
		if (r > 0)
			return leave(ch, copy);
		if (r == 0 && same_text(&text, &ch->old)) {
			(void)unlink(copy);
			return say(ch, false);
		}
		if (r == 0)
			r = install(ch, &text);
		if (r == 0) {
			(void)unlink(copy);
			r = say(ch, true);
			return r != 0 ? r : reload(ch);
		}
		if (r < 0) {
			(void)fail(ch, r);
			/* or it was: all but the last step of the writing may be done */
			return cli_fail(ch->c, CLI_EXIT_SOME,
				"config edit: your text is in %s", copy);
		}
	} while (editor_again());
	return cli_fail(ch->c, CLI_EXIT_SOME,
		"config edit: nothing was changed; your text is in %s", copy);
}

/* before anybody types: a directory that is not made has to be there */
static int check_dir(const struct change *ch)
{
	const char *slash = strrchr(ch->path, '/');
	_cleanup_free_ char *dir = NULL;

	if (ch->is_read || ch->is_there || !slash)
		return 0;
	dir = strndup(ch->path, (size_t)(slash - ch->path) + 1);
	if (!dir)
		return -ENOMEM;
	return access(dir, F_OK) < 0 ? -errno : 0;
}

int config_change_edit(struct cli *c)
{
	_cleanup_(change_deinit) struct change ch = {.old = BUF_NULL};
	_cleanup_free_ char *copy = NULL;
	int r;

	if (c->opts.n_args != 1)
		return cli_fail(c, CLI_EXIT_USAGE, "config: edit [--file FILE]");
	r = change_begin(&ch, c, "edit");
	if (r != 0)
		return r;
	r = check_dir(&ch);
	if (r < 0)
		return fail(&ch, r);
	r = editor_file(&copy, "reeve-config", buf_head(&ch.old), buf_len(&ch.old));
	return r < 0 ? fail(&ch, r) : edit_copy(&ch, copy);
}
