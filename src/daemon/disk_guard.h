/*
 * min-free: below it no run starts, so that running jobs and the store keep the rest.
 * Looked at while jobs end and are submitted, at most once a second, and every few seconds
 * while it is too little: an idle daemon does not look at all. Loop thread only.
 */
#ifndef DAEMON_DISK_GUARD_H
#define DAEMON_DISK_GUARD_H

#include "reeve/loop.h"

struct core;
struct disk_guard;

int disk_guard_new(struct disk_guard **ret, struct core *core, rv_loop *loop);
struct disk_guard *disk_guard_free(struct disk_guard *g);
/* something is about to start */
void disk_guard_look(struct disk_guard *g);

#endif
