/*
 * Notices that the other end of a connection is gone, also while nothing is read from it.
 *
 * A client that waits for a job, or follows its output, is not read meanwhile: without
 * this, one that vanished would hold its place until the job has ended. Its own epoll set,
 * in which connections are registered for nothing but the hang-up that is always reported.
 *
 * Loop thread only.
 */
#ifndef DAEMON_HANGUPS_H
#define DAEMON_HANGUPS_H

#include "reeve/loop.h"

struct hangups;

/* @fn is called once for each connection whose peer closed it, with what was added. */
int hangups_new(struct hangups **ret, rv_loop *loop, void (*fn)(void *conn));
struct hangups *hangups_free(struct hangups *h);

/* 0, -ENOMEM, -ENOSPC. A descriptor that is closed leaves by itself. */
int hangups_add(struct hangups *h, int fd, void *conn);
void hangups_remove(struct hangups *h, int fd);

#endif
