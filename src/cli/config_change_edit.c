/* `config edit`: a copy in an editor, checked before it takes the place of the file. */
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
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/config_change_priv.h"
#include "cli/editor.h"
#include "cli/text.h"
#include "client/client.h"
#include "config/config_file.h"

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
	int r = change_check(ch, text, &config);

	if (r == 0)
		r = keep_old(ch);
	if (r == 0)
		r = change_write(ch, text);
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
			return change_say(ch, false);
		}
		if (r == 0)
			r = install(ch, &text);
		if (r == 0) {
			(void)unlink(copy);
			r = change_say(ch, true);
			return r != 0 ? r : reload(ch);
		}
		if (r < 0) {
			(void)change_fail(ch, r);
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
		return change_fail(&ch, r);
	r = editor_file(&copy, "reeve-config", buf_head(&ch.old), buf_len(&ch.old));
	return r < 0 ? change_fail(&ch, r) : edit_copy(&ch, copy);
}
