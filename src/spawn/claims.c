/* The file of claims; see claims.h. */
#include "config.h"

#include "spawn/claims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "spawn/wire.h"

static const char magic[16] = "reeve claims 1\n";

/* Bytes of a place, of which the first is the head's. A record never crosses a page: a write
 * that SIGKILL meets is there or not, as a whole. */
#define PLACE_SIZE (size_t)256
/* the table never has more entries (runs.h), and no file is read that has more */
#define PLACES_MAX (size_t)65536

static off_t offset_of(uint32_t place)
{
	return (off_t)(place * PLACE_SIZE);
}

static int write_at(int fd, const void *p, size_t n, off_t offset)
{
	ssize_t r;

	do
		r = pwrite(fd, p, n, offset);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return (size_t)r == n ? 0 : -ENOSPC;
}

void claims_open(struct claims *c, const char *state_dir, const char *instance)
{
	int r;

	*c = (struct claims){.fd = -1};
	if (asprintf(&c->path, "%s/" SPAWN_CLAIMS_PREFIX "%s", state_dir, instance) <
		0) {
		c->path = NULL;
		return;
	}
	c->fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = c->fd < 0 ? -errno : write_at(c->fd, magic, sizeof(magic), 0);
	if (r == 0)
		return;
	log_at(LOG_WARNING, "spawn", "cannot write '%s': %s, going on without it",
		c->path, rv_strerror(r));
	claims_remove(c);
}

/* one that cannot even be removed must not be taken for whole */
static void unlink_or_empty(const struct claims *c)
{
	if (unlink(c->path) < 0 && errno != ENOENT && ftruncate(c->fd, 0) < 0)
		log_at(LOG_ERR, "spawn", "cannot remove '%s': %s", c->path,
			rv_strerror(errno));
}

void claims_remove(struct claims *c)
{
	if (c->fd >= 0)
		unlink_or_empty(c);
	c->fd = close_safe(c->fd);
	free(c->path);
	free(c->free);
	*c = (struct claims){.fd = -1};
}

/* 0, -ENOMEM */
static int take_place(struct claims *c, uint32_t *ret)
{
	uint32_t *v;

	if (c->n_free > 0) {
		*ret = c->free[--c->n_free];
		return 0;
	}
	if (c->n_places == c->n_free_max) {
		uint32_t n = c->n_free_max ? 2 * c->n_free_max : 64;

		v = reallocarray(c->free, n, sizeof(*v));
		if (!v)
			return -ENOMEM;
		c->free = v;
		c->n_free_max = n;
	}
	*ret = ++c->n_places;
	return 0;
}

static bool is_kept(const struct claims *c)
{
	return c->fd >= 0 && !c->broken;
}

/* What is there would be taken for all. The descriptor stays open: another thread may be
 * about to write to it. */
static void give_up(struct claims *c, int error)
{
	if (atomic_exchange(&c->broken, true))
		return;
	log_at(LOG_WARNING, "spawn", "cannot write '%s': %s, removing it", c->path,
		rv_strerror(error));
	unlink_or_empty(c);
}

uint32_t claims_reserve(struct claims *c)
{
	uint32_t place = 0;
	int r;

	if (!is_kept(c))
		return 0;
	r = take_place(c, &place);
	if (r == 0)
		return place;
	give_up(c, r);
	return 0;
}

void claims_write(struct claims *c, uint32_t place, const struct spawn_run_info *info)
{
	_cleanup_(buf_deinitp) struct buf record = BUF_NULL;
	int r;

	if (place == 0 || !is_kept(c))
		return;
	r = wire_encode_run(&record, WIRE_RUN_TABLE, info, 0);
	if (r >= 0) {
		INVARIANT(buf_len(&record) <= PLACE_SIZE);
		r = write_at(
			c->fd, buf_head(&record), buf_len(&record), offset_of(place));
	}
	if (r < 0)
		give_up(c, r);
}

void claims_drop(struct claims *c, uint32_t place)
{
	if (place == 0 || !is_kept(c))
		return;
	INVARIANT(place <= c->n_places && c->n_free < c->n_free_max);
	c->free[c->n_free++] = place;
}

/* -- reading ------------------------------------------------------------------------
 */

static bool is_claims(const char *name)
{
	return strncmp(name, SPAWN_CLAIMS_PREFIX, strlen(SPAWN_CLAIMS_PREFIX)) == 0 &&
	       strlen(name) == strlen(SPAWN_CLAIMS_PREFIX) + SPAWN_ID_LEN;
}

/* 0, -errno; what is missing at the end is not there */
static int read_bytes(int fd, char *data, size_t *n)
{
	size_t done = 0;

	while (done < *n) {
		ssize_t r = pread(fd, data + done, *n - done, (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*n = done;
	return 0;
}

static bool is_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* 1, 0, -ENOMEM */
static int parse(
	const char *data, size_t size, struct spawn_run_info **ret, size_t *ret_n)
{
	_cleanup_free_ struct spawn_run_info *runs =
		calloc(size / PLACE_SIZE + 1, sizeof(*runs));
	size_t n = 0;

	if (!runs)
		return -ENOMEM;
	for (size_t at = PLACE_SIZE; at < size; at += PLACE_SIZE) {
		struct wire_reader place = {
			(const uint8_t *)data + at, MIN(size - at, PLACE_SIZE), false};
		enum wire_run_reason reason;
		struct wire_record rec;

		/* reserved for a start that waits */
		if (is_zero(data + at, MIN(size - at, PLACE_SIZE)))
			continue;
		if (wire_next(&place, &rec) <= 0 || rec.type != WIRE_RUN ||
			wire_decode_run(&rec.body, &reason, &runs[n]) < 0)
			return 0;
		n++;
	}
	*ret = TAKE_PTR(runs);
	*ret_n = n;
	return 1;
}

/* 1; 0: it is not whole, so that nothing can be concluded from it */
static int read_one(
	int dir_fd, const char *name, struct spawn_run_info **ret, size_t *ret_n)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t size;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(magic) ||
		st.st_size > (off_t)((PLACES_MAX + 1) * PLACE_SIZE))
		return 0;
	size = (size_t)st.st_size;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	r = read_bytes(fd, data, &size);
	if (r < 0)
		return r;
	if (size < sizeof(magic) || memcmp(data, magic, sizeof(magic)) != 0)
		return 0;
	return parse(data, size, ret, ret_n);
}

static DIR *open_dir(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		close_safe(fd);
	return d;
}

int spawn_claims_load(int dir_fd,
	int (*fn)(const char *instance, const struct spawn_run_info *runs, size_t n,
		void *arg),
	void *arg)
{
	_cleanup_(closedirp) DIR *d = open_dir(dir_fd);

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		_cleanup_free_ struct spawn_run_info *runs = NULL;
		size_t n = 0;
		int r;

		if (!is_claims(e->d_name))
			continue;
		r = read_one(dir_fd, e->d_name, &runs, &n);
		if (r > 0)
			r = fn(e->d_name + strlen(SPAWN_CLAIMS_PREFIX), runs, n, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

int spawn_claims_sweep(int dir_fd, const char *instance)
{
	_cleanup_(closedirp) DIR *d = open_dir(dir_fd);
	int r = 0;

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		if (!is_claims(e->d_name) ||
			STREQ(e->d_name + strlen(SPAWN_CLAIMS_PREFIX), instance))
			continue;
		if (unlinkat(dir_fd, e->d_name, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}
