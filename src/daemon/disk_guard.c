#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "config/configuration.h"
#include "daemon/core.h"
#include "daemon/disk_guard.h"
#include "daemon/scheduler.h"

static const rv_time look_every = RV_SEC(1), retry_every = RV_SEC(2);

struct disk_guard {
	struct core *core;
	rv_loop *loop;
	rv_timer timer;
	rv_time last;
	bool low;
};

static void look(struct disk_guard *g)
{
	int64_t min = config_num(g->core->config, MIN_FREE), have;
	struct statvfs vfs;
	bool low;

	g->last = rv_loop_time(g->loop);
	if (fstatvfs(g->core->state_fd, &vfs) < 0)
		return; /* not known: the writes themselves will tell */
	have = (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
	low = have < min;
	if (low != g->low)
		log_at(low ? LOG_ERR : LOG_NOTICE, "disk",
			low ? "%" PRId64 " bytes are free in '%s', less than min-free: "
			      "nothing starts"
			    : "%" PRId64
			      " bytes are free in '%s' again: jobs are started",
			have, g->core->state_dir);
	g->low = low;
	scheduler_block(g->core->scheduler, BLOCK_DISK, low);
	if (low)
		rv_timer_start(&g->timer, g->last + retry_every);
}

static void timer_fired(void *arg)
{
	look(arg);
}

int disk_guard_new(struct disk_guard **ret, struct core *core, rv_loop *loop)
{
	struct disk_guard *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->core = core;
	g->loop = loop;
	g->last = -look_every;
	rv_timer_init(&g->timer, loop, timer_fired, g);
	*ret = g;
	return 0;
}

struct disk_guard *disk_guard_free(struct disk_guard *g)
{
	if (!g)
		return NULL;
	rv_timer_stop(&g->timer);
	free(g);
	return NULL;
}

void disk_guard_look(struct disk_guard *g)
{
	if (g && rv_loop_time(g->loop) - g->last >= look_every)
		look(g);
}
