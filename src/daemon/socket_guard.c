#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "daemon/control.h"
#include "daemon/socket_guard.h"

/* Whoever removes the socket removes its folder next: a socket that is back at once
 * would make that fail. */
static const rv_time patience = RV_MS(500);
/* where it cannot be bound for another reason than a folder that is not there */
enum { RETRY_SEC = 10 };

struct socket_guard {
	struct control *control;
	rv_loop *loop;
	rv_timer timer;
	rv_watch *watch;
	int inotify;
	char *path, *folder;
	mode_t mode;
	bool own_folder;
	bool gone; /* said so in the log */
	dev_t dev;
	ino_t ino;
};

static int make_folder(const struct socket_guard *g)
{
	mode_t mode = g->mode & 077 ? 0755 : 0700;

	if (mkdir(g->folder, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* a tight umask would shut out the users to whom the socket is open */
	return chmod(g->folder, mode) < 0 ? -errno : 0;
}

static int bind_it(struct socket_guard *g)
{
	struct stat st;
	int r;

	r = g->own_folder ? make_folder(g) : 0;
	if (r < 0)
		return r;
	r = control_bind(g->control, g->path, g->mode);
	if (r < 0)
		return r;
	if (lstat(g->path, &st) == 0) {
		g->dev = st.st_dev;
		g->ino = st.st_ino;
	}
	return 0;
}

static bool is_there(const struct socket_guard *g)
{
	struct stat st;

	return lstat(g->path, &st) == 0 && st.st_dev == g->dev && st.st_ino == g->ino;
}

static void file_event(int fd, unsigned ev, void *arg)
{
	struct socket_guard *g = arg;
	char events[4096] __attribute__((aligned(8)));

	while (read(fd, events, sizeof(events)) > 0)
		; /* only that there was one matters */
	rv_timer_start(&g->timer, rv_loop_time(g->loop) + patience);
}

/* The nearest folder that exists, so that the next one below it is seen to come. Such a
 * folder may be a busy one, but this lasts only until the socket is back. */
static int watch_folders(struct socket_guard *g)
{
	/* what leaves may be what stood in our place */
	const uint32_t mask =
		IN_CREATE | IN_DELETE | IN_MOVE | IN_DELETE_SELF | IN_MOVE_SELF;
	char path[PATH_MAX], below[PATH_MAX] = "";
	struct stat st;
	char *slash;

	if (strlen(g->folder) >= sizeof(path))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s", g->folder);
	for (;;) {
		if (inotify_add_watch(g->inotify, path, mask | IN_ONLYDIR) >= 0) {
			/* what came just before the watch made no event */
			if (below[0] && lstat(below, &st) == 0)
				rv_timer_start(
					&g->timer, rv_loop_time(g->loop) + patience);
			return 0;
		}
		slash = strrchr(path, '/');
		if (!slash || STREQ(path, "/"))
			return -ENOENT;
		memcpy(below, path, sizeof(below));
		slash[slash == path ? 1 : 0] = '\0';
	}
}

static int watch(struct socket_guard *g, bool bound)
{
	const uint32_t self = IN_DELETE_SELF | IN_MOVE_SELF;
	int r;

	rv_fd_unwatch(TAKE_PTR(g->watch));
	close_safe(g->inotify);
	g->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (g->inotify < 0)
		return -errno;
	r = rv_fd_watch(g->loop, g->inotify, RV_READ, file_event, g, &g->watch);
	if (r < 0)
		return r;
	if (!bound)
		return watch_folders(g);
	/* IN_ATTRIB: its last name is gone, though the socket lives as long as we do */
	if (inotify_add_watch(g->inotify, g->path, IN_ATTRIB | IN_DONT_FOLLOW | self) <
			0 ||
		inotify_add_watch(g->inotify, g->folder, self) < 0)
		return errno == ENOENT ? watch_folders(g) : -errno;
	if (!is_there(g))
		rv_timer_start(&g->timer, rv_loop_time(g->loop) + patience);
	return 0;
}

static void look(void *arg)
{
	struct socket_guard *g = arg;
	bool bound = is_there(g);
	int r = 0;

	if (!bound && !g->gone) {
		g->gone = true;
		log_at(LOG_WARNING, "control", "the socket '%s' was removed", g->path);
	}
	if (!bound) {
		control_unbind(g->control);
		r = bind_it(g);
		bound = r >= 0;
	}
	if (bound && g->gone) {
		g->gone = false;
		log_at(LOG_NOTICE, "control", "answering at '%s' again", g->path);
	} else if (!bound && r != -ENOENT) {
		log_at(LOG_ERR, "control",
			"cannot listen at '%s': %s; trying again in %d s", g->path,
			rv_strerror(r), RETRY_SEC);
		rv_timer_start(&g->timer, rv_loop_time(g->loop) + RV_SEC(RETRY_SEC));
	}
	r = watch(g, bound);
	if (r < 0)
		log_at(LOG_ERR, "control", "cannot watch '%s': %s", g->path,
			rv_strerror(r));
}

static int take_path(struct socket_guard *g, const char *path)
{
	char *slash;

	/* absolute, as the watch of the folders above it wants it */
	if (path[0] == '/') {
		g->path = strdup(path);
	} else {
		_cleanup_free_ char *cwd = getcwd(NULL, 0);

		if (!cwd)
			return -errno;
		if (asprintf(&g->path, "%s/%s", cwd, path) < 0)
			g->path = NULL;
	}
	g->folder = g->path ? strdup(g->path) : NULL;
	if (!g->folder)
		return -ENOMEM;
	slash = strrchr(g->folder, '/');
	slash[slash == g->folder ? 1 : 0] = '\0';
	return 0;
}

int socket_guard_new(struct socket_guard **ret, struct control *control, rv_loop *loop,
	const char *path, mode_t mode, bool own_folder)
{
	struct socket_guard *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->control = control;
	g->loop = loop;
	g->inotify = -1;
	g->mode = mode;
	g->own_folder = own_folder;
	rv_timer_init(&g->timer, loop, look, g);
	r = take_path(g, path);
	if (r >= 0)
		r = bind_it(g);
	if (r < 0) {
		socket_guard_free(g);
		return r;
	}
	r = watch(g, true);
	if (r < 0) /* works without: only a socket that vanishes stays away */
		log_at(LOG_WARNING, "control", "cannot watch '%s': %s; ignoring",
			g->path, rv_strerror(r));
	*ret = g;
	return 0;
}

struct socket_guard *socket_guard_free(struct socket_guard *g)
{
	if (!g)
		return NULL;
	rv_timer_stop(&g->timer);
	rv_fd_unwatch(g->watch);
	close_safe(g->inotify);
	free(g->path);
	free(g->folder);
	free(g);
	return NULL;
}
