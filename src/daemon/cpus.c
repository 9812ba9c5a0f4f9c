#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/macro.h"
#include "daemon/cpus.h"

static unsigned quota_cpus(void)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	unsigned long long quota, period;

	/* cgroup v2 of a container sees its own limit here */
	if (file_read(&text, AT_FDCWD, "/sys/fs/cgroup/cpu.max", 128) < 0 ||
		buf_append_byte(&text, '\0') < 0 ||
		sscanf(buf_head(&text), "%llu %llu", &quota, &period) != 2 || !period)
		return UINT32_MAX;
	return (unsigned)MAX(quota / period, 1ULL);
}

unsigned cpus_available(void)
{
	cpu_set_t set;
	unsigned n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = (unsigned)CPU_COUNT(&set);
	return MAX(MIN(n, quota_cpus()), 1u);
}
