#include "config.h"

#include "cli/daemon_stop.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "client/client.h"

/* readable at the end of the process; -errno */
static int open_pidfd(pid_t pid)
{
	int fd;

	if (pid <= 1)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

static int await(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int daemon_stop(const struct cli *c, struct client *client, pid_t pid, const char *mode)
{
	_cleanup_json_ json_t *params = json_pack("{s:s*}", "mode", mode),
			      *reply = NULL;
	_cleanup_free_ char *error = NULL;
	_cleanup_close_ int pidfd = -1;
	int r;

	/* before it is asked: its pid is its own as long as it has not ended */
	pidfd = open_pidfd(pid);
	r = client_call(
		client, "io.reeve.Daemon.Stop", params, &reply, &error, RV_FOREVER);
	if (r > 0)
		return cli_fail_reply(c, error, reply);
	/* one that is quick may close before the answer is read: it stops all the same
	 */
	if (r < 0 && r != -ECONNRESET)
		return cli_fail_lost(c, r);
	r = await(pidfd >= 0 ? pidfd : client_fd(client));
	return r < 0 ? cli_fail_errno(c, r, "cannot wait for the daemon's end")
		     : CLI_EXIT_OK;
}
