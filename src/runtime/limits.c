/* What the system allows this process. */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include "base/macro.h"
#include "reeve/limits.h"
#include "runtime/coro.h"

static uint64_t from_rlim(rlim_t v)
{
	return v == RLIM_INFINITY ? RV_UNLIMITED : (uint64_t)v;
}

/* one where that cannot be told */
static unsigned cpus(void)
{
	cpu_set_t set; /* 1024; a larger system is not one that this is asked on */

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned)MAX(CPU_COUNT(&set), 1);
}

int rv_limits(struct rv_limits *ret)
{
	struct rlimit nofile, as;

	if (getrlimit(RLIMIT_NOFILE, &nofile) < 0 || getrlimit(RLIMIT_AS, &as) < 0)
		return -errno;
	*ret = (struct rv_limits){
		.fds = from_rlim(nofile.rlim_cur),
		.fds_hard = from_rlim(nofile.rlim_max),
		.tasks = coro_stacks_max(),
		.memory = from_rlim(as.rlim_cur),
		.cpus = cpus(),
	};
	return 0;
}

int rv_limits_raise_fds(uint64_t n)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	if (n == RV_UNLIMITED)
		n = from_rlim(rl.rlim_max);
	if (n <= from_rlim(rl.rlim_cur))
		return 0;
	if (n > from_rlim(rl.rlim_max))
		return -EPERM;
	rl.rlim_cur = n == RV_UNLIMITED ? RLIM_INFINITY : (rlim_t)n;
	return setrlimit(RLIMIT_NOFILE, &rl) < 0 ? -errno : 0;
}
