#include "config.h"

#include "daemon/own_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/log_watch.h"
#include "reeve/task.h"

/* between two looks at a file that grows */
static const rv_time look_every = RV_MS(100);

bool own_log_is_ours(int state_fd)
{
	struct stat ours, file;

	return fstat(STDERR_FILENO, &ours) == 0 && S_ISREG(ours.st_mode) &&
	       fstatat(state_fd, OWN_LOG_NAME, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == file.st_dev && ours.st_ino == file.st_ino;
}

/* fd is for writing only, as the log's is */
static int copy_end(int state_fd, int64_t size, int64_t max)
{
	_cleanup_close_ int from =
		openat(state_fd, OWN_LOG_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_close_ int to = openat(state_fd, OWN_LOG_NAME ".old",
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	off_t at = (off_t)MAX(size - max, 0);

	if (from < 0 || to < 0)
		return -errno;
	while (at < size) {
		ssize_t n =
			copy_file_range(from, &at, to, NULL, (size_t)(size - at), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
	}
	return 0;
}

int own_log_turn(int state_fd, int fd, int64_t max)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < max)
		return 0;
	r = copy_end(state_fd, st.st_size, max);
	if (ftruncate(fd, 0) < 0) /* bounded comes before kept */
		return -errno;
	return r < 0 ? r : 1;
}

static int turn_in_worker(void *arg)
{
	return own_log_turn(*(const int *)arg, STDERR_FILENO, OWN_LOG_MAX);
}

int own_log_main(void *arg)
{
	struct core *core = arg;
	struct log_follower f = {.of = NULL};
	rv_event changed;
	int r;

	if (!own_log_is_ours(core->state_fd))
		return 0;
	rv_event_init(&changed);
	r = log_watch_add(core->log_watch, &f, STDERR_FILENO, &changed);
	while (r >= 0) {
		rv_event_clear(&changed);
		r = rv_run_blocking(core->io, turn_in_worker, &core->state_fd);
		if (r > 0)
			log_at(LOG_NOTICE, "reeved",
				"the log had grown to %d KiB, what was in it is in "
				"'" OWN_LOG_NAME ".old'",
				OWN_LOG_MAX >> 10);
		if (r == -ECANCELED)
			break;
		/* any other error is of the copy: go on and keep it bounded */
		r = rv_event_wait(&changed);
		if (r >= 0)
			r = rv_sleep(look_every);
	}
	log_watch_remove(core->log_watch, &f);
	return r;
}
