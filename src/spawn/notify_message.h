/*
 * Datagrams of sd_notify(3), as reeved and the spawner take them from one socket, and whose
 * they are.
 */
#ifndef SPAWN_NOTIFY_MESSAGE_H
#define SPAWN_NOTIFY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#define NOTIFY_MESSAGE_MAX 4096 /* bytes, as systemd has it */
#define NOTIFY_ROUND_MAX   64   /* datagrams, before others get their turn */
/* processes between a sender and the main process of a run */
#define NOTIFY_ANCESTORS_MAX 64

/**
 * One datagram, without waiting. Descriptors that come with it are closed: that is what
 * BARRIER=1 waits for.
 *
 * @peek      it stays where it is
 * @ret_from  who sent it; pid 0: that is not known
 * @ret_cut   it was longer than size
 *
 * Returns its bytes, 0 to size; -EINTR; -EAGAIN and others: there is none.
 */
ssize_t notify_receive(int fd, void *text, size_t size, bool peek,
	struct ucred *ret_from, bool *ret_cut);

/**
 * What by_pid has for the process, or for one that it belongs to: the main process of a run
 * leads a session and a process group of its number, and what left both has it among its
 * ancestors. NULL: nothing, or the process is gone, and nobody can tell any more.
 */
void *notify_owner(pid_t pid, void *(*by_pid)(pid_t pid, void *arg), void *arg);

#endif
