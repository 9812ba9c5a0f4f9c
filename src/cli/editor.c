#include "config.h"

#include "cli/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "cli/program.h"
#include "cli/text.h"

int editor_file(char **ret, const char *stem, const void *text, size_t n)
{
	const char *dir = getenv("TMPDIR");
	_cleanup_free_ char *path = text_printf(
		"%s/%s-XXXXXX.conf", dir && dir[0] == '/' ? dir : "/tmp", stem);
	_cleanup_close_ int fd = -1;
	int r;

	if (!path)
		return -ENOMEM;
	fd = mkostemps(path, 5, O_CLOEXEC); /* 0600, whatever the umask */
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, n);
	if (r < 0) {
		(void)unlink(path);
		return r;
	}
	*ret = TAKE_PTR(path);
	return 0;
}

static void ignore(int sig)
{
}

const char *editor_name(void)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return "vi";
}

/* A handler, unlike ignoring, is not passed on to the editor. */
int editor_run(const char *path)
{
	struct sigaction nothing = {.sa_handler = ignore}, interrupt, quit;
	_cleanup_free_ char *script = text_printf("%s \"$1\"", editor_name());
	const char *argv[] = {"/bin/sh", "-c", script, "sh", path, NULL};
	int r;

	if (!script)
		return -ENOMEM;
	sigaction(SIGINT, &nothing, &interrupt);
	sigaction(SIGQUIT, &nothing, &quit);
	r = program_run(argv, true);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return r;
}

bool editor_again(void)
{
	char line[64];

	fputs("Edit again? [Y/n] ", stderr);
	if (!fgets(line, sizeof(line), stdin)) {
		fputc('\n', stderr);
		return false; /* nobody is there to answer */
	}
	return line[0] == '\n' || line[0] == 'y' || line[0] == 'Y';
}
