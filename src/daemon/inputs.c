#include "config.h"

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
#include "config/configuration.h"
#include "daemon/core.h"
#include "daemon/inputs.h"
#include "reeve/executor.h"

/* that no job has claimed yet, of all users together */
enum { UNCLAIMED_MAX = 1024 };

struct input {
	char name[INPUT_NAME_MAX];
	uint32_t uid;
	int64_t size;
	bool complete, busy;
};

struct inputs {
	struct core *core;
	struct hashmap *unclaimed; /* by name */
};

int inputs_new(struct inputs **ret, struct core *core)
{
	struct inputs *in = calloc(1, sizeof(*in));
	int r;

	if (!in)
		return -ENOMEM;
	in->core = core;
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
	if (r >= 0 && a->input->complete && fdatasync(fd) < 0)
		r = -errno; /* acknowledged means durable, for what it reads as well */
	return r;
}

static int make_input(struct inputs *in, struct input **ret, uint32_t uid)
{
	char id[33];
	struct input *i;
	int r;

	if (hashmap_size(in->unclaimed) >= UNCLAIMED_MAX)
		return -RV_ELIMIT;
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
	*ret = i;
	return 0;
}

int inputs_put(struct inputs *in, char name[INPUT_NAME_MAX], uint32_t uid,
	const void *p, size_t n, bool last)
{
	int64_t max = config_num(in->core->config, INPUT_MAX);
	struct append a = {.state_fd = in->core->state_fd, .p = p, .n = n};
	struct input *i = NULL;
	int r;

	if (name[0]) {
		i = hashmap_get(in->unclaimed, name);
		if (!i || i->uid != uid || i->complete || i->busy)
			return -ENOENT;
	} else {
		r = make_input(in, &i, uid);
		if (r < 0)
			return r;
		memcpy(name, i->name, INPUT_NAME_MAX);
	}
	if ((int64_t)n > max - i->size) {
		r = -RV_ELIMIT;
	} else {
		i->busy = true;
		i->complete = last;
		a.input = i;
		r = rv_run_blocking(in->core->io, append_in_worker, &a);
		i->busy = false;
	}
	if (r < 0) {
		inputs_remove(in, i->name);
		hashmap_remove(in->unclaimed, i->name);
		free(i);
		return r;
	}
	i->size += (int64_t)n;
	return 0;
}

int inputs_claim(struct inputs *in, const char *name, uint32_t uid)
{
	struct input *i = hashmap_get(in->unclaimed, name);

	if (!i || i->uid != uid || !i->complete || i->busy)
		return -ENOENT;
	hashmap_remove(in->unclaimed, name);
	free(i);
	return 0;
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

	file_path(path, sizeof(path), name);
	if (strchr(name, '/') || unlinkat(in->core->state_fd, path, 0) == 0 ||
		errno == ENOENT)
		return;
	log_at(LOG_WARNING, "input", "cannot remove '%s': %s, ignoring", path,
		rv_strerror(errno));
}
