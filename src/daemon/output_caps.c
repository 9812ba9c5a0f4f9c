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
#include "base/list.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/core.h"
#include "daemon/output_caps.h"
#include "daemon/outputs.h"
#include "daemon/retention.h"
#include "reeve/executor.h"
#include "reeve/scope.h"
#include "reeve/sync.h"

static const rv_time look_first = RV_MS(50), look_last = RV_SEC(1);

/* one file of one run */
struct cap {
	struct list link; /* in output_caps.due when it is to be looked at */
	struct list all;
	struct output_caps *oc;
	int fd; /* the run's output_file's */
	int wd; /* -1: none, or it has told */
	int64_t max;
	int64_t share; /* what it may have on disk now; INT64_MAX: nobody said */
	int64_t disk;  /* bytes that it has there, as counted in output_caps.total */
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
	struct list due;       /* of struct cap.link */
	struct list all;       /* of struct cap.all */
	int64_t total;         /* bytes on disk of all of them */
	struct cap *cutting;   /* a worker is at it; NULL: its run is over, or none */
	rv_event work;         /* for output_caps_main */
	int told;              /* the error that was logged last */
};

/* what a worker does; the descriptor is its own where the run may end meanwhile */
struct cut {
	int fd;
	int64_t max, size;
};

/* keeps max bytes at the end; whole blocks go */
static int cut_in_worker(void *arg)
{
	const struct cut *w = arg;
	struct stat st;
	int64_t block, end;

	if (fstat(w->fd, &st) < 0)
		return -errno;
	block = st.st_blksize > 0 ? st.st_blksize : 4096;
	end = (w->size - w->max) / block * block;
	if (end > 0 && fallocate(w->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       end) < 0)
		return -errno;
	return 0;
}

/* once for each kind of failure: it is the file system's, and every run will meet it */
static void tell(struct output_caps *oc, int error)
{
	if (error < 0 && error != -ECANCELED && error != oc->told) {
		log_at(LOG_WARNING, "output",
			"cannot cut output in '%s' to output-max: %s; it may grow over "
			"that",
			oc->core->state_dir, rv_strerror(error));
		oc->told = error;
	}
}

static int arm(struct cap *c)
{
	char path[32];

	if (c->wd >= 0)
		return 0; /* it has told nothing yet */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->fd);
	c->wd = inotify_add_watch(c->oc->inotify, path, IN_MODIFY | IN_ONESHOT);
	if (c->wd < 0)
		return -errno;
	if (hashmap_put_u64(c->oc->by_wd, (uint64_t)c->wd + 1, c) < 0) {
		inotify_rm_watch(c->oc->inotify, c->wd);
		c->wd = -1;
		return -ENOMEM;
	}
	return 0;
}

static int64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_size;
}

static void is_due(void *arg)
{
	struct cap *c = arg;

	list_append(&c->oc->due, &c->link);
	rv_event_set(&c->oc->work);
}

/* what all of them have on disk is part of the budget of all output */
static void count(struct output_caps *oc, struct cap *c)
{
	struct stat st;
	int64_t before = c->disk;

	if (fstat(c->fd, &st) < 0)
		return;
	c->disk = (int64_t)st.st_blocks * 512;
	oc->total += c->disk - before;
	if (c->disk > before)
		retention_output_grew(oc->core->retention);
}

/* It was looked at: again when at this pace a tenth of the limit is new. */
static void look_again(struct cap *c, int64_t size)
{
	rv_time now = rv_loop_time(c->oc->loop), delay = look_last;
	int64_t grown = size - c->last_size;

	if (grown == 0) {
		/* quiet: the next write tells. Growth between the look and the watch is seen
		 * by looking once more. */
		if (arm(c) >= 0 && size_of(c->fd) == size)
			return;
	} else {
		rv_time took = MAX(now - c->last_look, RV_MS(1));
		double per_ns = (double)grown / (double)took;

		int64_t limit =
			MIN(c->max, config_num(c->oc->core->config, OUTPUT_TOTAL_MAX));

		delay = (rv_time)MIN((double)limit / 10 / per_ns, (double)look_last);
	}
	c->last_size = size;
	c->last_look = now;
	rv_timer_start(&c->timer, now + MAX(delay, look_first));
}

/* 0, -ECANCELED. The run may end meanwhile, and the cap with it. */
static int look(struct output_caps *oc, struct cap *c)
{
	struct cut w = {.fd = -1, .max = MIN(c->max, c->share), .size = size_of(c->fd)};
	int r = 0;

	c->share = INT64_MAX;

	oc->cutting = c;
	if (w.size > w.max) {
		w.fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);
		r = w.fd < 0 ? -errno
			     : rv_run_blocking(oc->core->io, cut_in_worker, &w);
		close_safe(w.fd);
		tell(oc, r);
	}
	if (r != -ECANCELED && oc->cutting) {
		count(oc, oc->cutting);
		look_again(oc->cutting, w.size);
	}
	oc->cutting = NULL;
	return r == -ECANCELED ? r : 0;
}

int output_caps_main(void *arg)
{
	struct output_caps *oc = arg;

	for (;;) {
		struct list *node = list_pop(&oc->due);
		int r;

		if (node) {
			r = look(oc, LIST_ENTRY(node, struct cap, link));
		} else {
			rv_event_clear(&oc->work);
			r = rv_event_wait(&oc->work);
		}
		if (r < 0)
			return r;
	}
}

/* A file grew, if not looked at already. */
static void look_soon(struct cap *c)
{
	struct output_caps *oc = c->oc;

	c->wd = -1;
	if (list_is_linked(&c->link) || c == oc->cutting)
		return; /* it is being looked at */
	c->last_look = rv_loop_time(oc->loop);
	rv_timer_start(&c->timer, c->last_look + look_first);
}

/* Events were lost: any file may have grown, and its watch be used up. */
static void look_at_all(struct output_caps *oc)
{
	struct cap *c;

	HASHMAP_FOREACH(c, oc->by_wd) {
		hashmap_remove_u64(oc->by_wd, (uint64_t)c->wd + 1);
		inotify_rm_watch(oc->inotify, c->wd);
		look_soon(c);
	}
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
			if (e->mask & IN_Q_OVERFLOW)
				look_at_all(oc);
			if (e->mask & IN_MODIFY)
				c = hashmap_remove_u64(oc->by_wd, (uint64_t)e->wd + 1);
			if (c)
				look_soon(c);
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
	list_init(&oc->due);
	list_init(&oc->all);
	rv_event_init(&oc->work);
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

static void begin(
	struct output_caps *oc, struct cap *c, const struct output_file *f, int64_t max)
{
	c->oc = oc;
	c->wd = -1;
	c->fd = f ? f->fd : -1;
	c->max = max;
	c->share = INT64_MAX;
	list_init(&c->link);
	rv_timer_init(&c->timer, oc->loop, is_due, c);
	if (!f)
		return;
	list_append(&oc->all, &c->all);
	c->last_look = rv_loop_time(oc->loop);
	/* the kernel has no room for a watch, or it wrote before anybody watched */
	if (arm(c) < 0 || size_of(c->fd) > 0)
		rv_timer_start(&c->timer, c->last_look + look_first);
}

int output_caps_watch(struct output_caps *oc, struct run *run)
{
	int64_t max = job_num(&run->spec, OUTPUT_MAX);

	/* without a limit of its own, too: it counts in the budget of all */
	if (!run->out)
		return 0;
	run->caps = calloc(1, sizeof(*run->caps));
	if (!run->caps)
		return -ENOMEM;
	begin(oc, &run->caps->cap[0], run->out, max);
	begin(oc, &run->caps->cap[1], run->err, max);
	return 0;
}

void output_caps_unwatch(struct output_caps *oc, struct run *run)
{
	for (int i = 0; run->caps && i < 2; i++) {
		struct cap *c = &run->caps->cap[i];

		if (!c->oc)
			continue;
		rv_timer_stop(&c->timer);
		list_remove(&c->link);
		list_remove(&c->all);
		oc->total -= c->disk;
		if (oc->cutting == c)
			oc->cutting = NULL;
		if (c->wd >= 0) {
			hashmap_remove_u64(oc->by_wd, (uint64_t)c->wd + 1);
			inotify_rm_watch(oc->inotify, c->wd);
		}
	}
	free(run->caps);
	run->caps = NULL;
}

int64_t output_caps_total(const struct output_caps *oc)
{
	return oc->total;
}

/* what all have together if none has more than share */
static int64_t total_with(const struct output_caps *oc, int64_t share)
{
	int64_t total = 0;

	LIST_FOREACH(it, &oc->all)
		total += MIN(LIST_ENTRY(it, struct cap, all)->disk, share);
	return total;
}

void output_caps_squeeze(struct output_caps *oc, int64_t bytes)
{
	int64_t low = 0, high = MAX(bytes, INT64_C(0));

	/* the largest share with which they come down to that */
	while (low < high) {
		int64_t share = low + (high - low + 1) / 2;

		if (total_with(oc, share) <= bytes)
			low = share;
		else
			high = share - 1;
	}
	LIST_FOREACH(it, &oc->all) {
		struct cap *c = LIST_ENTRY(it, struct cap, all);

		if (c->disk <= low || c == oc->cutting)
			continue;
		c->share = low;
		if (!list_is_linked(&c->link))
			list_append(&oc->due, &c->link);
	}
	rv_event_set(&oc->work);
}

static void settle(struct run *run, const struct output_file *f)
{
	struct cut w = {.max = job_num(&run->spec, OUTPUT_MAX)};
	rv_scope shield;
	int r;

	if (!f || (w.size = size_of(f->fd)) <= w.max)
		return;
	w.fd = f->fd;
	rv_scope_enter(&shield, RV_SCOPE_SHIELD, RV_FOREVER);
	r = rv_run_blocking(run->core->io, cut_in_worker, &w);
	rv_scope_exit(&shield, 0);
	tell(run->core->caps, r);
}

void output_caps_settle(struct run *run)
{
	settle(run, run->out);
	settle(run, run->err);
}
