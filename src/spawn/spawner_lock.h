/*
 * One spawner per state directory.
 *
 * Two bytes of one lock file, locked through its open file description: "alive" for as
 * long as a spawner lives, "moving" while one comes or goes. Whoever holds "moving" and
 * finds "alive" taken knows that a spawner listens and is not about to leave. The
 * kernel lets both go when the process ends, however it ends; a child never has the
 * descriptor.
 */
#ifndef SPAWN_SPAWNER_LOCK_H
#define SPAWN_SPAWNER_LOCK_H

/* Open the file and take both; waits while another one is coming or going. 0; -EBUSY: a
 * spawner is there; -errno. */
int spawner_lock(int *ret_fd, const char *state_dir);
/* it listens now */
void spawner_lock_arrived(int fd);
/* Take "moving" before leaving, without waiting: 0, -EAGAIN (somebody is coming: stay).
 */
int spawner_lock_leave(int fd);

#endif
