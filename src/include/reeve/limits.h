/*
 * What the system allows this process: how many connections, tasks and threads make sense.
 */
#ifndef REEVE_LIMITS_H
#define REEVE_LIMITS_H

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RV_UNLIMITED UINT64_MAX

struct rv_limits {
	uint64_t fds; /* descriptors that may be open: each socket and child has one */
	uint64_t fds_hard; /* how far rv_limits_raise_fds can go */
	uint64_t
		tasks; /* that have begun and not ended, by the kernel's limit of mappings;
			      what memory they take is another matter */
	uint64_t memory; /* bytes of address space, in which stacks count whole */
	unsigned cpus;   /* that this thread may run on */
};

/**
 * Look, now: limits change, and so does what else uses them up.
 *
 * A number is RV_UNLIMITED where there is no limit. What is open already is not taken off.
 * Opens descriptors for a moment. Any thread.
 *
 * Returns 0; -errno of what could not be asked.
 */
RV_TS int rv_limits(struct rv_limits *ret);
/**
 * Allow this process so many descriptors, and not fewer than it may have: for servers, where
 * the usual 1024 are few. Children inherit that, and such as use select(2) bear no more than
 * 1024.
 *
 * @n  RV_UNLIMITED: as many as it may
 *
 * Returns 0; -EPERM: fds_hard is less, and nothing was changed. Any thread.
 */
RV_TS int rv_limits_raise_fds(uint64_t n);

#ifdef __cplusplus
}
#endif
#endif
