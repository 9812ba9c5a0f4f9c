#include "config.h"

#include "spawner_unit.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spawn/claims.h"
#include "spawn/exits.h"

struct fx *fx;

void fx_setup(void)
{
	fx = calloc(1, sizeof(*fx));
	ck_assert_ptr_nonnull(fx);
	fx_begin(fx);
}

void fx_teardown(void)
{
	fx_end(fx);
}

void fx_ack(uint64_t job_id)
{
	struct spawn_token t = fx_token(job_id);

	ck_assert_int_eq(spawn_client_ack(fx->client, &t), 0);
}

struct spawn_request fx_gated(uint64_t id, uint32_t slots, bool ahead, const char *line)
{
	struct spawn_request req = fx_request(id, line);

	req.cwd = fx->dir;
	req.gate = 7;
	req.gate_slots = slots;
	req.ahead = ahead;
	return req;
}

void fx_start_gated(uint64_t id, uint32_t slots, bool ahead, const char *line)
{
	struct spawn_request req = fx_gated(id, slots, ahead, line);

	fx_start(fx, &req);
}

int fx_mount_hanging(const char *path)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0 || mkdir(path, 0700) < 0)
		return -1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		fd);
	if (mount("reeve-test", path, "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void fx_unmount_hanging(const char *path, int fuse)
{
	umount2(path, MNT_DETACH);
	close(fuse);
}

static int open_dir(void)
{
	int fd = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int collect_exit(
	const struct wire_hello *from, const struct spawn_run_info *info, void *arg)
{
	struct spawn_run_info *infos = arg;

	(void)from;
	if (!info)
		return 0;
	ck_assert_uint_lt(info->token.job_id, 4);
	infos[info->token.job_id] = *info;
	return 0;
}

int fx_exits(struct spawn_run_info ret[4])
{
	_cleanup_close_ int dir_fd = open_dir();

	return spawn_exits_load(dir_fd, collect_exit, ret);
}

static int collect_claims(
	const char *instance, const struct spawn_run_info *runs, size_t n, void *arg)
{
	struct fx_claims *c = arg;

	ck_assert_uint_eq(strlen(instance), SPAWN_ID_LEN);
	ck_assert_uint_le(n, 16);
	c->n_files++;
	memcpy(c->runs, runs, n * sizeof(*runs));
	c->n = n;
	return 0;
}

void fx_load_claims(struct fx_claims *ret)
{
	_cleanup_close_ int dir_fd = open_dir();

	memset(ret, 0, sizeof(*ret));
	ck_assert_int_eq(spawn_claims_load(dir_fd, collect_claims, ret), 0);
}

const struct spawn_run_info *fx_find_claim(const struct fx_claims *c, uint64_t id)
{
	struct spawn_token t = fx_token(id);

	for (size_t i = 0; i < c->n; i++)
		if (spawn_token_equal(&c->runs[i].token, &t))
			return &c->runs[i];
	return NULL;
}
