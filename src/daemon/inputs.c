#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hashmap.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/inputs.h"
#include "daemon/jobs.h"
#include "daemon/outputs.h"
#include "reeve/executor.h"
#include "reeve/loop.h"

/* times input-max: all bytes of a user that no job has taken yet */
enum { UNCLAIMED_INPUTS_BYTES = 4 };
static const rv_time keep = RV_SEC(3600);

struct input {
	char name[INPUT_NAME_MAX];
	uint32_t uid;
	int64_t size;
	const void *
		owner; /* the connection that writes it; NULL: complete, or it is gone */
	rv_time written;
	bool complete;
	bool busy;    /* being written */
	bool claimed; /* by a submit that is not on disk yet */
};

struct inputs {
	struct core *core;
	rv_loop *loop;
	rv_timer expiry;
	struct hashmap *unclaimed; /* by name */
};

static void drop(struct inputs *in, struct input *i)
{
	inputs_remove(in, i->name);
	hashmap_remove(in->unclaimed, i->name);
	free(i);
}

/* those that nobody took for an hour; one look an hour is near enough */
static void expire(void *arg)
{
	struct inputs *in = arg;
	rv_time now = rv_loop_now(in->loop);
	struct input *i;

	HASHMAP_FOREACH(i, in->unclaimed) {
		if (!i->busy && !i->claimed && now - i->written >= keep)
			drop(in, i);
	}
	if (hashmap_size(in->unclaimed))
		rv_timer_start(&in->expiry, now + keep);
}

int inputs_new(struct inputs **ret, struct core *core)
{
	struct inputs *in = calloc(1, sizeof(*in));
	int r;

	if (!in)
		return -ENOMEM;
	in->core = core;
	in->loop = rv_loop_current();
	rv_timer_init(&in->expiry, in->loop, expire, in);
	r = hashmap_new(&in->unclaimed, HASHMAP_STRING);
	if (r >= 0)
		r = mkdir_all(core->state_fd, "input", core->system_mode ? 0711 : 0700);
	if (r < 0) {
		inputs_free(in);
		return r;
	}
	*ret = in;
	return 0;
}

struct inputs *inputs_free(struct inputs *in)
{
	struct input *i;

	if (!in)
		return NULL;
	rv_timer_stop(&in->expiry);
	if (in->unclaimed) {
		HASHMAP_FOREACH(i, in->unclaimed) {
			inputs_remove(in, i->name);
			free(i);
		}
	}
	hashmap_free(in->unclaimed);
	free(in);
	return NULL;
}

/* "UID-RANDOM": the owner is part of the name, so a record of it is enough */
static bool name_is_of(const char *name, uint32_t uid)
{
	char prefix[16];
	int n = snprintf(prefix, sizeof(prefix), "%" PRIu32 "-", uid);

	return strncmp(name, prefix, (size_t)n) == 0 &&
	       strspn(name + n, "0123456789abcdef") == 20 && strlen(name + n) == 20;
}

static void file_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "input/%s", name);
}

struct append {
	int state_fd;
	const struct input *input;
	const void *p;
	size_t n;
};

/* the bytes and the name */
static int sync_input(int state_fd, int fd)
{
	_cleanup_close_ int dir = -1;

	if (fdatasync(fd) < 0)
		return -errno;
	dir = openat(state_fd, "input", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || fsync(dir) < 0 ? -errno : 0;
}

static int append_in_worker(void *arg)
{
	struct append *a = arg;
	_cleanup_close_ int fd = -1;
	char path[64];
	int r;

	file_path(path, sizeof(path), a->input->name);
	fd = openat(
		a->state_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	/* the job opens it as its owner */
	if (a->input->size == 0 && geteuid() == 0 && a->input->uid != 0 &&
		fchown(fd, a->input->uid, (gid_t)-1) < 0)
		return -errno;
	if (lseek(fd, a->input->size, SEEK_SET) < 0)
		return -errno;
	r = fd_write_all(fd, a->p, a->n);
	/* acknowledged means durable, for what it reads as well */
	return r >= 0 && a->input->complete ? sync_input(a->state_fd, fd) : r;
}

struct usage {
	size_t n;
	int64_t bytes;
};

static struct usage usage_of(const struct inputs *in, uint32_t uid)
{
	struct usage u = {.n = 0};
	const struct input *i;

	HASHMAP_FOREACH(i, in->unclaimed) {
		if (i->uid != uid)
			continue;
		u.n++;
		u.bytes += i->size;
	}
	return u;
}

static int make_input(
	struct inputs *in, struct input **ret, uint32_t uid, enum config_key *ret_limit)
{
	const struct config *cf = in->core->config;
	char id[33];
	struct input *i;
	int r;

	if ((int64_t)hashmap_size(in->unclaimed) >=
		config_num(cf, UNTAKEN_INPUTS_MAX)) {
		*ret_limit = CONFIG_UNTAKEN_INPUTS_MAX;
		return -RV_ELIMIT;
	}
	if ((int64_t)usage_of(in, uid).n >=
		config_num(cf, UNTAKEN_INPUTS_PER_USER_MAX)) {
		*ret_limit = CONFIG_UNTAKEN_INPUTS_PER_USER_MAX;
		return -RV_ELIMIT;
	}
	i = calloc(1, sizeof(*i));
	if (!i)
		return -ENOMEM;
	random_id(id);
	snprintf(i->name, sizeof(i->name), "%" PRIu32 "-%.20s", uid, id);
	i->uid = uid;
	r = hashmap_put(in->unclaimed, i->name, i);
	if (r < 0) {
		free(i);
		return r;
	}
	if (hashmap_size(in->unclaimed) == 1)
		rv_timer_start(&in->expiry, rv_loop_now(in->loop) + keep);
	*ret = i;
	return 0;
}

static bool fits(const struct inputs *in, const struct input *i, size_t n)
{
	int64_t max = config_num(in->core->config, INPUT_MAX);
	int64_t all = max > INT64_MAX / UNCLAIMED_INPUTS_BYTES
			      ? INT64_MAX
			      : max * UNCLAIMED_INPUTS_BYTES;

	return (int64_t)n <= max - i->size &&
	       (int64_t)n <= all - usage_of(in, i->uid).bytes;
}

int inputs_put(struct inputs *in, char name[INPUT_NAME_MAX], const void *owner,
	uint32_t uid, const void *p, size_t n, bool last, enum config_key *ret_limit)
{
	struct append a = {.state_fd = in->core->state_fd, .p = p, .n = n};
	struct input *i = NULL;
	int r;

	if (name[0]) {
		i = hashmap_get(in->unclaimed, name);
		if (!i || i->owner != owner || i->uid != uid || i->complete || i->busy)
			return -ENOENT;
	} else {
		r = make_input(in, &i, uid, ret_limit);
		if (r < 0)
			return r;
		i->owner = owner;
		memcpy(name, i->name, INPUT_NAME_MAX);
	}
	if (!fits(in, i, n)) {
		*ret_limit = CONFIG_INPUT_MAX;
		r = -RV_ELIMIT;
	} else {
		i->busy = true;
		i->complete = last;
		a.input = i;
		r = rv_run_blocking(in->core->io, append_in_worker, &a);
		i->busy = false;
	}
	if (r >= 0 && !i->owner && !last)
		r = -ECONNRESET; /* its connection went meanwhile: nobody will go on with it */
	if (r < 0) {
		drop(in, i);
		return r;
	}
	i->size += (int64_t)n;
	i->written = rv_loop_now(in->loop);
	if (last)
		i->owner = NULL;
	return 0;
}

void inputs_owner_gone(struct inputs *in, const void *owner)
{
	struct input *i;

	HASHMAP_FOREACH(i, in->unclaimed) {
		if (i->owner != owner)
			continue;
		i->owner = NULL;
		if (!i->busy)
			drop(in, i);
	}
}

int inputs_claim(struct inputs *in, const char *name, uint32_t uid)
{
	struct input *i = hashmap_get(in->unclaimed, name);

	if (!i || i->uid != uid || !i->complete || i->busy || i->claimed)
		return -ENOENT;
	i->claimed = true;
	return 0;
}

void inputs_end_claim(struct inputs *in, const char *name, bool taken)
{
	struct input *i = hashmap_get(in->unclaimed, name);

	if (!i)
		return;
	i->claimed = false;
	if (!taken)
		return;
	hashmap_remove(in->unclaimed, name);
	free(i);
}

int inputs_path(struct inputs *in, char **ret, const char *name, uint32_t uid)
{
	if (!name_is_of(name, uid))
		return -EINVAL;
	return asprintf(ret, "%s/input/%s", in->core->state_dir, name) < 0 ? -ENOMEM
									   : 0;
}

void inputs_remove(struct inputs *in, const char *name)
{
	char path[64];

	if (strchr(name, '/'))
		return;
	/* in a worker: freeing the blocks of a large one takes its time */
	file_path(path, sizeof(path), name);
	outputs_remove(in->core->outputs, path);
}

/* ---- what an earlier daemon left ---------------------------------------------------- */

struct sweep {
	int state_fd;
	struct hashmap *used;
	int n;
};

static int note_used(struct sweep *sw, const struct jobs *jobs)
{
	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1)) {
		char name[INPUT_NAME_MAX];
		const char *text;
		size_t n;
		int r;

		if (job_spec_peek_str(
			    &text, &n, j->spec, j->spec_len, JOB_FIELD_STDIN) <= 0 ||
			n <= 6 || n - 6 >= sizeof(name) ||
			memcmp(text, "input:", 6) != 0)
			continue;
		memcpy(name, text + 6, n - 6);
		name[n - 6] = '\0';
		r = hashmap_put(sw->used, name, sw);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static int sweep_in_worker(void *arg)
{
	struct sweep *sw = arg;
	_cleanup_(closedirp) DIR *d = NULL;
	int fd = openat(sw->state_fd, "input", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		close_safe(fd);
		return -ENOMEM;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || hashmap_get(sw->used, e->d_name))
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			sw->n++;
	}
	return 0;
}

int inputs_sweep(struct inputs *in)
{
	struct sweep sw = {.state_fd = in->core->state_fd};
	int r;

	r = hashmap_new(&sw.used, HASHMAP_STRING);
	if (r >= 0)
		r = note_used(&sw, in->core->jobs);
	if (r >= 0)
		r = rv_run_blocking(in->core->io, sweep_in_worker, &sw);
	hashmap_free(sw.used);
	return r < 0 ? r : sw.n;
}
