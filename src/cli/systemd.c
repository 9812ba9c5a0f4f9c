#include "config.h"

#include "cli/systemd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/program.h"
#include "cli/text.h"

static const char *mode_option(enum paths_mode mode)
{
	return mode == PATHS_SYSTEM ? "--system" : "--user";
}

/* a manager runs; asking systemctl where none does takes its time */
static bool has_manager(enum paths_mode mode)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *path = NULL;

	if (mode == PATHS_SYSTEM)
		return access("/run/systemd/system", F_OK) == 0;
	path = runtime ? text_printf("%s/systemd/private", runtime) : NULL;
	return path && access(path, F_OK) == 0;
}

static int systemctl(enum paths_mode mode, const char *verb, const char *more)
{
	const char *const argv[] = {
		"systemctl", mode_option(mode), verb, "reeved.service", more, NULL};

	return program_run(argv, false) == 0 ? 0 : -EIO;
}

int systemd_start(enum paths_mode mode)
{
	if (!has_manager(mode) || systemctl(mode, "cat", NULL) < 0)
		return -ENOENT;
	return systemctl(mode, "start", NULL);
}

int systemd_owns(enum paths_mode mode, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	int64_t main_pid;

	if (pid <= 0 || !has_manager(mode))
		return 0;
	text = program_output((const char *const[]){"systemctl", mode_option(mode),
		"show", "-p", "MainPID", "--value", "reeved.service", NULL});
	if (!text)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return parse_i64(&main_pid, text, 1, INT32_MAX) == 0 && main_pid == pid;
}

int systemd_stop(enum paths_mode mode)
{
	/* the socket too: its next client would start the service again */
	return systemctl(mode, "stop", "reeved.socket");
}

int systemd_restart(enum paths_mode mode)
{
	return systemctl(mode, "restart", NULL);
}
