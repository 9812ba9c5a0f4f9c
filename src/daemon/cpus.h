/* How many CPUs there are for us. */
#ifndef DAEMON_CPUS_H
#define DAEMON_CPUS_H

/* by affinity and the quota of the cgroup, at least 1 */
unsigned cpus_available(void);

#endif
