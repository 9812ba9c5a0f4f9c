#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/outputs.h"
#include "reeve/executor.h"
#include "reeve/sync.h"

enum {
	READY_LOW = 16, /* fewer ready files than this: make more */
	READY_HIGH = 32,
	/* What comes back unused is kept up to here: starts and ends come by the dozen,
	 * and what one takes away the other would have to make anew. */
	READY_MAX = 96,
	MADE_MAX =
		128,  /* in one call of the worker; so many starts go on at once then */
	BUCKETS = 64, /* folders, so that none gets too large */
	/* in one call of the worker, so that many do not keep a start from its file */
	REMOVALS_MAX = 64,
};

struct outputs {
	struct core *core;
	struct list ready; /* of struct output_file, empty and open */
	size_t n_ready;
	struct list
		waiting; /* of struct taker, while none is ready; who came first is first */
	size_t n_waiting;
	struct buf removals; /* names to unlink, each ended by NUL */
	uint64_t n_made;     /* in this epoch */
	rv_event work;       /* for outputs_main */
	int error;           /* of the last attempt to make files */
	int64_t total;
};

/* One that waits for a file. It gets its own: were all woken for each few that come, a
 * thousand starts at once would cost as many wake-ups as their square. */
struct taker {
	struct list link;
	rv_event told;
	struct output_file *file;
	int error;
};

int outputs_new(struct outputs **ret, struct core *core)
{
	struct outputs *os = calloc(1, sizeof(*os));
	int r;

	if (!os)
		return -ENOMEM;
	os->core = core;
	list_init(&os->ready);
	list_init(&os->waiting);
	rv_event_init(&os->work);
	/* What the kernel sends us when somebody opens a file while we hold its lease: a
	 * backup, or one of our workers. Its default ends the process. */
	signal(SIGIO, SIG_IGN);
	for (int i = 0; i < BUCKETS; i++) {
		char dir[16];

		snprintf(dir, sizeof(dir), "output/%02x", (unsigned)i);
		r = mkdir_all(core->state_fd, dir, 0700);
		if (r < 0) {
			free(os);
			return r;
		}
	}
	rv_event_set(&os->work);
	*ret = os;
	return 0;
}

static struct output_file *file_free(struct output_file *f)
{
	if (f)
		close_safe(f->fd);
	free(f);
	return NULL;
}

/* up to n of the names, which are gone from the list then */
static void remove_named(int state_fd, struct buf *names, size_t n)
{
	for (; n > 0 && buf_len(names) > 0; n--) {
		const char *name = buf_head(names);

		/* gone already is as good */
		if (unlinkat(state_fd, name, 0) < 0 && errno != ENOENT)
			log_at(LOG_WARNING, "output",
				"cannot remove '%s': %s, ignoring", name,
				rv_strerror(errno));
		buf_consume(names, strlen(name) + 1);
	}
}

struct outputs *outputs_free(struct outputs *os)
{
	struct list *node;

	if (!os)
		return NULL;
	while ((node = list_pop(&os->ready))) {
		struct output_file *f = LIST_ENTRY(node, struct output_file, link);

		unlinkat(os->core->state_fd, f->name, 0);
		file_free(f);
	}
	remove_named(os->core->state_fd, &os->removals, SIZE_MAX);
	buf_deinit(&os->removals);
	free(os);
	return NULL;
}

/* ---- in a worker -------------------------------------------------------------------- */

struct work {
	int state_fd;
	struct list made; /* of struct output_file, named; fd is filled in */
	struct buf removals;
	int error;
};

static int do_work(void *arg)
{
	struct work *w = arg;

	LIST_FOREACH(node, &w->made) {
		struct output_file *f = LIST_ENTRY(node, struct output_file, link);

		f->fd = openat(w->state_fd, f->name,
			O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (f->fd < 0) {
			w->error = -errno;
			break;
		}
	}
	remove_named(w->state_fd, &w->removals, REMOVALS_MAX);
	return 0;
}

/* ---- on the loop -------------------------------------------------------------------- */

static struct taker *next_taker(struct outputs *os)
{
	struct list *node = list_pop(&os->waiting);

	if (!node)
		return NULL;
	os->n_waiting--;
	return LIST_ENTRY(node, struct taker, link);
}

/* to who waits for one, or to those that are ready */
static void put_ready(struct outputs *os, struct output_file *f)
{
	struct taker *t = next_taker(os);

	if (t) {
		t->file = f;
		rv_event_set(&t->told);
		return;
	}
	list_prepend(&os->ready, &f->link);
	os->n_ready++;
}

static void fail_takers(struct outputs *os)
{
	struct taker *t;

	while ((t = next_taker(os))) {
		t->error = os->error;
		rv_event_set(&t->told);
	}
}

/* as many as are wanted, or as there is memory for */
static void name_files(struct outputs *os, struct work *w)
{
	size_t wanted = MIN(READY_HIGH + os->n_waiting, os->n_ready + MADE_MAX);

	for (size_t n = os->n_ready; n < wanted; n++) {
		struct output_file *f = calloc(1, sizeof(*f));

		if (!f)
			return;
		f->fd = -1;
		os->n_made++;
		snprintf(f->name, sizeof(f->name), "output/%02x/%" PRIx64 "-%" PRIx64,
			(unsigned)(os->n_made % BUCKETS), os->core->epoch, os->n_made);
		list_append(&w->made, &f->link);
	}
}

static void take_made(struct outputs *os, struct work *w)
{
	struct list *node;

	while ((node = list_pop(&w->made))) {
		struct output_file *f = LIST_ENTRY(node, struct output_file, link);

		if (f->fd < 0) {
			file_free(f);
			continue;
		}
		put_ready(os, f);
	}
	if (w->error != os->error && w->error < 0)
		log_at(LOG_ERR, "output", "cannot make output files in '%s': %s",
			os->core->state_dir, rv_strerror(w->error));
	os->error = w->error;
	if (os->error < 0)
		fail_takers(os);
	else if (os->n_waiting > 0)
		rv_event_set(&os->work);
}

/* What was not removed yet comes before what was named meanwhile. */
static void keep_removals(struct outputs *os, struct work *w)
{
	if (buf_len(&w->removals) > 0) {
		if (buf_append(&w->removals, buf_head(&os->removals),
			    buf_len(&os->removals)) < 0)
			log_at(LOG_WARNING, "output",
				"out of memory: some files stay until the next start");
		buf_deinit(&os->removals);
		os->removals = w->removals;
		rv_event_set(&os->work);
		return;
	}
	buf_deinit(&w->removals);
}

int outputs_main(void *arg)
{
	struct outputs *os = arg;

	for (;;) {
		struct work w = {.state_fd = os->core->state_fd};
		int r = rv_event_wait(&os->work);

		if (r < 0)
			return r;
		rv_event_clear(&os->work);
		list_init(&w.made);
		name_files(os, &w);
		if (list_is_empty(&w.made) && os->n_ready == 0)
			w.error = -ENOMEM;
		w.removals = os->removals;
		os->removals = (struct buf)BUF_NULL;
		r = rv_run_blocking(os->core->io, do_work, &w);
		if (r < 0) /* it did not run */
			w.error = r;
		keep_removals(os, &w);
		take_made(os, &w);
		if (r == -ECANCELED)
			return r;
	}
}

/* 0; the error of making files, -ECANCELED */
static int wait_for_file(struct outputs *os, struct output_file **ret)
{
	struct taker t = {.file = NULL};
	int r = 0;

	rv_event_init(&t.told);
	list_append(&os->waiting, &t.link);
	os->n_waiting++;
	while (r >= 0 && !t.file && t.error >= 0)
		r = rv_event_wait(&t.told);
	if (r < 0 && t.file)
		put_ready(os, TAKE_PTR(t.file)); /* cancelled in the moment it came */
	if (list_is_linked(&t.link)) {
		list_remove(&t.link);
		os->n_waiting--;
	}
	*ret = t.file;
	return r < 0 ? r : t.error;
}

int outputs_take(struct outputs *os, struct output_file **ret)
{
	struct list *node;

	if (os->n_ready < READY_LOW)
		rv_event_set(&os->work);
	node = list_pop(&os->ready);
	if (!node)
		return wait_for_file(os, ret);
	os->n_ready--;
	*ret = LIST_ENTRY(node, struct output_file, link);
	return 0;
}

int outputs_open_for_run(const struct output_file *f)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Only where the kernel grants a write lease nobody else has the file open: a process that
 * outlived its run would go on writing into the next one's output. */
static bool is_ours_alone(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		return false;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return true;
}

int64_t outputs_finish(struct outputs *os, struct output_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		st.st_size = 0;
	if (st.st_size > 0) {
		int64_t bytes = (int64_t)st.st_blocks * 512;

		file_free(f);
		return bytes > 0 ? bytes : 1;
	}
	if (os->n_ready < READY_MAX && is_ours_alone(f->fd)) {
		put_ready(os, f);
		return 0;
	}
	outputs_remove(os, f->name);
	file_free(f);
	return 0;
}

void outputs_detach(struct output_file *f)
{
	file_free(f);
}

int outputs_adopt(struct outputs *os, struct output_file **ret, const char *name)
{
	struct output_file *f = calloc(1, sizeof(*f));
	struct stat st;
	int r;

	if (!f)
		return -ENOMEM;
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->fd = openat(
		os->core->state_fd, name, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0) {
		r = -errno;
		free(f);
		return r;
	}
	/* the sweep counted it; it is counted again when the run ends */
	if (fstat(f->fd, &st) == 0)
		outputs_account(os, -(int64_t)st.st_blocks * 512);
	*ret = f;
	return 0;
}

void outputs_remove(struct outputs *os, const char *name)
{
	if (buf_append(&os->removals, name, strlen(name) + 1) < 0)
		log_at(LOG_WARNING, "output",
			"out of memory: '%s' stays until the next start", name);
	rv_event_set(&os->work);
}

void outputs_account(struct outputs *os, int64_t bytes)
{
	os->total = MAX(os->total + bytes, 0);
}

int64_t outputs_total(const struct outputs *os)
{
	return os->total;
}

static int sweep_bucket(struct outputs *os, const char *dir,
	bool (*is_known)(const char *name, void *arg), void *arg)
{
	_cleanup_(closedirp) DIR *d = NULL;
	int fd, n = 0;

	fd = openat(os->core->state_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		close_safe(fd);
		return -errno;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char name[sizeof("output/00/") + NAME_MAX];
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		if (!is_known(name, arg)) {
			unlinkat(os->core->state_fd, name, 0);
			n++;
		} else if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			os->total += (int64_t)st.st_blocks * 512;
		}
	}
	return n;
}

int outputs_sweep(
	struct outputs *os, bool (*is_known)(const char *name, void *arg), void *arg)
{
	int n = 0;

	for (int i = 0; i < BUCKETS; i++) {
		char dir[16];
		int r;

		snprintf(dir, sizeof(dir), "output/%02x", (unsigned)i);
		r = sweep_bucket(os, dir, is_known, arg);
		if (r < 0)
			return r;
		n += r;
	}
	return n;
}
