/*
 * Who follows output files, told when one grows: one inotify instance for all of them,
 * because a user may have few of these (fs.inotify.max_user_instances).
 *
 * Followers of one file share its watch. Where the kernel has no room for another watch or
 * no instance, and where a file system does not tell, the followers concerned are woken
 * once a second instead, to look for themselves. Loop thread only.
 */
#ifndef DAEMON_LOG_WATCH_H
#define DAEMON_LOG_WATCH_H

#include "base/list.h"
#include "reeve/loop.h"
#include "reeve/sync.h"

struct log_watch;
struct log_watched;

/* one file that one client follows; zeroed before use, embedded in the follower */
struct log_follower {
	struct list link;
	struct log_watched *of; /* NULL: none, it is woken once a second */
	rv_event *changed;
};

/* 0, -ENOMEM */
int log_watch_new(struct log_watch **ret, rv_loop *loop);
/* No follower may be left. Takes NULL, returns NULL. */
struct log_watch *log_watch_free(struct log_watch *w);

/**
 * Set changed whenever the file grows, until log_watch_remove.
 *
 * @fd       the file; it stays open until log_watch_remove
 * @changed  borrowed as long
 *
 * Writes before this are not told: look at the file afterwards. 0, -ENOMEM.
 */
int log_watch_add(
	struct log_watch *w, struct log_follower *f, int fd, rv_event *changed);
/* No effect on one that was never added, or is removed. */
void log_watch_remove(struct log_watch *w, struct log_follower *f);

#endif
