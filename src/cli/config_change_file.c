#include "config.h"

#include "cli/config_change_priv.h"

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
#include "cli/config_check.h"
#include "cli/text.h"
#include "config/config_file.h"

/* the file that holds what is set by command */
#define LOCAL_FILE "90-local.conf"

void change_deinit(struct change *ch)
{
	config_paths_deinit(&ch->paths);
	free(ch->path);
	buf_deinit(&ch->old);
}

int change_fail(const struct change *ch, int r)
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

int change_begin(struct change *ch, const struct cli *c, const char *verb)
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
	return r < 0 ? change_fail(ch, r) : 0;
}

int change_count_faults(struct change *ch, const struct buf *text, struct config **ret,
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

int change_check(struct change *ch, const struct buf *text, struct config **ret)
{
	_cleanup_(
		config_errors_deinitp) struct config_errors errors = CONFIG_ERRORS_NULL,
							    old_errors =
								    CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *old = NULL;
	int n = change_count_faults(ch, text, ret, &errors), n_old = 0;

	if (n > 0)
		n_old = change_count_faults(ch, &ch->old, &old, &old_errors);
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

int change_write(const struct change *ch, const struct buf *text)
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

int change_say(const struct change *ch, bool changed)
{
	_cleanup_json_ json_t *o = NULL;

	if (!ch->c->json) {
		puts(changed ? "changed" : "unchanged");
		return CLI_EXIT_OK;
	}
	o = json_pack("{s:b, s:s}", "changed", changed, "file", ch->path);
	if (!o)
		return change_fail(ch, -ENOMEM);
	json_print(stdout, o, false);
	return CLI_EXIT_OK;
}
