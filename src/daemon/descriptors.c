#include "config.h"

#include "daemon/descriptors.h"

#include <stdint.h>

#include "base/macro.h"

enum {
	OF_A_RUN = 5, /* at most: its pidfd, stdin, two outputs, and what it tells */
	OURS = 320,   /* the store, sockets; in the spawner, those of its starters */
};

rlim_t descriptors_raise(void)
{
	struct rlimit rl;
	rlim_t before;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur == rl.rlim_max)
		return 0;
	before = rl.rlim_cur;
	rl.rlim_cur = rl.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &rl) < 0 ? 0 : before;
}

size_t descriptors_runs_max(void)
{
	struct rlimit rl;
	rlim_t n;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	n = rl.rlim_cur > OURS ? rl.rlim_cur - OURS : 0;
	/* a quarter is for clients */
	return MAX((size_t)(n - n / 4) / OF_A_RUN, (size_t)1);
}
