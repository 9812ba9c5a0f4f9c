#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/job_counts.h"
#include "store/store.h"

static int count(const struct store_job *rec, void *arg)
{
	uint64_t *n = arg;

	n[rec->state]++;
	return 0;
}

/* Where there is no database none is made: looking must leave nothing behind. */
static int read_counts(int dir_fd, uint64_t *n)
{
	static const struct store_load_ops ops = {.job = count};
	_cleanup_(store_closep) struct store *st = NULL;
	_cleanup_free_ char *message = NULL;
	int r;

	if (faccessat(dir_fd, "reeve.db", F_OK, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = store_open_sqlite(&st, dir_fd, STORE_DURABILITY_FULL, &message);
	if (r >= 0)
		r = store_load(st, &ops, n);
	if (r < 0)
		log_at(LOG_ERR, "store", "%s", message ? message : rv_strerror(r));
	return r;
}

int job_counts_print(const char *state_dir)
{
	_cleanup_close_ int dir_fd = -1, lock_fd = -1;
	uint64_t n[JOB_STATE_N] = {0};

	dir_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 && errno != ENOENT) {
		log_at(LOG_ERR, "state", "cannot open '%s': %s", state_dir,
			rv_strerror(-errno));
		return EXIT_FAILURE;
	}
	if (dir_fd >= 0) {
		/* one process has the store at a time, and it is no business of ours
		 * while that is a daemon */
		lock_fd = openat(dir_fd, "reeved.lock", O_RDWR | O_CLOEXEC);
		if (lock_fd >= 0 && flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
			log_at(LOG_ERR, "state",
				"a reeved has the state directory '%s'", state_dir);
			return EXIT_FAILURE;
		}
		if (read_counts(dir_fd, n) < 0)
			return EXIT_FAILURE;
	}
	for (int s = 0; s < JOB_STATE_N; s++)
		printf("%s\"%s\":%" PRIu64, s ? "," : "{", job_state_name[s], n[s]);
	puts("}");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
