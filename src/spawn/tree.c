/* Finding and signalling a run's processes; see tree.h. */
#include "config.h"

#include "spawn/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/invariant.h"

#define ROUNDS_MAX 16

int tree_collect(struct proc_list *ret, const struct orphans *os, const struct run *run)
{
	int r;

	if (!(run->info.flags & SPAWN_RUN_MAIN_ENDED)) {
		r = proc_descendants(ret, run->info.pid);
		if (r < 0)
			return r;
	}
	if (run->n_orphans == 0)
		return 0;
	LIST_FOREACH(it, &os->all) {
		struct orphan *o = LIST_ENTRY(it, struct orphan, link);
		struct proc_stat st;

		/* an orphan that died still is in the way of its pid: no mistake here
		 */
		if (o->run != run || proc_list_has(ret, o->pid) ||
			proc_stat_read(&st, o->pid) < 0 || proc_stat_is_dead(&st))
			continue;
		r = proc_list_add(ret, &st);
		if (r == 0)
			r = proc_descendants(ret, o->pid);
		if (r < 0)
			return r;
	}
	return 0;
}

size_t tree_signal(
	const struct orphans *os, const struct run *run, enum tree_reach reach, int sig)
{
	_cleanup_(proc_list_deinit) struct proc_list l = PROC_LIST_NULL;
	size_t n = 0;

	INVARIANT(run->info.state == SPAWN_RUN_RUNNING && run->info.pid > 1);
	if (reach == TREE_MAIN) {
		(void)pidfd_send_signal(run->pidfd, sig, NULL, 0);
		return 0;
	}
	/* looked for before the group is signalled: what dies gives its children away
	 */
	if (reach != TREE_GROUP)
		(void)tree_collect(&l, os, run);
	if (reach != TREE_ESCAPED)
		(void)kill(-run->info.pid, sig);
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].pgrp == run->info.pid)
			continue;
		n += proc_signal(l.v[i].pid, l.v[i].start_time, sig) == 0;
	}
	return n;
}

void tree_signal_all(const struct orphans *os, const struct run *run, int sig)
{
	size_t n = 0, last;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		last = n;
		n = tree_signal(os, run, TREE_ALL, sig);
		if (n <= last)
			break;
	}
}

static int cgroup_open(const struct run *run, const char *file, int flags)
{
	char path[PATH_MAX];

	if (!run->cgroup_leaf)
		return -1;
	if (snprintf(path, sizeof(path), "%s/%s", run->cgroup_leaf, file) >=
		(int)sizeof(path))
		return -1;
	return open(path, flags | O_CLOEXEC);
}

bool tree_cgroup_is_populated(const struct run *run)
{
	_cleanup_close_ int fd = cgroup_open(run, "cgroup.events", O_RDONLY);
	char text[256];
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

static void cgroup_kill(const struct run *run)
{
	_cleanup_close_ int fd = cgroup_open(run, "cgroup.kill", O_WRONLY);

	if (fd >= 0)
		(void)fd_write_all(fd, "1", 1);
}

size_t tree_kill(struct orphans *os, const struct run *run)
{
	size_t left = 0;

	cgroup_kill(run);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		_cleanup_(proc_list_deinit) struct proc_list l = PROC_LIST_NULL;

		/* the dead are reaped and the new orphans adopted in each round */
		(void)tree_signal(os, run, TREE_ALL, SIGKILL);
		(void)orphans_sync(os);
		(void)orphans_reap(os);
		(void)tree_collect(&l, os, run);
		left = l.n;
		if (left == 0)
			break;
	}
	return left + tree_cgroup_is_populated(run);
}
