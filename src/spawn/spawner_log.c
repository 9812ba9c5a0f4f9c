/* The spawner's log; see spawner_log.h. */
#include "config.h"

#include "spawn/spawner_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "spawn/spawn.h"

static char *log_path; /* NULL: descriptor 2 is somebody else's, and not cut */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the file behind 2 */

static int reopen(void)
{
	int fd = open(
		log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = 0;

	if (fd < 0)
		return -errno;
	/* not close-on-exec at 2: children replace it before they do anything */
	if (dup2(fd, 2) < 0)
		r = -errno;
	close_safe(fd);
	return r;
}

static void rotate(void)
{
	_cleanup_(buf_deinitp) struct buf old = BUF_NULL;
	struct stat st;

	if (fstat(2, &st) < 0 || st.st_size < SPAWNER_LOG_MAX)
		return;
	if (buf_printf(&old, "%s.old%c", log_path, '\0') < 0 ||
		rename(log_path, buf_head(&old)) < 0 || reopen() < 0)
		(void)!ftruncate(2, 0); /* bounded comes before kept */
}

static void sink(int level, const char *area, const char *text, void *arg)
{
	char line[1024], when[32] = "";
	time_t now = (time_t)(clock_wall_usec(&clock_system) / USEC_PER_SEC);
	struct tm tm;
	int n;

	if (gmtime_r(&now, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	n = snprintf(line, sizeof(line), "%s reeve-spawner[%d]: %s\n", when,
		(int)getpid(), text);
	if (n >= (int)sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	pthread_mutex_lock(&lock);
	if (log_path)
		rotate();
	(void)!write(2, line, (size_t)n);
	pthread_mutex_unlock(&lock);
}

void spawner_log_begin(void)
{
	log_set_sink(sink, NULL);
	log_set_level(LOG_NOTICE);
}

int spawner_log_open(const char *state_dir)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL;
	size_t n;
	int r;

	r = buf_printf(&path, "%s/" SPAWN_LOG_NAME, state_dir);
	if (r < 0)
		return r;
	free(log_path);
	log_path = buf_steal_str(&path, &n);
	return log_path ? reopen() : -ENOMEM;
}
