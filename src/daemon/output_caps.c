#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/output_caps.h"
#include "daemon/outputs.h"

static const rv_time look_first = RV_MS(50), look_last = RV_SEC(1);

/* one file of one run */
struct cap {
	struct output_caps *oc;
	int fd; /* the run's output_file's */
	int wd; /* -1: none */
	int64_t max;
	int64_t last_size;
	rv_time last_look;
	rv_timer timer;
};

struct run_caps {
	struct cap cap[2];
};

struct output_caps {
	struct core *core;
	rv_loop *loop;
	int inotify;
	rv_watch *watch;
	struct hashmap *by_wd; /* wd + 1 -> struct cap */
};

/* keeps max bytes at the end; whole blocks go */
static void cut(int fd, int64_t max, int64_t size)
{
	struct stat st;
	int64_t block, end;

	if (size <= max || fstat(fd, &st) < 0)
		return;
	block = st.st_blksize > 0 ? st.st_blksize : 4096;
	end = (size - max) / block * block;
	if (end > 0 &&
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, end) < 0)
		log_at(LOG_DEBUG, "output", "cannot punch: %s", rv_strerror(errno));
}

static int arm(struct cap *c)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->fd);
	c->wd = inotify_add_watch(c->oc->inotify, path, IN_MODIFY | IN_ONESHOT);
	if (c->wd < 0)
		return -errno;
	return hashmap_put_u64(c->oc->by_wd, (uint64_t)c->wd + 1, c);
}

static int64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_size;
}

/* It grew lately: cut it, and look again when at this pace a tenth of the limit is new. */
static void look(void *arg)
{
	struct cap *c = arg;
	rv_time now = rv_loop_time(c->oc->loop), delay = look_last;
	int64_t size = size_of(c->fd), grown = size - c->last_size;

	cut(c->fd, c->max, size);
	if (grown == 0) {
		/* quiet: the next write tells. Growth between the look and the watch is seen
		 * by looking once more. */
		if (arm(c) >= 0 && size_of(c->fd) == size)
			return;
	} else {
		rv_time took = MAX(now - c->last_look, RV_MS(1));
		double per_ns = (double)grown / (double)took;

		delay = (rv_time)MIN((double)c->max / 10 / per_ns, (double)look_last);
	}
	c->last_size = size;
	c->last_look = now;
	rv_timer_start(&c->timer, now + MAX(delay, look_first));
}

static void on_event(int fd, unsigned ev, void *arg)
{
	struct output_caps *oc = arg;
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buf + at);
			struct cap *c = NULL;

			at += (ssize_t)sizeof(*e) + e->len;
			if (e->mask & IN_MODIFY)
				c = hashmap_remove_u64(oc->by_wd, (uint64_t)e->wd + 1);
			if (!c)
				continue;
			c->wd = -1;
			c->last_look = rv_loop_time(oc->loop);
			rv_timer_start(&c->timer, c->last_look + look_first);
		}
	}
}

int output_caps_new(struct output_caps **ret, struct core *core, rv_loop *loop)
{
	struct output_caps *oc = calloc(1, sizeof(*oc));
	int r;

	if (!oc)
		return -ENOMEM;
	oc->core = core;
	oc->loop = loop;
	oc->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	r = oc->inotify < 0 ? -errno : hashmap_new(&oc->by_wd, HASHMAP_U64);
	if (r >= 0)
		r = rv_fd_watch(loop, oc->inotify, RV_READ, on_event, oc, &oc->watch);
	if (r < 0) {
		output_caps_free(oc);
		return r;
	}
	*ret = oc;
	return 0;
}

struct output_caps *output_caps_free(struct output_caps *oc)
{
	if (!oc)
		return NULL;
	rv_fd_unwatch(oc->watch);
	close_safe(oc->inotify);
	hashmap_free(oc->by_wd);
	free(oc);
	return NULL;
}

static int begin(
	struct output_caps *oc, struct cap *c, const struct output_file *f, int64_t max)
{
	int r;

	c->oc = oc;
	c->wd = -1;
	c->fd = f ? f->fd : -1;
	c->max = max;
	rv_timer_init(&c->timer, oc->loop, look, c);
	if (!f)
		return 0;
	r = arm(c);
	c->last_look = rv_loop_time(oc->loop);
	if (r >= 0 && size_of(c->fd) > 0) /* it wrote before anybody watched */
		rv_timer_start(&c->timer, c->last_look + look_first);
	return r;
}

int output_caps_watch(struct output_caps *oc, struct run *run)
{
	int64_t max = job_num(&run->spec, OUTPUT_MAX);
	int r;

	if (!run->out || max == INT64_MAX)
		return 0;
	run->caps = calloc(1, sizeof(*run->caps));
	if (!run->caps)
		return -ENOMEM;
	r = begin(oc, &run->caps->cap[0], run->out, max);
	if (r >= 0)
		r = begin(oc, &run->caps->cap[1], run->err, max);
	else
		run->caps->cap[1].fd = -1;
	if (r < 0)
		output_caps_unwatch(oc, run);
	return r;
}

void output_caps_unwatch(struct output_caps *oc, struct run *run)
{
	for (int i = 0; run->caps && i < 2; i++) {
		struct cap *c = &run->caps->cap[i];

		if (!c->oc)
			continue;
		rv_timer_stop(&c->timer);
		if (c->wd >= 0) {
			hashmap_remove_u64(oc->by_wd, (uint64_t)c->wd + 1);
			inotify_rm_watch(oc->inotify, c->wd);
		}
	}
	free(run->caps);
	run->caps = NULL;
}

void output_caps_settle(struct run *run)
{
	int64_t max = job_num(&run->spec, OUTPUT_MAX);

	if (max == INT64_MAX)
		return;
	if (run->out)
		cut(run->out->fd, max, size_of(run->out->fd));
	if (run->err)
		cut(run->err->fd, max, size_of(run->err->fd));
}
