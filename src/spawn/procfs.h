/*
 * What /proc tells about process trees: who a process is, who its children are, and
 * which processes bear the mark of a run.
 *
 * Used by the spawner to find what a run left behind, and by reeved to find runs whose
 * spawner is gone. A pid alone names nobody: everything here comes with the start time.
 */
#ifndef SPAWN_PROCFS_H
#define SPAWN_PROCFS_H

#include "base/buf.h"
#include "spawn/spawn.h"

struct proc_stat {
	pid_t pid, ppid, pgrp, session;
	char state;          /* as ps shows it; Z and X are dead */
	bool execed;         /* false: forked, and has not called exec since */
	uint64_t start_time; /* clock ticks since boot */
	char comm[16];
};

static inline bool proc_stat_is_dead(const struct proc_stat *st)
{
	return st->state == 'Z' || st->state == 'X';
}

/* 0, -ESRCH (no such process), -errno, -EBADMSG (not what proc(5) says) */
int proc_stat_read(struct proc_stat *ret, pid_t pid);

/* the part after "PID " of a stat line; for tests and for proc_stat_read */
int proc_stat_parse(struct proc_stat *ret, const char *line);

struct proc_list {
	struct proc_stat *v;
	size_t n, n_max;
};
#define PROC_LIST_NULL     \
	{                  \
		NULL, 0, 0 \
	}
/* Processes in one list; a tree that is larger is taken in several rounds. */
#define PROC_LIST_MAX 65536
void proc_list_deinit(struct proc_list *l);
/* 0, -ENOMEM, -RV_ELIMIT */
int proc_list_add(struct proc_list *l, const struct proc_stat *st);
bool proc_list_has(const struct proc_list *l, pid_t pid);

/**
 * Pids in a file of the form "12 345 6 " (/proc/PID/task/TID/children).
 *
 * @fd       the file, read from its beginning
 * @scratch  emptied and used
 * @fn       is called for each pid; a negative result ends the walk and is returned
 *
 * Returns 0, -errno, or what fn returned.
 */
int proc_children_read(
	int fd, struct buf *scratch, int (*fn)(pid_t pid, void *arg), void *arg);

/**
 * Add the living descendants of a process, children of children included, itself not.
 * Uses the children files where the kernel has them, else one pass over /proc.
 */
int proc_descendants(struct proc_list *l, pid_t pid);

/* Call fn for every process there is. 0, -errno, or the negative result of fn. */
int proc_each(int (*fn)(pid_t pid, void *arg), void *arg);

/**
 * Token in the environment that a process was started with.
 *
 * @ret_instance  may be NULL
 *
 * 0; -ENODATA (no mark, or one that is not readable); -EAGAIN (it is in exec: look
 * again); -errno of reading it
 */
int proc_mark_get(
	struct spawn_token *ret, char ret_instance[SPAWN_ID_LEN + 1], pid_t pid);

/* It runs a setuid program: its effective or saved user is not the real one, and nobody but root
 * ever sees its environment. False also where that cannot be seen. */
bool proc_is_setuid(pid_t pid);

/**
 * Signal a process only if it still is the one that was found.
 *
 * 0; -ESRCH when it has ended or is another one; -errno
 */
int proc_signal(pid_t pid, uint64_t start_time, int sig);

#endif
