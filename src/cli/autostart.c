#include "config.h"

#include "cli/autostart.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "cli/cli.h"
#include "cli/program.h"
#include "cli/start.h"
#include "cli/systemd.h"
#include "cli/text.h"
#include "client/client.h"

static char *mark_path(const char *state_dir, const char *name)
{
	return text_printf("%s/%s", state_dir, name);
}

static bool mark_is_set(const char *state_dir, const char *name)
{
	_cleanup_free_ char *path = mark_path(state_dir, name);

	return path && access(path, F_OK) == 0;
}

static void mark_set(const char *state_dir, const char *name)
{
	_cleanup_free_ char *path = mark_path(state_dir, name);
	_cleanup_close_ int fd = -1;

	if (path)
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void stopped_mark_set(const char *state_dir)
{
	mark_set(state_dir, "stopped");
}

void stopped_mark_clear(const char *state_dir)
{
	_cleanup_free_ char *path = mark_path(state_dir, "stopped");

	if (path)
		unlink(path);
}

bool stopped_mark_is_set(const char *state_dir)
{
	return mark_is_set(state_dir, "stopped");
}

void linger_tell_once(const struct cli *c, const char *state_dir)
{
	const struct passwd *pw = getpwuid(geteuid());
	_cleanup_free_ char *linger = NULL;

	/* without logind nobody ends what a logout leaves behind */
	if (!pw || access("/run/systemd/seats", F_OK) < 0)
		return;
	linger = text_printf("/var/lib/systemd/linger/%s", pw->pw_name);
	if (!linger || access(linger, F_OK) == 0 ||
		mark_is_set(state_dir, "linger-told"))
		return;
	mark_set(state_dir, "linger-told");
	cli_note(c, "jobs end when you log out, and nothing starts at boot; "
		    "`loginctl enable-linger` changes that (this is said once)");
}

/* "3 queued, 1 held" from the daemon's own reading of its state directory; NULL where
 * that tells nothing */
static char *queued_text(const struct target *t)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	_cleanup_free_ char *text = NULL, *program = NULL;
	_cleanup_json_ json_t *counts = NULL;
	const char *state;
	json_t *n;

	if (!t->state_dir || access(t->state_dir, F_OK) < 0 ||
		program_find(&program, "reeved") < 0)
		return NULL;
	/* The store is the daemon's: only it knows how to read one. */
	text = program_output((const char *const[]){
		program, "--job-counts", "--state-dir", t->state_dir, NULL});
	counts = text ? json_loads(text, 0, NULL) : NULL;
	json_object_foreach(counts, state, n)
	{
		if (STREQ(state, "finished") || json_integer_value(n) <= 0)
			continue;
		if (buf_printf(&out, "%s%" PRId64 " %s", buf_len(&out) ? ", " : "",
			    (int64_t)json_integer_value(n), state) < 0)
			return NULL;
	}
	return buf_len(&out) ? buf_steal_str(&out, NULL) : NULL;
}

int autostart_not_running(const struct cli *c)
{
	_cleanup_free_ char *queued = queued_text(&c->target);

	return cli_fail(c, CLI_EXIT_NO_DAEMON,
		"the daemon is not running (%s, %s)%s%s; to start it: reeve daemon "
		"start",
		c->target.socket, target_reason_text(&c->target),
		queued ? "; in its state: " : "", queued ? queued : "");
}

int start_fail(const struct cli *c, int r, const char *err)
{
	const char *end = err ? strchr(err, '\n') : NULL;
	int code;

	if (!end || c->json)
		return cli_fail(c, CLI_EXIT_NO_DAEMON, "cannot start the daemon: %s",
			err ? err : rv_strerror(r));
	/* all that is wrong with a configuration, a line for each */
	code = cli_fail(c, CLI_EXIT_NO_DAEMON, "cannot start the daemon:");
	for (; end; err = end + 1, end = strchr(err, '\n'))
		cli_note(c, "%.*s", (int)(end - err), err);
	cli_note(c, "%s", err);
	return code;
}

/* Why no daemon may be started; NULL: it may */
static const char *forbidden(const struct target *t)
{
	const char *wanted = getenv("REEVE_AUTOSTART");

	if (!target_is_default(t))
		return "none is started for a named socket";
	if (geteuid() == 0 || t->mode == PATHS_SYSTEM)
		return geteuid() == 0 && t->mode == PATHS_USER
			       ? "root has to start it: reeve --user daemon start"
			       : "root has to start it: reeve daemon start";
	if (wanted && STREQ(wanted, "0"))
		return "REEVE_AUTOSTART=0 forbids to start one";
	if (stopped_mark_is_set(t->state_dir))
		return "it was stopped; `reeve daemon start` starts it";
	return NULL;
}

int autostart(const struct cli *c, struct client **ret)
{
	const struct target *t = &c->target;
	const char *why_not = forbidden(t);
	_cleanup_free_ char *err = NULL;
	int r;

	if (why_not)
		return cli_fail(c, CLI_EXIT_NO_DAEMON,
			"the daemon is not running (%s): %s", t->socket, why_not);
	r = systemd_start(t->mode);
	if (r == -ENOENT)
		r = start_daemon(&(struct start_request){.mode = t->mode,
					 .socket = t->socket,
					 .state_dir = t->state_dir},
			&err);
	if (r < 0)
		return start_fail(c, r, err);
	if (r == 0)
		linger_tell_once(c, t->state_dir);
	r = client_open(ret, t->socket, CLI_CONNECT_TIMEOUT);
	if (r < 0)
		return cli_fail_errno(c, r, "cannot connect to %s", t->socket);
	return 0;
}
