#include "config.h"

#include "daemon/log_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/invariant.h"
#include "base/log.h"

static const rv_time look_every = RV_SEC(1);
enum { READS_MAX = 16 }; /* in one round of the loop */

/* a file with the watch that its followers share */
struct log_watched {
	int wd;
	struct list followers; /* of struct log_follower.link */
};

struct log_watch {
	rv_loop *loop;
	int inotify; /* -1: nobody has followed anything yet, or there was none to have */
	rv_watch *watch;
	struct hashmap *by_wd; /* wd + 1 -> struct log_watched */
	struct list unwatched; /* of struct log_follower.link */
	rv_timer timer;        /* runs while there are such */
	rv_timer more;         /* events were left to be read */
	int told;              /* the error that was logged last */
};

static void wake(struct list *followers)
{
	LIST_FOREACH(it, followers)
		rv_event_set(LIST_ENTRY(it, struct log_follower, link)->changed);
}

static void wake_unwatched(void *arg)
{
	struct log_watch *w = arg;

	wake(&w->unwatched);
	if (!list_is_empty(&w->unwatched))
		rv_timer_start(&w->timer, rv_loop_time(w->loop) + look_every);
}

static void follow_unwatched(struct log_watch *w, struct log_follower *f)
{
	f->of = NULL;
	list_append(&w->unwatched, &f->link);
	if (!rv_timer_active(&w->timer))
		rv_timer_start(&w->timer, rv_loop_time(w->loop) + look_every);
}

/* The kernel has let go of it (its file system is no more there). */
static void watch_is_gone(struct log_watch *w, struct log_watched *file)
{
	struct list *node;

	hashmap_remove_u64(w->by_wd, (uint64_t)file->wd + 1);
	wake(&file->followers);
	while ((node = list_pop(&file->followers)))
		follow_unwatched(w, LIST_ENTRY(node, struct log_follower, link));
	free(file);
}

static void take_event(struct log_watch *w, const struct inotify_event *e)
{
	struct log_watched *file;

	if (e->mask & IN_Q_OVERFLOW) { /* of whom it would have told is not known */
		HASHMAP_FOREACH(file, w->by_wd)
			wake(&file->followers);
		return;
	}
	/* the last word on a watch that was given up finds none: numbers are not used
	 * again before all others were */
	file = hashmap_get_u64(w->by_wd, (uint64_t)e->wd + 1);
	if (file && e->mask & IN_IGNORED)
		watch_is_gone(w, file);
	else if (file)
		wake(&file->followers);
}

/* true: more may be there */
static bool read_some(struct log_watch *w)
{
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n = read(w->inotify, buf, sizeof(buf));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);

		at += (ssize_t)sizeof(*e) + e->len;
		take_event(w, e);
	}
	return n > 0;
}

/* Jobs on many CPUs may write faster than we read: the rest is for the next round. */
static void read_events(void *arg)
{
	struct log_watch *w = arg;
	int n = 0;

	while (n < READS_MAX && read_some(w))
		n++;
	if (n == READS_MAX)
		rv_timer_start(&w->more, rv_loop_time(w->loop));
}

static void on_event(int fd, unsigned ev, void *arg)
{
	read_events(arg);
}

int log_watch_new(struct log_watch **ret, rv_loop *loop)
{
	struct log_watch *w = calloc(1, sizeof(*w));
	int r;

	INVARIANT(ret && loop);
	if (!w)
		return -ENOMEM;
	w->loop = loop;
	w->inotify = -1;
	list_init(&w->unwatched);
	rv_timer_init(&w->timer, loop, wake_unwatched, w);
	rv_timer_init(&w->more, loop, read_events, w);
	r = hashmap_new(&w->by_wd, HASHMAP_U64);
	if (r < 0) {
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct log_watch *log_watch_free(struct log_watch *w)
{
	if (!w)
		return NULL;
	INVARIANT(list_is_empty(&w->unwatched) && hashmap_size(w->by_wd) == 0);
	rv_timer_stop(&w->timer);
	rv_timer_stop(&w->more);
	rv_fd_unwatch(w->watch);
	close_safe(w->inotify);
	hashmap_free(w->by_wd);
	free(w);
	return NULL;
}

static int open_instance(struct log_watch *w)
{
	int r;

	if (w->inotify >= 0)
		return 0;
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->inotify < 0)
		return -errno;
	r = rv_fd_watch(w->loop, w->inotify, RV_READ, on_event, w, &w->watch);
	if (r < 0)
		w->inotify = close_safe(w->inotify);
	return r;
}

/* the watch descriptor: the same for all who follow one file; or negative */
static int add_watch(struct log_watch *w, int fd)
{
	char path[32];
	int r = open_instance(w);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = inotify_add_watch(w->inotify, path, IN_MODIFY);
	return r < 0 ? -errno : r;
}

/* once for each kind: every follower will meet it */
static void tell(struct log_watch *w, int error)
{
	if (error == w->told)
		return;
	log_at(LOG_WARNING, "logs",
		"output that is followed cannot be watched (%s; see "
		"fs.inotify.max_user_watches and max_user_instances), looking at it "
		"once a second",
		rv_strerror(error));
	w->told = error;
}

int log_watch_add(
	struct log_watch *w, struct log_follower *f, int fd, rv_event *changed)
{
	struct log_watched *file;
	int wd = add_watch(w, fd);

	INVARIANT(!list_is_linked(&f->link));
	f->changed = changed;
	if (wd < 0) {
		tell(w, wd);
		follow_unwatched(w, f);
		return 0;
	}
	file = hashmap_get_u64(w->by_wd, (uint64_t)wd + 1);
	if (!file) {
		file = calloc(1, sizeof(*file));
		if (!file || hashmap_put_u64(w->by_wd, (uint64_t)wd + 1, file) < 0) {
			inotify_rm_watch(w->inotify, wd);
			free(file);
			return -ENOMEM;
		}
		file->wd = wd;
		list_init(&file->followers);
	}
	f->of = file;
	list_append(&file->followers, &f->link);
	return 0;
}

void log_watch_remove(struct log_watch *w, struct log_follower *f)
{
	struct log_watched *file = TAKE_PTR(f->of);

	list_remove(&f->link);
	if (file && list_is_empty(&file->followers)) {
		inotify_rm_watch(w->inotify, file->wd);
		hashmap_remove_u64(w->by_wd, (uint64_t)file->wd + 1);
		free(file);
	}
	if (list_is_empty(&w->unwatched))
		rv_timer_stop(&w->timer);
}
