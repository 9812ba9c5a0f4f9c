/*
 * pty [-w COLUMNS] COMMAND...: run a command whose stderr is a terminal.
 *
 * What it writes there comes to our stderr, as the terminal gets it. Its stdin and stdout are
 * ours. The terminal is its controlling one: an end of ours hangs it up.
 *
 * Exit status: the command's, 128+n for a signal; 125 when it could not be run.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "pty: %s: %s\n", what, strerror(errno));
	return 125;
}

static void run(int terminal, char **argv)
{
	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0 ||
		dup2(terminal, STDERR_FILENO) < 0)
		_exit(125);
	execvp(argv[0], argv);
	_exit(fail(argv[0]));
}

/* until nobody has the terminal open any more */
static int copy(int master)
{
	char text[4096];
	ssize_t n;

	while ((n = read(master, text, sizeof(text))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && write(STDERR_FILENO, text, (size_t)n) != n)
			return -1;
	return n < 0 && errno != EIO ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	int master, terminal, status, first = 1;
	pid_t pid;

	if (argc > 2 && strcmp(argv[1], "-w") == 0) {
		size.ws_col = (unsigned short)strtoul(argv[2], NULL, 10);
		first = 3;
	}
	if (first >= argc)
		return 125;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return fail("posix_openpt");
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0 || ioctl(terminal, TIOCSWINSZ, &size) < 0)
		return fail("terminal");
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (pid == 0)
		run(terminal, argv + first);
	close(terminal);
	if (copy(master) < 0)
		return fail("read");
	if (waitpid(pid, &status, 0) < 0)
		return fail("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
